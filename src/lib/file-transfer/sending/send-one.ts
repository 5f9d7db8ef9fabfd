/**
 * One offered file, from the answer to the confirmation.
 */
import { NegativeError, RemoteError, StanzaError, TimeoutError } from '../../errors.js';
import type { HashAlgorithm } from '../../hashes/hashes.js';
import type { Connection } from '../../jingle/negotiate-transport.js';
import type { Content } from '../../jingle/stanzas.js';
import type { Bytestream } from '../../jingle/transport.js';
import { within } from '../../session/wait.js';
import type { Element } from '../../xml/element.js';
import { BrokenPathError, type OutgoingBytes } from './outgoing-bytes.js';
import { OfferAgainError, type Confirmation, type OutgoingContent } from './outgoing-content.js';
import type { OutgoingSession } from './outgoing-session.js';
import { readDescription, writeChecksum } from '../stanzas.js';
import type { FileFacts, TransferEvent, TransferResult } from '../transfer.js';
import { watchProgress } from '../watch-progress.js';

export interface SendContext {
  id: string;
  file: FileFacts;
  algorithm: HashAlgorithm;
  /** The receiver knows the hash from the offer. */
  isHashOffered: boolean;
  emit: (event: TransferEvent) => void;
  /** For each step, and for data that nobody takes. */
  timeoutMs: number;
  /** For the answer to the offer: a person may be asked. */
  acceptTimeoutMs: number;
}

/** What may be on its way when the last byte has been written: in the systems' buffers, in a proxy. */
const BYTES_UNDER_WAY = 8 << 20;
/** How long the confirmation may come after the path is closed, where the receiver could ask for another path instead. */
const CONFIRM_AFTER_CLOSE_MS = 2000;

/**
 * @throws OfferAgainError it has to be offered again
 * @throws NegativeError it was declined
 */
export async function sendOne(
  session: OutgoingSession,
  content: OutgoingContent,
  bytes: OutgoingBytes,
  context: SendContext,
): Promise<TransferResult> {
  return new Sending(session, content, bytes, context).run();
}

class Sending {
  readonly #session: OutgoingSession;
  readonly #content: OutgoingContent;
  readonly #bytes: OutgoingBytes;
  readonly #context: SendContext;
  #isHashTold: boolean;

  constructor(
    session: OutgoingSession,
    content: OutgoingContent,
    bytes: OutgoingBytes,
    context: SendContext,
  ) {
    this.#session = session;
    this.#content = content;
    this.#bytes = bytes;
    this.#context = context;
    this.#isHashTold = context.isHashOffered;
  }

  async run(): Promise<TransferResult> {
    const { isResumable, offset: first } = await this.#accepted();
    let offset = first;
    const startedMs = performance.now();
    let connection = await this.#content.negotiator.connect();
    for (;;) {
      this.#emitPath(connection);
      const { bytestream } = connection;
      const { stream } = bytestream;
      let broken: BrokenPathError;
      try {
        const confirmation = await this.#send(bytestream, offset, isResumable);
        stream.destroy();
        return this.#resultOf(bytestream, confirmation, first, startedMs);
      } catch (error) {
        stream.destroy();
        if (!(error instanceof BrokenPathError)) throw error;
        broken = error;
      }
      if (!isResumable) {
        // Some receivers close as soon as they have everything; what they say about it comes by another way.
        const late = await this.#confirmationInTime(CONFIRM_AFTER_CLOSE_MS);
        if (late) return this.#resultOf(bytestream, late, first, startedMs);
        throw new OfferAgainError(broken.message, { cause: broken });
      }
      const hasCarried = bytestream.confirmedBytes() > 0;
      const next = await Promise.race([
        this.#content.negotiator.reconnect(broken, hasCarried),
        this.#content.confirmed,
      ]);
      // The confirmation was on its way while the path was closed.
      if (typeof next === 'string') return this.#resultOf(bytestream, next, first, startedMs);
      connection = next;
      offset = this.#offsetOf(connection.description);
    }
  }

  async #confirmationInTime(timeoutMs: number): Promise<Confirmation | undefined> {
    try {
      const patienceMs = Math.min(timeoutMs, this.#context.timeoutMs);
      return await this.#bounded(this.#content.confirmed, 'waiting', patienceMs);
    } catch (error) {
      if (error instanceof TimeoutError) return undefined;
      throw error;
    }
  }

  async #accepted(): Promise<{ isResumable: boolean; offset: number }> {
    const { content, session, context } = {
      content: this.#content,
      session: this.#session,
      context: this.#context,
    };
    const peer = session.peer.toString();
    let accepted: Content;
    using _presence = this.#watchPresence();
    try {
      accepted = await this.#bounded(content.accepted, 'waiting', context.acceptTimeoutMs);
    } catch (error) {
      if (!(error instanceof TimeoutError)) throw error;
      throw new TimeoutError(`${peer} did not answer the offer within ${context.acceptTimeoutMs / 1000} s`, {
        hint: 'somebody may have to say yes there',
        details: error.details,
      });
    }
    content.negotiator.setAnswer(accepted.transport);
    const range = accepted.description && readDescription(accepted.description).range;
    const offset = range?.offset ?? 0;
    this.#checkOffset(offset);
    context.emit({ id: context.id, kind: 'accepted', peer, offsetBytes: offset });
    if (context.file.hashes.length > 0) this.#tellHash();
    return { isResumable: range !== undefined, offset };
  }

  /** A person may take minutes to answer; whoever has gone away meanwhile will not. */
  #watchPresence(): Disposable {
    const timer = setInterval(() => {
      this.#session.ping().catch((error: unknown) => {
        if (error instanceof StanzaError)
          this.#content.abort(
            new RemoteError(`${this.#session.peer.toString()} has gone away`, { cause: error }),
          );
      });
    }, this.#context.timeoutMs);
    return { [Symbol.dispose]: () => clearInterval(timer) };
  }

  /** XEP-0234 says nothing about it: our receiver writes in its answer to a transport-replace where to go on. */
  #offsetOf(description: Element | undefined): number {
    const offset = description && readDescription(description).range?.offset;
    if (offset === undefined)
      throw new OfferAgainError('the receiver does not say where to go on after the path broke');
    this.#checkOffset(offset);
    return offset;
  }

  #checkOffset(offset: number): void {
    if (!this.#bytes.canBeginAt(offset))
      throw new RemoteError(`the receiver wants the file from byte ${offset} on, which cannot be sent`);
  }

  /** @throws BrokenPathError */
  async #send(
    bytestream: Bytestream,
    offset: number,
    isResumable: boolean,
  ): Promise<Confirmation | undefined> {
    const { stream } = bytestream;
    const { id, emit, timeoutMs, file } = this.#context;
    const report = (sentBytes: number): void =>
      emit({ id, kind: 'progress', confirmedBytes: offset + sentBytes, totalBytes: this.#bytes.sizeBytes });
    const startedMs = performance.now();
    const ofFile = (): number => bytestream.confirmedBytes();
    const onAbort = (): void => void stream.destroy();
    this.#content.signal.addEventListener('abort', onAbort);
    try {
      using watch = watchProgress({
        read: ofFile,
        report,
        stallMs: timeoutMs,
        onStall: () => {
          // A pipe may well be silent; it is the other side that must take what was written.
          if (stream.writableLength > 0)
            stream.destroy(new BrokenPathError(`nothing was taken for ${timeoutMs / 1000} s`));
        },
      });
      await this.#bytes.send(stream, offset);
      watch[Symbol.dispose]();
      report(ofFile());
      if (file.hashes.length === 0) this.#tellHash();
      const allowance = (BYTES_UNDER_WAY / Math.max(ofFile(), 1)) * (performance.now() - startedMs);
      const patienceMs = timeoutMs + Math.min(allowance, timeoutMs * 10);
      return await this.#confirmation(bytestream, patienceMs, isResumable);
    } catch (error) {
      if (this.#content.signal.aborted) throw this.#content.signal.reason;
      throw error;
    } finally {
      this.#content.signal.removeEventListener('abort', onAbort);
    }
  }

  /** @returns undefined when nothing came in time */
  async #confirmation(
    { stream }: Bytestream,
    patienceMs: number,
    isResumable: boolean,
  ): Promise<Confirmation | undefined> {
    const { confirmed } = this.#content;
    let timer: NodeJS.Timeout | undefined;
    const closed = new Promise<never>((_resolve, reject) => {
      if (!isResumable) return;
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
      return await this.#bounded(Promise.race([confirmed, closed]), 'waiting', patienceMs);
    } catch (error) {
      if (error instanceof TimeoutError) return undefined;
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  #tellHash(): void {
    if (this.#isHashTold) return;
    const { file, algorithm } = this.#context;
    const { digest, sizeBytes } = this.#bytes;
    const hashes = digest ? [{ algorithm, value: digest }] : file.hashes;
    if (hashes.length === 0) return;
    this.#isHashTold = true;
    const payload = [writeChecksum(this.#content.key, { hashes, sizeBytes })];
    const { timeoutMs } = this.#context;
    // A receiver that does not know this says so; nothing depends on it.
    this.#session
      .request({ action: 'session-info', contents: [], payload }, { timeoutMs })
      .catch((error: unknown) => {
        if (!(error instanceof StanzaError)) this.#isHashTold = false;
      });
  }

  #resultOf(
    bytestream: Bytestream,
    confirmation: Confirmation | undefined,
    resumedFromBytes: number,
    startedMs: number,
  ): TransferResult {
    const { file, algorithm } = this.#context;
    const { digest, sizeBytes } = this.#bytes;
    if (sizeBytes === undefined || this.#bytes.isIncomplete)
      throw new NegativeError(
        `${this.#session.peer.toString()} ended the transfer before everything was sent`,
      );
    const certainty = { received: 'verified', done: 'unverified', none: 'unconfirmed' } as const;
    return {
      name: file.name,
      sizeBytes,
      method: bytestream.method,
      path: bytestream.path,
      // A success alone proves nothing: COMPAT(Libervia 0.9) it is sent for a wrong hash too.
      certainty: certainty[confirmation ?? 'none'],
      hashes: digest ? [{ algorithm, value: digest }] : file.hashes,
      resumedFromBytes,
      elapsedMs: performance.now() - startedMs,
    };
  }

  #emitPath({ bytestream: { method, path }, reason }: Connection): void {
    const { id, emit } = this.#context;
    emit({ id, kind: 'transport', method, path, ...(reason !== undefined && { reason }) });
  }

  #bounded<T>(work: Promise<T>, doing: string, timeoutMs: number): Promise<T> {
    return within(work, { doing, timeoutMs, signal: this.#content.signal });
  }
}
