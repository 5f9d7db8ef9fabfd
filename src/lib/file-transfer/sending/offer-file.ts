/**
 * One file to be sent: offered, and offered again where a receiver cannot go on in the same session.
 */
import { randomUUID } from 'node:crypto';
import { TimeoutError } from '../../errors.js';
import { createHasher } from '../../hashes/hasher.js';
import { chooseAlgorithm, type HashAlgorithm } from '../../hashes/hashes.js';
import type { Element } from '../../xml/element.js';
import { Deferred } from '../../session/wait.js';
import { OutgoingBytes } from './outgoing-bytes.js';
import { OfferAgainError, type OutgoingContent } from './outgoing-content.js';
import type { OutgoingSession } from './outgoing-session.js';
import { errorOfRefusal, reasonOfError } from '../reasons.js';
import { preloadSmall } from './preload-small.js';
import { sendOne } from './send-one.js';
import { writeDescription } from '../stanzas.js';
import type { FileFacts, FileSource, TransferEvent, TransferResult } from '../transfer.js';

export interface PreparedOffer {
  content: OutgoingContent;
  description: Element;
}

export interface SendingOneOptions {
  peer: string;
  timeoutMs: number;
  acceptTimeoutMs: number;
  emit: (event: TransferEvent) => void;
  /** Makes `prepareIn` be called when it is this file's turn, and sends what it gives. */
  offer: () => Promise<void>;
}

const ALGORITHM: HashAlgorithm = chooseAlgorithm();
/** Whoever has fallen silent is told that it is over, and not waited for once more. */
const FAREWELL_MS = 1000;
/** How often a file is offered again. */
const MAX_OFFERS = 4;

export class SendingOne {
  readonly #id = randomUUID();
  readonly #options: SendingOneOptions;
  #source: FileSource;
  #bytes: OutgoingBytes;
  /** One offer and what comes of it. */
  #attempt: Deferred<undefined> | undefined;
  #session: OutgoingSession | undefined;
  #content: OutgoingContent | undefined;
  #isHashOffered = false;
  #aborted: Error | undefined;

  constructor(source: FileSource, options: SendingOneOptions) {
    this.#options = options;
    this.#source = source;
    this.#bytes = new OutgoingBytes(source, undefined);
  }

  get #file(): FileFacts {
    return this.#source.facts;
  }

  /** Before anything else, for each file in turn, so that they are offered in order. What goes wrong is told by `run`. */
  async preload(): Promise<void> {
    try {
      this.#source = await preloadSmall(this.#source, ALGORITHM);
      const isHashKnown = this.#file.hashes.length > 0;
      this.#bytes = new OutgoingBytes(this.#source, isHashKnown ? undefined : await createHasher(ALGORITHM));
    } catch (error) {
      this.#aborted ??= error instanceof Error ? error : new Error(String(error));
    }
  }

  /** Resolves when the offer that is under way, if there is one, has come to an end. */
  get attempt(): Promise<unknown> | undefined {
    return this.#attempt?.promise;
  }

  abort(error: Error): void {
    this.#aborted = error;
    this.#content?.abort(error);
  }

  /** Whether the receiver took the offer; the error when it did not. */
  async answered(): Promise<unknown> {
    const content = this.#content;
    if (!content) return undefined;
    return Promise.race([
      content.accepted.then(
        () => 'accepted',
        (error: unknown) => error,
      ),
      this.#attempt?.promise,
    ]);
  }

  /** @throws the error that ended it while it waited for its turn */
  prepareIn(session: OutgoingSession, how: 'session-initiate' | 'content-add'): PreparedOffer {
    if (this.#aborted) throw this.#aborted;
    const content = session.prepare(this.#file.sizeBytes);
    this.#content = content;
    this.#session = session;
    this.#attempt ??= new Deferred();
    this.#isHashOffered = how === 'content-add' && this.#file.hashes.length > 0;
    const { peer, emit } = this.#options;
    emit({ id: this.#id, kind: 'offered', file: this.#file, peer });
    return { content, description: this.#description() };
  }

  /** What was prepared was not taken, and will be prepared again. */
  withdraw(): void {
    this.#endAttempt();
  }

  /** @returns the error that the file failed with, which has been told already */
  async run(): Promise<unknown> {
    const { emit } = this.#options;
    try {
      if (this.#aborted) throw this.#aborted;
      for (let count = 1; ; count += 1) {
        const result = await this.#tryOnce(count < MAX_OFFERS);
        if (!result) continue;
        emit({ id: this.#id, kind: 'done', result });
        return undefined;
      }
    } catch (caught) {
      const error = caught instanceof Error ? caught : new Error(String(caught));
      emit({ id: this.#id, kind: 'failed', file: this.#file, error });
      return error;
    } finally {
      this.#bytes.close();
    }
  }

  /** @returns undefined when it has to be offered again */
  async #tryOnce(mayTryAgain: boolean): Promise<TransferResult | undefined> {
    try {
      await this.#options.offer();
    } catch (error) {
      await this.#leave(error);
      this.#endAttempt();
      throw errorOfRefusal(this.#options.peer, error);
    }
    const content = this.#content;
    const session = this.#session;
    if (!content || !session) throw new TypeError('the file was not offered');
    try {
      const { timeoutMs, acceptTimeoutMs, emit } = this.#options;
      const result = await sendOne(session, content, this.#bytes, {
        id: this.#id,
        file: this.#file,
        algorithm: ALGORITHM,
        isHashOffered: this.#isHashOffered,
        emit,
        timeoutMs,
        acceptTimeoutMs,
      });
      await session.leave(content, undefined);
      return result;
    } catch (error) {
      await this.#leave(error);
      if (error instanceof OfferAgainError && mayTryAgain && !this.#aborted) return undefined;
      throw error;
    } finally {
      this.#endAttempt();
    }
  }

  #endAttempt(): void {
    this.#attempt?.resolve(undefined);
    this.#attempt = undefined;
  }

  async #leave(error: unknown): Promise<void> {
    if (!this.#content) return;
    const { timeoutMs } = this.#options;
    const patienceMs = error instanceof TimeoutError ? Math.min(FAREWELL_MS, timeoutMs) : timeoutMs;
    await this.#session?.leave(this.#content, reasonOfError(error), patienceMs);
  }

  /**
   * COMPAT(Libervia 0.9): a first offer without `<desc/>`, or with the value of a hash, is refused; hence an empty one,
   * and the hash by itself later, even where it is known.
   */
  #description(): Element {
    const { hashes } = this.#file;
    const file = this.#isHashOffered
      ? this.#file
      : { ...this.#file, hashes: [], promisedHashes: [hashes[0]?.algorithm ?? ALGORITHM] };
    return writeDescription({
      file: { ...file, description: file.description ?? '' },
      range: {},
    });
  }
}
