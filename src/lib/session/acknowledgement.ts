/**
 * What was sent and is not yet acknowledged, and when to ask for acknowledgement. How the server is asked (XEP-0198
 * `<r/>`, or a ping where it is missing) is the caller's business.
 */
import { ProtocolError } from '../errors.js';
import type { Element } from '../xml/element.js';
import { Deferred } from './wait.js';

/** Stanzas that may be unacknowledged before `send` waits. */
export const WINDOW_STANZAS = 512;
/** An acknowledgement is asked for after this many, so that the window never runs dry on a fast link. */
const ASK_EVERY_STANZAS = 128;
/** … or when the sender has been quiet for so long. */
const ASK_AFTER_MS = 1000;

export interface SentStanza {
  stanza: Element;
  /** Milliseconds since the epoch. */
  sentAt: number;
}

interface FlushWait {
  /** Everything before this number has to be acknowledged. */
  through: number;
  deferred: Deferred<void>;
}

export class Acknowledgement {
  #sent: SentStanza[] = [];
  /** The running number of `#sent[0]`. */
  #first = 0;
  /** Everything before this number has been asked for. */
  #askedThrough = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #flushes: FlushWait[] = [];
  readonly #ask: () => void;
  readonly #now: () => number;

  /** @param ask sends the server the question; answered by `acknowledge` */
  constructor(ask: () => void, now: () => number) {
    this.#ask = ask;
    this.#now = now;
  }

  /** The number that the next stanza gets. */
  get next(): number {
    return this.#first + this.#sent.length;
  }

  /** Everything before this number is acknowledged. */
  get acknowledgedThrough(): number {
    return this.#first;
  }

  get hasRoom(): boolean {
    return this.#sent.length < WINDOW_STANZAS;
  }

  get isEmpty(): boolean {
    return this.#sent.length === 0;
  }

  get isFlushing(): boolean {
    return this.#flushes.length > 0;
  }

  /** Oldest first. */
  stanzas(): Element[] {
    return this.#sent.map(({ stanza }) => stanza);
  }

  /** Call right after the stanza was written. */
  record(stanza: Element, sentAt = this.#now()): void {
    this.#sent.push({ stanza, sentAt });
    if (this.next - Math.max(this.#askedThrough, this.#first) >= ASK_EVERY_STANZAS) this.ask();
    else this.#timer ??= setTimeout(() => this.#onTimer(), ASK_AFTER_MS);
  }

  /** Asks now, unless everything has been asked for. */
  ask(): void {
    this.#stopTimer();
    if (this.#askedThrough >= this.next) return;
    this.#askedThrough = this.next;
    this.#ask();
  }

  #onTimer(): void {
    this.#timer = undefined;
    this.ask();
  }

  /**
   * The server has handled this many more stanzas, the oldest first.
   *
   * @throws ProtocolError more than were sent (XEP-0198 §4)
   */
  acknowledge(count: number): void {
    if (count > this.#sent.length) {
      throw new ProtocolError(
        `the server acknowledged ${count} stanzas where ${this.#sent.length} were unacknowledged`,
      );
    }
    this.#sent.splice(0, count);
    this.#first += count;
    if (this.#sent.length === 0) this.#stopTimer();
    this.#settleFlushes();
  }

  /** Everything before this number has been handled. */
  acknowledgeThrough(number: number): void {
    this.acknowledge(Math.max(0, number - this.#first));
  }

  /** Resolves when everything recorded so far is acknowledged; asks for it at once. */
  flush(): Promise<void> {
    if (this.isEmpty) return Promise.resolve();
    const deferred = new Deferred<void>();
    this.#flushes.push({ through: this.next, deferred });
    this.ask();
    return deferred.promise;
  }

  #settleFlushes(): void {
    const isDone = ({ through }: FlushWait): boolean => through <= this.#first;
    for (const wait of this.#flushes.filter(isDone)) wait.deferred.resolve();
    this.#flushes = this.#flushes.filter((wait) => !isDone(wait));
  }

  /** The stream was lost: nothing that was asked will be answered. */
  suspend(): void {
    this.#stopTimer();
    this.#askedThrough = this.#first;
  }

  /** Takes out everything that is unacknowledged, to be sent anew on another stream. */
  takeAll(): SentStanza[] {
    const all = this.#sent;
    this.#sent = [];
    this.#first += all.length;
    this.#askedThrough = this.#first;
    return all;
  }

  /** After `takeAll` and sending anew: what was waited for is now everything up to here. */
  moveFlushes(): void {
    for (const wait of this.#flushes) wait.through = this.next;
    this.#settleFlushes();
    if (this.#flushes.length > 0) this.ask();
  }

  /** The end: what is still waited for fails. */
  fail(error: Error): void {
    this.#stopTimer();
    for (const { deferred } of this.#flushes) deferred.reject(error);
    this.#flushes = [];
  }

  #stopTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
