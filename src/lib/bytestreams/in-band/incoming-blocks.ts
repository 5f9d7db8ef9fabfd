/**
 * The reading half of an in-band bytestream: blocks are taken in order, and acknowledged when the reader has room, so
 * that the sender's window is the most that is ever kept.
 */
import type { StanzaErrorFacts } from '../../xml/stanza-error.js';
import { BlockOrder } from './block-order.js';

/** Nobody who waits for acknowledgements gets there; one who does not wait is stopped. */
const MAX_WAITING_BYTES = 16 * 1024 * 1024;

export interface IncomingOptions {
  blockSize: number;
  /** Gives bytes to the reader; `undefined` is the end. @returns whether the reader wants more */
  push: (bytes: Uint8Array | undefined) => boolean;
}

interface Waiting {
  bytes: Uint8Array;
  onTaken: () => void;
}

export class IncomingBlocks {
  readonly #options: IncomingOptions;
  readonly #order = new BlockOrder();
  readonly #waiting: Waiting[] = [];
  #waitingBytes = 0;
  /** A reader has room before it asks for the first time. */
  #isReading = true;
  #hasEnded = false;
  #onRoom: (() => void) | undefined;

  constructor(options: IncomingOptions) {
    this.#options = options;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** The reader waits for the other party. */
  get isIdle(): boolean {
    return this.#isReading && !this.#hasEnded;
  }

  /**
   * A block has come.
   * @param onTaken called when the reader has it
   * @returns why it cannot be taken: the stream is at its end then (XEP-0047 §2.2)
   */
  receive(number: number, bytes: Uint8Array, onTaken: () => void): StanzaErrorFacts | undefined {
    if (bytes.length > this.#options.blockSize) {
      return {
        condition: 'not-acceptable',
        type: 'cancel',
        text: `the block has ${bytes.length} bytes, and ${this.#options.blockSize} were agreed on`,
      };
    }
    const expected = this.#order.expected;
    const placement = this.#hasEnded ? 'gap' : this.#order.place(number);
    if (placement !== 'next') {
      return {
        condition: 'unexpected-request',
        type: 'cancel',
        text:
          placement === 'duplicate'
            ? `block ${number} was there before`
            : `block ${number} came where ${expected} was expected`,
      };
    }
    if (this.#waitingBytes + bytes.length > MAX_WAITING_BYTES) {
      return { condition: 'resource-constraint', type: 'cancel', text: 'too much is waiting to be read' };
    }
    this.#waiting.push({ bytes, onTaken });
    this.#waitingBytes += bytes.length;
    if (this.#isReading) this.#drain();
    return undefined;
  }

  /** The reader has room. */
  read(): void {
    this.#isReading = true;
    this.#drain();
  }

  /** No more will come; what is waiting is still read. */
  end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    if (this.#waiting.length === 0) this.#options.push(undefined);
  }

  /** Resolves when at most `bytes` are waiting. */
  async room(bytes: number): Promise<void> {
    while (this.#waitingBytes > bytes) await new Promise<void>((resolve) => (this.#onRoom = resolve));
  }

  /** Drops what is waiting. */
  clear(): void {
    this.#hasEnded = true;
    this.#waiting.length = 0;
    this.#waitingBytes = 0;
    this.#onRoom?.();
  }

  #drain(): void {
    while (this.#isReading) {
      const next = this.#waiting.shift();
      if (!next) break;
      this.#waitingBytes -= next.bytes.length;
      // An empty block is legal, and is no end.
      if (next.bytes.length > 0) this.#isReading = this.#options.push(next.bytes);
      next.onTaken();
      if (this.#hasEnded && this.#waiting.length === 0) this.#options.push(undefined);
    }
    this.#onRoom?.();
  }
}
