/**
 * An open in-band bytestream as a duplex stream of bytes.
 *
 * `end()` closes it once everything has been acknowledged (XEP-0047 §2.3); the other party's `<close/>` is the end of
 * what can be read. Closing is for both directions, but the answer to it may wait until what is left to send has been
 * sent: so a stream that has been read to its end ends its writing half by itself, and then the close is answered.
 */
import { setMaxListeners } from 'node:events';
import { Duplex } from 'node:stream';
import { ConnectionLostError, ProtocolError, RemoteError, StanzaError } from '../../errors.js';
import type { JID } from '../../jid/jid.js';
import type { Session, WaitOptions } from '../../session/session.js';
import { StanzaReply } from '../../session/stanza-reply.js';
import { Deferred } from '../../session/wait.js';
import type { StanzaErrorFacts } from '../../xml/stanza-error.js';
import { BlockPace } from './block-pace.js';
import { UNLIMITED_MS, carrierFor, type BlockCarrier } from './block-carrier.js';
import { IncomingBlocks } from './incoming-blocks.js';
import { OutgoingBlocks } from './outgoing-blocks.js';
import { PeerWatch } from './peer-watch.js';
import { Close, NS_IN_BAND, type Data, type StanzaKind } from './stanzas.js';

/** What in-band bytestreams need of a connection. */
export type InBandSession = Pick<
  Session,
  'jid' | 'request' | 'send' | 'respond' | 'handle' | 'stanzas' | 'on' | 'timeoutMs'
>;

export interface InBandStreamOptions {
  session: InBandSession;
  peer: JID;
  sid: string;
  /** The most bytes of a block, in both directions. */
  blockSize: number;
  stanza: StanzaKind;
  /** After so long without a sign of life the other party is asked for one. */
  timeoutMs: number;
  /** Found out on the way when left out. */
  pace?: BlockPace;
  /** Nothing that arrives is for this stream any more. */
  onClosed: () => void;
}

const BUFFER_BYTES = 256 * 1024;
/** Unread bytes above which the whole connection stops reading: only blocks that nobody acknowledges get there. */
const BRAKE_BYTES = 1024 * 1024;

export class InBandStream extends Duplex {
  readonly #options: InBandStreamOptions;
  readonly #abort = new AbortController();
  readonly #carrier: BlockCarrier;
  readonly #outgoing: OutgoingBlocks;
  readonly #incoming: IncomingBlocks;
  readonly #watch: PeerWatch;
  readonly #listeners: Disposable[];
  /** Their close, which is answered when everything of ours has been sent. */
  #theirClose: Deferred<undefined> | undefined;
  readonly #untaken = new Set<Deferred<undefined>>();
  #isClosed = false;
  /** Our close has not been answered: the other party may have something left to send, or to read. */
  #isClosing = false;

  constructor(options: InBandStreamOptions) {
    super({
      allowHalfOpen: false,
      readableHighWaterMark: BUFFER_BYTES,
      writableHighWaterMark: BUFFER_BYTES,
    });
    const { session, peer, sid, blockSize, stanza, timeoutMs, pace } = options;
    this.#options = options;
    const { signal } = this.#abort;
    // Each block under way listens.
    setMaxListeners(0, signal);
    this.#carrier = carrierFor(stanza, { session, peer, signal });
    this.#outgoing = new OutgoingBlocks({
      sid,
      carrier: this.#carrier,
      pace: pace ?? BlockPace.upTo(blockSize),
      onProgress: () => this.#watch.hear(),
      onFailure: (error) => this.#fail(this.#explain(error)),
    });
    this.#incoming = new IncomingBlocks({ blockSize, push: (bytes) => this.push(bytes ?? null) });
    this.#watch = new PeerWatch({
      session,
      peer,
      timeoutMs,
      signal,
      awaited: () => {
        if (this.#outgoing.hasUnderWay || this.#isClosing) return 'acknowledgements';
        return this.#incoming.isIdle ? 'data' : undefined;
      },
      onGone: (error) => this.#fail(error),
    });
    this.#listeners = [
      session.on('closed', ({ error }) =>
        this.#fail(error ?? new ConnectionLostError('the session was closed during an in-band transfer')),
      ),
      session.on('reconnected', () =>
        this.#fail(new ConnectionLostError('the connection was lost during an in-band transfer')),
      ),
    ];
    // It may break before anybody uses it; whoever does then is told.
    this.on('error', () => undefined);
    void this.#brake();
  }

  /** The other party did not want it: there is nothing to close. */
  abandon(): void {
    this.#isClosed = true;
    this.destroy();
  }

  /** Bytes that the other party has taken. */
  confirmedBytes(): number {
    return this.#outgoing.confirmedBytes;
  }

  /** A block has come. Resolves when the reader has it. @throws StanzaReply it is refused, and the stream closed */
  receive(data: Data): Promise<undefined> {
    this.#watch.hear();
    const taken = new Deferred<undefined>();
    this.#untaken.add(taken);
    const refusal = this.#incoming.receive(data.seq, data.bytes, () => {
      this.#untaken.delete(taken);
      taken.resolve(undefined);
    });
    if (refusal) throw this.refuse(refusal);
    return taken.promise;
  }

  /** What cannot be taken ends the stream: something is missing from then on. @returns the answer */
  refuse(facts: StanzaErrorFacts): StanzaReply {
    const reason = facts.text ?? facts.condition;
    this.#fail(new ProtocolError(`${this.#options.peer.toString()} broke the in-band bytestream: ${reason}`));
    return new StanzaReply(facts);
  }

  /** The other party closes. Resolves when it may be told that the stream is closed. */
  receiveClose(): Promise<undefined> {
    this.#watch.hear();
    this.#theirClose ??= new Deferred<undefined>();
    this.#incoming.end();
    // Ours has crossed theirs: neither waits for the other.
    if (this.#isClosed || this.writableFinished) this.#theirClose.resolve(undefined);
    return this.#theirClose.promise;
  }

  override _read(): void {
    this.#incoming.read();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#outgoing.write(chunk, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#outgoing.finish(() => {
      if (this.#theirClose) {
        this.#isClosed = true;
        this.#theirClose.resolve(undefined);
        this.#release();
        done();
        return;
      }
      this.#isClosing = true;
      this.#close({ signal: this.#abort.signal, timeoutMs: UNLIMITED_MS }).then(
        () => {
          this.#incoming.end();
          this.#release();
          done();
        },
        (error: unknown) => done(error as Error),
      );
    });
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#outgoing.stop();
    this.#incoming.clear();
    // Whoever waits for a block to be taken learns that it was not.
    for (const taken of this.#untaken) taken.reject(new StanzaReply({ condition: 'item-not-found' }));
    this.#untaken.clear();
    if (this.#theirClose && this.#outgoing.isEmpty) this.#theirClose.resolve(undefined);
    else if (this.#theirClose) {
      const text = 'not everything was sent';
      this.#theirClose.reject(new StanzaReply({ condition: 'undefined-condition', text }));
    } else if (!this.#isClosed) this.#close({ timeoutMs: this.#options.timeoutMs }).catch(() => undefined);
    this.#release();
    done(error);
  }

  /** Closed in both directions. What has arrived can still be read. */
  #release(): void {
    this.#isClosing = false;
    this.#watch.stop();
    for (const listener of this.#listeners) listener[Symbol.dispose]();
    this.#carrier[Symbol.dispose]();
    this.#options.onClosed();
    this.#abort.abort(new ConnectionLostError('the in-band bytestream was closed'));
  }

  async #close(wait: WaitOptions): Promise<void> {
    this.#isClosed = true;
    const { session, peer, sid } = this.#options;
    try {
      await session.request({ type: 'set', to: peer, payload: Close.encode({ sid }) }, wait);
    } catch (error) {
      // It has closed before us; every block was acknowledged.
      if (!(error instanceof StanzaError && error.condition === 'item-not-found')) throw error;
    }
  }

  #fail(error: Error): void {
    if (!this.destroyed) this.destroy(error);
  }

  #explain(error: Error): Error {
    if (!(error instanceof StanzaError)) return error;
    const peer = this.#options.peer.toString();
    const what =
      error.condition === 'item-not-found'
        ? `${peer} has closed the in-band bytestream`
        : `${peer} did not take what was sent in-band`;
    const why = [error.condition, error.text].filter((part) => part !== undefined).join(': ');
    return new RemoteError(`${what} (${why})`, { cause: error });
  }

  /**
   * Blocks in messages, and requests of a sender that does not wait for answers, cannot be held back one by one. A
   * second reader of the same stanzas, as slow as ours, makes the session stop reading from the socket.
   */
  async #brake(): Promise<void> {
    const { session, peer } = this.#options;
    const child = { name: 'data', namespace: NS_IN_BAND };
    const stanzas = session.stanzas({ from: peer, child }, { signal: this.#abort.signal });
    try {
      for await (const _ of stanzas) await this.#incoming.room(BRAKE_BYTES);
    } catch {
      // The session's end is told by its own event.
    }
  }
}
