/** Bytes put together from pieces of others and from text. */
export class OutputBuffer {
  #bytes: Buffer<ArrayBuffer>;
  #length = 0;

  /** @param spare memory that is free, used where it is large enough */
  constructor(capacity: number, spare?: ArrayBuffer) {
    this.#bytes =
      spare && spare.byteLength >= capacity ? Buffer.from(spare) : Buffer.allocUnsafeSlow(capacity);
  }

  get length(): number {
    return this.#length;
  }

  addBytes(source: Buffer, start: number, end: number): void {
    if (end <= start) return;
    this.#reserve(end - start);
    source.copy(this.#bytes, this.#length, start, end);
    this.#length += end - start;
  }

  addText(text: string): void {
    // No character of UTF-16 needs more than three bytes.
    this.#reserve(text.length > 4096 ? Buffer.byteLength(text) : text.length * 3);
    this.#length += this.#bytes.write(text, this.#length);
  }

  /** Text of which every character is one byte, and which may be long. */
  addAscii(text: string): void {
    this.#reserve(text.length);
    this.#length += this.#bytes.write(text, this.#length, 'latin1');
  }

  /** Forgets what is behind a length that there was before. */
  truncate(length: number): void {
    this.#length = length;
  }

  /** What there is; the buffer must not be added to afterwards. */
  finish(): Buffer<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, this.#length + more));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}
