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
import { awaitConfirmation, CONFIRM_AFTER_CLOSE_MS } from './await-confirmation.js';
import { BrokenPathError, type OutgoingBytes } from './outgoing-bytes.js';
import { OfferAgainError, type Confirmation, type OutgoingContent } from './outgoing-content.js';
import type { OutgoingSession } from './outgoing-session.js';
import { comesFromLostConnection } from '../reasons.js';
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

/**
 * A receiver that takes nothing for so long is asked whether it is there.
 * COMPAT(ejabberd 23.01): what reaches a client while its stream is being closed is lost, and never answered.
 */
const ASK_AFTER_MS = 5000;
/** What may be on its way when the last byte has been written: in the systems' buffers, in a proxy. */
const BYTES_UNDER_WAY = 8 << 20;

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
  /** Nothing comes through the path, although it is open. */
  #isStalled = false;
  /** By what the receiver says, nothing came through the last path, whatever the system has taken. */
  #wasUseless = false;

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
      let isAllSent = false;
      this.#isStalled = false;
      try {
        const confirmation = await this.#send(bytestream, offset, isResumable);
        stream.destroy();
        // A proxy may have taken everything, and passed on nothing.
        if (confirmation !== undefined || !isResumable || bytestream.isAcknowledged)
          return this.#resultOf(bytestream, confirmation, first, startedMs);
        isAllSent = this.#isStalled = true;
        broken = new BrokenPathError('the receiver did not confirm what was sent');
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
      let next: Connection | Confirmation;
      try {
        await this.#checkPresence(broken);
        next = await Promise.race([
          this.#content.negotiator.reconnect(broken, this.#hasCarried(bytestream)),
          this.#content.confirmed,
        ]);
      } catch (error) {
        // Whether it has arrived is not known, and nobody who could say so is there.
        if (!isAllSent || this.#content.signal.aborted) throw error;
        return this.#resultOf(bytestream, undefined, first, startedMs);
      }
      // The confirmation was on its way while the path was closed.
      if (typeof next === 'string') return this.#resultOf(bytestream, next, first, startedMs);
      connection = next;
      const before = offset;
      offset = this.#offsetOf(connection.description);
      this.#wasUseless = offset <= before;
    }
  }

  #hasCarried(bytestream: Bytestream): boolean {
    return bytestream.confirmedBytes() > 0 && !this.#isStalled && !this.#wasUseless;
  }

  /** Another path is for somebody who is there, or has said everything. @throws CannotReceiveError @throws TimeoutError */
  async #checkPresence(broken: BrokenPathError): Promise<void> {
    const { signal, confirmed } = this.#content;
    signal.throwIfAborted();
    try {
      const answer = Promise.race([confirmed, this.#session.ping()]);
      await this.#bounded(answer, 'waiting', this.#context.timeoutMs);
    } catch (error) {
      // They have lost their stream as we have ours, and come back under another address.
      if (comesFromLostConnection(broken)) throw broken;
      if (error instanceof StanzaError) this.#session.giveUp(error);
      signal.throwIfAborted();
      throw error;
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
        if (error instanceof StanzaError) this.#session.giveUp(error);
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
        // A pipe may well be silent; it is the other side that must take what was written.
        isIdle: () => stream.writableLength === 0,
        stallMs: Math.min(ASK_AFTER_MS, timeoutMs / 2),
        onStall: (stillMs) => {
          this.#isStalled = stillMs >= timeoutMs;
          if (this.#isStalled)
            stream.destroy(new BrokenPathError(`nothing was taken for ${timeoutMs / 1000} s`));
          else void this.#askWhetherThere(ofFile);
        },
      });
      await this.#bytes.send(stream, offset);
      watch[Symbol.dispose]();
      report(ofFile());
      if (file.hashes.length === 0) this.#tellHash();
      const allowance = (BYTES_UNDER_WAY / Math.max(ofFile(), 1)) * (performance.now() - startedMs);
      const patienceMs = timeoutMs + Math.min(allowance, timeoutMs * 10);
      return await awaitConfirmation(bytestream, this.#content, { patienceMs, isResumable });
    } catch (error) {
      if (this.#content.signal.aborted) throw this.#content.signal.reason;
      throw error;
    } finally {
      this.#content.signal.removeEventListener('abort', onAbort);
    }
  }

  /** Nothing moves: whoever does not answer either is not offered another path, which it would have to answer as well. */
  async #askWhetherThere(sentBytes: () => number): Promise<void> {
    const before = sentBytes();
    try {
      await this.#session.ping();
    } catch (error) {
      if (error instanceof StanzaError) this.#session.giveUp(error);
      else if (error instanceof TimeoutError && sentBytes() === before) this.#content.abort(error);
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
