/**
 * Sends files to one other party, by Jingle (XEP-0234).
 *
 * All in one session where the other party goes along with that: the first by session-initiate, further ones by
 * content-add, several at a time. Where it does not, each file gets a session of its own, one after the other.
 */
import { ConnectionLostError, InterruptedError } from '../../errors.js';
import type { JID } from '../../jid/jid.js';
import { shareEndpoint } from '../../jingle/endpoint.js';
import { EventQueue } from '../../event-queue.js';
import type { JingleTransport } from '../../jingle/transport.js';
import type { Session } from '../../session/session.js';
import { interruption, within } from '../../session/wait.js';
import { SendingOne } from './offer-file.js';
import { OfferQueue } from './offer-queue.js';
import { OutgoingSession } from './outgoing-session.js';
import { CannotReceiveError } from '../reasons.js';
import { SendWindow } from './send-window.js';
import { isFileInfo } from '../receiving/jingle-offers.js';
import type { FileSource, TransferEvent } from '../transfer.js';

export interface SendFilesOptions {
  /** In the order in which they are tried. */
  transports: readonly JingleTransport[];
  /** For each step of a negotiation, and for data that nobody takes. */
  timeoutMs: number;
  /** For the answer to an offer: a person may be asked. */
  acceptTimeoutMs: number;
  /** Ends everything; the files under way fail with an InterruptedError. */
  signal?: AbortSignal;
  /** The session id that was announced (XEP-0353); of the first session only. */
  sid?: string;
  /** Files under way at a time. */
  parallel?: number;
  /** Told one line for each path that was tried and what became of it. */
  note?: (fact: string) => void;
}

/** Together, of the files under way. */
const MAX_BYTES = 4 << 20;
const MAX_FILES = 32;

/**
 * Each file ends in a `done` or a `failed` event; the iteration ends after the last, and itself throws only for a bug.
 *
 * How a file fails: NegativeError it was declined; CannotReceiveError another way than Jingle may work; TimeoutError
 * the other party fell silent; FileError ours cannot be read; ConnectionLostError.
 */
export function sendFiles(
  session: Session,
  peer: JID,
  files: Iterable<FileSource> | AsyncIterable<FileSource>,
  options: SendFilesOptions,
): AsyncIterableIterator<TransferEvent> {
  const run = new SendRun(session, peer, options);
  void run.sendAll(files);
  return run;
}

class SendRun implements AsyncIterableIterator<TransferEvent> {
  readonly #session: Session;
  readonly #peer: JID;
  readonly #options: SendFilesOptions;
  readonly #events = new EventQueue<TransferEvent>(Number.POSITIVE_INFINITY);
  readonly #stop = new AbortController();
  readonly #shared: ReturnType<typeof shareEndpoint>;
  readonly #offers: OfferQueue;
  readonly #active = new Set<SendingOne>();
  readonly #work = new Set<Promise<void>>();
  #isOver = false;

  constructor(session: Session, peer: JID, options: SendFilesOptions) {
    this.#session = session;
    this.#peer = peer;
    this.#options = options;
    this.#shared = shareEndpoint(session);
    this.#shared.endpoint.understand(isFileInfo);
    const { transports, timeoutMs, note, sid } = options;
    const { endpoint } = this.#shared;
    const stop = this.#stop.signal;
    this.#offers = new OfferQueue({
      sid,
      active: this.#active,
      newSession: () =>
        new OutgoingSession({ session, peer, endpoint, transports, timeoutMs, stop, ...(note && { note }) }),
    });
  }

  next(): Promise<IteratorResult<TransferEvent>> {
    return this.#events.next();
  }

  async return(): Promise<IteratorResult<TransferEvent>> {
    this.#abort(new InterruptedError('sending was given up'));
    await Promise.all(this.#work);
    return { value: undefined, done: true };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async sendAll(files: Iterable<FileSource> | AsyncIterable<FileSource>): Promise<void> {
    const { signal, parallel } = this.#options;
    const onAbort = (): void => this.#abort(interruption(signal, 'sending'));
    signal?.addEventListener('abort', onAbort);
    if (signal?.aborted) onAbort();
    using lost = this.#session.on('closed', ({ error }) =>
      this.#abort(error ?? new ConnectionLostError('the stream was closed while files were being sent')),
    );
    const window = new SendWindow({ maxFiles: parallel ?? MAX_FILES, maxBytes: MAX_BYTES });
    let failure: unknown;
    try {
      for await (const source of this.#untilStopped(files)) {
        const place = await window.enter(source.facts.sizeBytes);
        const one = this.#prepare(source);
        await one.preload();
        const work = this.#send(one).finally(() => {
          place[Symbol.dispose]();
          this.#work.delete(work);
        });
        this.#work.add(work);
      }
    } catch (error) {
      if (!this.#stop.signal.aborted) failure = error;
    }
    await Promise.all(this.#work);
    await this.#offers.end();
    signal?.removeEventListener('abort', onAbort);
    lost[Symbol.dispose]();
    this.#shared[Symbol.dispose]();
    this.#isOver = true;
    this.#events.end(failure);
  }

  async *#untilStopped(files: Iterable<FileSource> | AsyncIterable<FileSource>): AsyncGenerator<FileSource> {
    const iterator = Symbol.asyncIterator in files ? files[Symbol.asyncIterator]() : files[Symbol.iterator]();
    for (;;) {
      const step = await within(Promise.resolve(iterator.next()), {
        doing: 'sending',
        signal: this.#stop.signal,
      });
      if (step.done === true) return;
      yield step.value;
    }
  }

  #abort(error: Error): void {
    if (this.#isOver) return;
    this.#offers.giveUp(error);
    this.#stop.abort(error);
    for (const one of [...this.#active]) one.abort(error);
  }

  #prepare(source: FileSource): SendingOne {
    const { timeoutMs, acceptTimeoutMs } = this.#options;
    const one: SendingOne = new SendingOne(source, {
      peer: this.#peer.toString(),
      timeoutMs,
      acceptTimeoutMs,
      emit: (event) => void this.#events.push(event),
      offer: () => this.#offers.offer(one),
    });
    return one;
  }

  async #send(one: SendingOne): Promise<void> {
    this.#active.add(one);
    const error = await one.run();
    this.#active.delete(one);
    if (error instanceof CannotReceiveError || error instanceof ConnectionLostError)
      this.#offers.giveUp(error);
  }
}
