/**
 * Files to one recipient, by whatever way works: Jingle to the resource that takes them, and an upload with a link for
 * what Jingle could not bring.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { ConnectionLostError, TimeoutError, type XmppctlError } from '../../errors.js';
import type { JID } from '../../jid/jid.js';
import { TransportFailedError, type JingleTransport } from '../../jingle/transport.js';
import { findReceiver, type FindReceiverOptions, type FoundReceiver } from './find-receiver.js';
import { CannotReceiveError, comesFromLostConnection } from '../reasons.js';
import { sendFiles } from './send-files.js';
import type { FileFacts, FileSource, TransferEvent } from '../transfer.js';

/** The last resort: brings one file to somebody who takes none by Jingle, or not now. */
export type SendByLink = (
  source: FileSource,
  to: JID,
  /** Why it is needed. */
  reason: string | undefined,
) => AsyncIterable<TransferEvent>;

export interface SendToRecipientOptions extends Omit<FindReceiverOptions, 'transports'> {
  /** In the order in which they are tried; none for links only. */
  transports: readonly JingleTransport[];
  /** None: what Jingle cannot bring has failed. */
  sendByLink: SendByLink | undefined;
}

export type Sources = () => AsyncIterable<FileSource> | Iterable<FileSource>;

/** After the stream was lost and is back, so often. */
const MAX_ROUNDS = 5;
/** For a stream that comes back. */
const RECONNECT_MS = 60_000;
/** Between two looks whether the recipient is back. */
const LOOK_AGAIN_MS = 1000;

/**
 * Each file ends in a `done` or a `failed` event.
 * @throws what concerns all of them: nobody there takes files, and nothing else may be tried
 */
export async function* sendToRecipient(
  to: JID,
  sources: Sources,
  options: SendToRecipientOptions,
): AsyncGenerator<TransferEvent> {
  const { transports, sendByLink, note } = options;
  if (transports.length === 0) {
    for await (const source of sources()) if (sendByLink) yield* sendByLink(source, to, undefined);
    return;
  }
  let left: Sources = sources;
  for (let round = 1; ; round += 1) {
    const look = (): Promise<FoundReceiver> =>
      findReceiver(to, { ...options, transports: transports.map(({ namespace }) => namespace) });
    const found = round === 1 ? await look() : await lookUntilBack(look, options.signal);
    if (found.kind === 'nobody') {
      if (!sendByLink)
        throw new CannotReceiveError(`${to.toString()} ${found.reason}`, 'recipient-unavailable');
      for await (const source of left()) yield* sendByLink(source, to, `${to.toString()} ${found.reason}`);
      return;
    }
    const { jid, proposal } = found;
    note(`offering to ${jid.toString()}`);
    const tracked = new TrackedSources(left);
    const again: FileSource[] = [];
    const byLink: { source: FileSource; error: XmppctlError }[] = [];
    let doneCount = 0;
    const events = sendFiles(options.session, jid, tracked.all(), {
      transports,
      timeoutMs: options.timeoutMs,
      acceptTimeoutMs: options.acceptTimeoutMs,
      signal: options.signal,
      note,
      ...(proposal && { sid: proposal.id }),
    });
    const begun = new Set<string>();
    for await (const event of events) {
      const source = tracked.follow(event);
      if (event.kind === 'accepted') begun.add(event.id);
      if (event.kind === 'done') doneCount += 1;
      if (event.kind === 'failed' && source) {
        const isPassing =
          isWorthAnotherRound(event.error, round, options) || isWorthWaiting(event, begun, options);
        if (round < MAX_ROUNDS && isPassing) {
          again.push(source);
          continue;
        }
        if (sendByLink && isWorthALink(event.error)) {
          byLink.push({ source, error: event.error });
          continue;
        }
      }
      yield event;
    }
    await proposal?.finish(jid, doneCount > 0 ? 'success' : 'expired').catch(() => undefined);
    for (const { source, error } of byLink) if (sendByLink) yield* sendByLink(source, to, error.message);
    if (again.length === 0) return;
    note(`${again.length} not finished, trying again`);
    if (round > 1) await sleep(LOOK_AGAIN_MS, undefined, { signal: options.signal });
    await waitOnline(options);
    left = () => again;
  }
}

/**
 * The stream was lost, and comes back: what has arrived by then is not sent again. The recipient may need a while to
 * see that it was, and to come back itself.
 */
function isWorthAnotherRound(
  error: Error,
  round: number,
  { session, signal }: SendToRecipientOptions,
): boolean {
  const isPassing = comesFromLostConnection(error) || (round > 1 && error instanceof CannotReceiveError);
  return isPassing && session.state !== 'closed' && !signal.aborted;
}

/** Whoever is waited for may go away, or be killed, in the middle. That they said nothing to an offer is an answer. */
function isWorthWaiting(
  { id, error }: TransferEvent & { kind: 'failed' },
  begun: ReadonlySet<string>,
  { isWaiting, signal }: SendToRecipientOptions,
): boolean {
  const isAway = error instanceof CannotReceiveError || (error instanceof TimeoutError && begun.has(id));
  return isWaiting && isAway && !signal.aborted;
}

function isWorthALink(error: Error): error is XmppctlError {
  return (
    error instanceof CannotReceiveError ||
    error instanceof TransportFailedError ||
    error instanceof TimeoutError
  );
}

/** What broke our connection may have broken the recipient's, too: it is back a little later than we are. */
async function lookUntilBack(
  look: () => Promise<FoundReceiver>,
  signal: AbortSignal,
): Promise<FoundReceiver> {
  for (let waitedMs = 0; ; waitedMs += LOOK_AGAIN_MS) {
    const found = await look();
    if (found.kind !== 'nobody' || waitedMs >= RECONNECT_MS) return found;
    await sleep(LOOK_AGAIN_MS, undefined, { signal });
  }
}

async function waitOnline({ session, signal }: SendToRecipientOptions): Promise<void> {
  const stepMs = 100;
  for (let waitedMs = 0; session.state === 'reconnecting' && waitedMs < RECONNECT_MS; waitedMs += stepMs)
    await sleep(stepMs, undefined, { signal });
  if (session.state !== 'online')
    throw new ConnectionLostError('the connection was lost, and did not come back');
}

/** Says which source an event is about: its number comes back in the facts, which are copied on the way. */
class TrackedSources {
  readonly #open = new Map<number, FileSource>();
  readonly #numbers = new Map<string, number>();
  #count = 0;

  constructor(private readonly sources: Sources) {}

  async *all(): AsyncGenerator<FileSource> {
    for await (const source of this.sources()) {
      this.#count += 1;
      this.#open.set(this.#count, source);
      yield this.#mark(source, this.#count);
    }
  }

  /** @returns of a failed one, the source, where it can be sent once more from its beginning */
  follow(event: TransferEvent): FileSource | undefined {
    if (event.kind === 'offered' || event.kind === 'failed') {
      const number = numberOf(event.file);
      if (number !== undefined) this.#numbers.set(event.id, number);
    }
    if (event.kind !== 'done' && event.kind !== 'failed') return undefined;
    const number = this.#numbers.get(event.id) ?? 0;
    const source = this.#open.get(number);
    this.#numbers.delete(event.id);
    this.#open.delete(number);
    return source;
  }

  #mark(source: FileSource, number: number): FileSource {
    return {
      facts: Object.assign({ ...source.facts }, { [sourceNumber]: number }),
      isSeekable: source.isSeekable,
      open: (offset) => {
        // What can be read once has been read now.
        if (!source.isSeekable) this.#open.delete(number);
        return source.open(offset);
      },
    };
  }
}

const sourceNumber = Symbol('which source it is');

function numberOf(file: FileFacts & { [sourceNumber]?: number }): number | undefined {
  return file[sourceNumber];
}
