/** Puts the bytes of a packet together again, with a marker in place of each secret. */
import { REDACTION_MARKER, type Redaction } from './record.js';
import { LT } from './xml-bytes.js';

export interface Scanned {
  /** The bytes with a marker in place of each secret; the very same array when there was none. */
  bytes: Uint8Array;
  redactions: Redaction[];
}

const marker = Buffer.from(REDACTION_MARKER, 'latin1');
const lessThan = Uint8Array.of(LT);
const nothing = new Uint8Array(0);

export class RedactedBytes {
  #chunk: Uint8Array = nothing;
  #pieces: Uint8Array[] = [];
  #length = 0;
  /** How much of the packet has been decided on. */
  #done = 0;
  #redactions: Redaction[] = [];
  /** The redaction that further bytes of the same secret are added to. */
  #entry: Redaction | undefined;
  #needsMarker = false;
  #isHolding = false;

  /** A `<` waits for the byte that tells whether it belongs to the secret before it. */
  get isHolding(): boolean {
    return this.#isHolding;
  }

  begin(chunk: Uint8Array): void {
    this.#chunk = chunk;
    this.#pieces = [];
    this.#length = 0;
    this.#done = 0;
    this.#redactions = [];
    this.#entry = undefined;
  }

  finish(): Scanned {
    const redactions = this.#redactions;
    if (this.#pieces.length === 0 && this.#done === 0) return { bytes: this.#chunk, redactions };
    this.#pass(this.#chunk.length);
    return { bytes: Buffer.concat(this.#pieces, this.#length), redactions };
  }

  /** What is still held back. */
  end(): Uint8Array {
    const rest = this.#isHolding ? lessThan : nothing;
    this.#isHolding = false;
    return rest;
  }

  /** The next byte that is hidden begins a new secret. */
  beginSecret(): void {
    this.#needsMarker = true;
    this.#entry = undefined;
  }

  /** Hides a range of the packet. */
  hide(from: number, to: number, reason: string): void {
    if (to <= from) return;
    this.#pass(from);
    this.#done = to;
    this.#count(to - from, reason);
  }

  /** Holds back the `<` at an index. */
  hold(index: number): void {
    this.#pass(index);
    this.#done = index + 1;
    this.#isHolding = true;
  }

  /** Hides what is held back. */
  hideHeld(reason: string): void {
    this.#isHolding = false;
    this.#count(1, reason);
  }

  /** Lets go what is held back. */
  passHeld(): void {
    this.#isHolding = false;
    this.#emit(lessThan);
  }

  #count(bytes: number, reason: string): void {
    if (this.#entry) {
      this.#entry.bytes += bytes;
      return;
    }
    this.#entry = {
      at: this.#length,
      bytes,
      reason,
      ...(!this.#needsMarker && { continued: true as const }),
    };
    this.#redactions.push(this.#entry);
    if (this.#needsMarker) this.#emit(marker);
    this.#needsMarker = false;
  }

  #pass(end: number): void {
    if (end > this.#done) this.#emit(this.#chunk.subarray(this.#done, end));
    this.#done = Math.max(this.#done, end);
  }

  #emit(bytes: Uint8Array): void {
    this.#pieces.push(bytes);
    this.#length += bytes.length;
  }
}
