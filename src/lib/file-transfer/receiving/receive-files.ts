/**
 * Receives files: takes offers, asks whether each is wanted, and stores what is.
 */
import { setImmediate as laterTurn } from 'node:timers/promises';
import { RemoteError } from '../../errors.js';
import type { JID } from '../../jid/jid.js';
import { EventQueue } from '../../event-queue.js';
import type { JingleTransport } from '../../jingle/transport.js';
import type { Session } from '../../session/session.js';
import { interruption, within } from '../../session/wait.js';
import { Refusal, type DecideOffer, type IncomingFile, type OfferSource } from './incoming-file.js';
import { jingleOffers } from './jingle-offers.js';
import { receiveOne } from './receive-one.js';
import type { FileFacts, TransferEvent } from '../transfer.js';

export interface ReceiveFilesOptions {
  /** In the order in which we would use them. */
  transports: readonly JingleTransport[];
  /** Says where an offered file goes, or why not. May ask a person; called for several offers at once. */
  accept: DecideOffer;
  /** Whom offers are taken from at all: others are answered as if nothing were here. Everybody, when left out. */
  admits?: (peer: JID) => boolean;
  /** Messages full of offers that are worked on at a time; more wait for their answer. */
  maxConcurrent?: number;
  /** For each step of a negotiation, and for each sign of life. */
  timeoutMs: number;
  /** Ends everything: what is under way is kept for the next run. */
  signal?: AbortSignal;
  /** Other protocols by which files are offered. */
  sources?: readonly OfferSource[];
  /** Told one line for each path that was tried and what became of it. */
  note?: (fact: string) => void;
}

/** Offers that wait for a place; more are refused as busy. */
const MAX_WAITING = 100;
/** How long a sender that seems to have come back under another address may take to show that it is still at the old one. */
const SIGN_OF_LIFE_MS = 3000;

/**
 * Listens from the moment of the call. Ends when the iteration is left or the signal is aborted (without an error);
 * throws when the stream is lost.
 */
export function receiveFiles(
  session: Session,
  options: ReceiveFilesOptions,
): AsyncIterableIterator<TransferEvent> {
  const { transports, timeoutMs, admits, note } = options;
  const jingle = jingleOffers(session, {
    transports,
    timeoutMs,
    ...(admits && { admits }),
    ...(note && { note }),
  });
  return new Receiver([jingle, ...(options.sources ?? [])], options);
}

class Receiver implements AsyncIterableIterator<TransferEvent> {
  readonly #events = new EventQueue<TransferEvent>(Number.POSITIVE_INFINITY);
  readonly #sources: readonly OfferSource[];
  readonly #options: ReceiveFilesOptions;
  /** With the promise of its end. */
  readonly #active = new Map<IncomingFile, Promise<void>>();
  readonly #work = new Set<Promise<void>>();
  readonly #waiting: (readonly IncomingFile[])[] = [];
  #busyCount = 0;
  #stopping: Promise<void> | undefined;
  readonly #onAbort = (): void => void this.#stop(undefined);

  constructor(sources: readonly OfferSource[], options: ReceiveFilesOptions) {
    this.#sources = sources;
    this.#options = options;
    for (const source of sources) void this.#read(source);
    options.signal?.addEventListener('abort', this.#onAbort);
    if (options.signal?.aborted) this.#onAbort();
  }

  next(): Promise<IteratorResult<TransferEvent>> {
    return this.#events.next();
  }

  async return(): Promise<IteratorResult<TransferEvent>> {
    await this.#stop(undefined);
    return { value: undefined, done: true };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async #read(source: OfferSource): Promise<void> {
    try {
      for await (const together of source.offers) {
        if (this.#waiting.length >= MAX_WAITING) {
          await Promise.all(together.map((file) => file.refuse(new Refusal('busy'))));
          continue;
        }
        this.#waiting.push(together);
        this.#startWaiting();
      }
    } catch (error) {
      await this.#stop(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #startWaiting(): void {
    const limit = this.#options.maxConcurrent ?? 32;
    while (this.#busyCount < limit) {
      const together = this.#waiting.shift();
      if (!together) return;
      const work = this.#receive(together);
      this.#work.add(work);
      void work.finally(() => this.#work.delete(work));
    }
  }

  async #receive(together: readonly IncomingFile[]): Promise<void> {
    this.#busyCount += 1;
    const { accept: decide, timeoutMs } = this.#options;
    await Promise.all(
      together.map(async (file) => {
        await this.#endEarlierOf(file);
        const ended = receiveOne(file, { decide, timeoutMs, emit: (event) => void this.#events.push(event) });
        this.#active.set(file, ended);
        await ended;
        this.#active.delete(file);
      }),
    );
    this.#busyCount -= 1;
    this.#startWaiting();
  }

  /**
   * A sender whose connection broke comes back under another address with the same file, long before the server says
   * that the old one is gone: what it was sending under that is ended, so that it can go on from there.
   */
  async #endEarlierOf(file: IncomingFile): Promise<void> {
    for (const [earlier, ended] of this.#active) {
      const isOfSameSender = earlier.peer.bare.equals(file.peer.bare) && !earlier.peer.equals(file.peer);
      if (!isOfSameSender || !isSameContent(earlier.file, file.file)) continue;
      try {
        await within(earlier.ping(), { doing: '', timeoutMs: SIGN_OF_LIFE_MS, signal: file.signal });
      } catch (cause) {
        earlier.abort(new RemoteError('the sender has come back under another address', { cause }));
        await ended;
        // Whoever counts the files hears of it first.
        await laterTurn();
      }
    }
  }

  #stop(error: Error | undefined): Promise<void> {
    return (this.#stopping ??= this.#finish(error));
  }

  async #finish(error: Error | undefined): Promise<void> {
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
    const reason = error ?? interruption(this.#options.signal, 'receiving');
    for (const file of [...this.#active.keys(), ...this.#waiting.flat()]) file.abort(reason);
    for (const together of this.#waiting.splice(0)) this.#work.add(this.#receive(together));
    await Promise.all(this.#work);
    for (const source of this.#sources) source[Symbol.dispose]();
    this.#events.end(error);
  }
}

function isSameContent(some: FileFacts, other: FileFacts): boolean {
  return some.name === other.name && some.sizeBytes === other.sizeBytes;
}
