/**
 * The word of the receiver after everything was sent, or the sign that another path is needed.
 */
import { TimeoutError } from '../../errors.js';
import type { Bytestream } from '../../jingle/transport.js';
import { within } from '../../session/wait.js';
import { BrokenPathError } from './outgoing-bytes.js';
import type { Confirmation, OutgoingContent } from './outgoing-content.js';

/**
 * How long the confirmation may come after the path is closed, where the receiver could ask for another path instead.
 * COMPAT(Libervia 0.9): it waits 5 s for a hash in the form that it understands, and confirms then.
 */
export const CONFIRM_AFTER_CLOSE_MS = 7000;

export interface ConfirmationBounds {
  patienceMs: number;
  /** The receiver can say where to go on, so that what is lost with the path can be sent again. */
  isResumable: boolean;
}

/**
 * @returns undefined when nothing came in time
 * @throws BrokenPathError the path was closed, and may have lost something
 */
export async function awaitConfirmation(
  { stream, isAcknowledged }: Bytestream,
  { confirmed, signal }: Pick<OutgoingContent, 'confirmed' | 'signal'>,
  { patienceMs, isResumable }: ConfirmationBounds,
): Promise<Confirmation | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const closed = new Promise<never>((_resolve, reject) => {
    // What is known to have arrived needs no other path.
    if (!isResumable || isAcknowledged) return;
    const afterClose = (): void => {
      timer = setTimeout(
        () => reject(new BrokenPathError('the path was closed before the receiver confirmed')),
        Math.min(CONFIRM_AFTER_CLOSE_MS, patienceMs / 2),
      );
    };
    if (stream.destroyed) afterClose();
    else stream.once('close', afterClose);
  });
  // Whatever the other side sends is nothing to us, but its end can only be seen by reading.
  stream.resume();
  try {
    return await within(Promise.race([confirmed, closed]), {
      doing: 'waiting',
      timeoutMs: patienceMs,
      signal,
    });
  } catch (error) {
    if (error instanceof TimeoutError) return undefined;
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
