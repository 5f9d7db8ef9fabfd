/**
 * A bounded queue of stanzas behind `Session.stanzas()`. While it is full, the session stops reading from the socket.
 */
import type { Element } from '../xml/element.js';

/** A reader with more unread stanzas than this wants the socket to pause … */
const HIGH_STANZAS = 256;
/** … and with fewer than this, to go on. */
const LOW_STANZAS = 64;

export interface ReaderListener {
  /** `isCrowded` has changed. */
  onCrowdChange(): void;
  onReturn(): void;
}

export class StanzaReader implements AsyncIterableIterator<Element> {
  readonly #listener: ReaderListener;
  #queue: Element[] = [];
  /** Index of the first unread stanza: taking from the front of an array is slow. */
  #head = 0;
  #waiting: { resolve: (result: IteratorResult<Element>) => void; reject: (error: Error) => void }[] = [];
  #end: { error: Error | undefined } | undefined;
  isCrowded = false;

  constructor(listener: ReaderListener) {
    this.#listener = listener;
  }

  push(stanza: Element): void {
    if (this.#end) return;
    const waiting = this.#waiting.shift();
    if (waiting) {
      waiting.resolve({ done: false, value: stanza });
      return;
    }
    this.#queue.push(stanza);
    if (!this.isCrowded && this.#queue.length - this.#head > HIGH_STANZAS) this.#setCrowded(true);
  }

  /** No more will come. What is unread can still be read; then the iteration ends, or throws the error. */
  end(error: Error | undefined): void {
    if (this.#end) return;
    this.#end = { error };
    for (const { resolve, reject } of this.#waiting) {
      if (error) reject(error);
      else resolve({ done: true, value: undefined });
    }
    this.#waiting = [];
  }

  next(): Promise<IteratorResult<Element>> {
    const value = this.#queue[this.#head];
    if (value !== undefined) {
      this.#head += 1;
      if (this.#head === this.#queue.length || this.#head >= HIGH_STANZAS) this.#compact();
      if (this.isCrowded && this.#queue.length - this.#head < LOW_STANZAS) this.#setCrowded(false);
      return Promise.resolve({ done: false, value });
    }
    if (this.#end) {
      const { error } = this.#end;
      this.#end = { error: undefined };
      return error ? Promise.reject(error) : Promise.resolve({ done: true, value: undefined });
    }
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  /** Drops what is unread. */
  return(): Promise<IteratorResult<Element>> {
    this.#queue = [];
    this.#head = 0;
    this.end(undefined);
    if (this.isCrowded) this.#setCrowded(false);
    this.#listener.onReturn();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #compact(): void {
    this.#queue = this.#queue.slice(this.#head);
    this.#head = 0;
  }

  #setCrowded(isCrowded: boolean): void {
    this.isCrowded = isCrowded;
    this.#listener.onCrowdChange();
  }
}
