/**
 * Waiting for an answer that is not an IQ reply: a presence from a room, a receipt, a reflected message.
 */
import type { Element } from '../xml/element.js';
import type { Session, StanzaFilter, WaitOptions } from './session.js';
import { Deferred, within } from './wait.js';

export interface Expectation {
  filter: StanzaFilter;
  /** What it throws ends the wait. */
  fits: (stanza: Element) => boolean;
  /** Ends the sentence "timed out …": `entering room@…`. */
  doing: string;
}

/**
 * The first stanza that fits, from before `trigger` is called.
 *
 * @param trigger sends what is going to be answered
 * @throws TimeoutError @throws InterruptedError @throws ConnectionLostError the stream was lost meanwhile
 */
export async function expectStanza(
  session: Session,
  { filter, fits, doing }: Expectation,
  trigger: () => Promise<void>,
  wait: WaitOptions = {},
): Promise<Element> {
  const found = new Deferred<Element>();
  using _handler = session.handle(filter, (stanza) => {
    try {
      if (fits(stanza)) found.resolve(stanza);
    } catch (error) {
      found.reject(error as Error);
    }
  });
  using _lost = session.on('disconnected', ({ error }) => found.reject(error));
  using _closed = session.on('closed', ({ error }) => {
    if (error) found.reject(error);
  });
  await trigger();
  return await within(found.promise, {
    doing,
    signal: wait.signal ?? session.signal,
    timeoutMs: wait.timeoutMs ?? session.timeoutMs,
  });
}
