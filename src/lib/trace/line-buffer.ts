/**
 * Lines on their way to a file, as bytes. The bytes of a data record go from the stream into their line without
 * becoming a string in between, which is most of what recording costs.
 */
import type { DataRecord } from './record.js';
import { BACKSLASH, QUOTE } from './xml-bytes.js';

const initialSize = 64 * 1024;
const largestFresh = 1024 * 1024;

const hexDigits = Buffer.from('0123456789abcdef', 'latin1');
const unicodeEscape = Buffer.from('\\u00', 'latin1');

export class LineBuffer {
  #bytes: Buffer = Buffer.allocUnsafe(initialSize);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  append(text: string): void {
    // A UTF-16 unit becomes at most three bytes.
    this.#reserve(text.length * 3);
    this.#length += this.#bytes.write(text, this.#length, 'utf8');
  }

  /** Appends the line of a data record that is text and was not redacted. @param bytes the same text */
  appendText({ n, t, conn, dir }: DataRecord, bytes: Uint8Array): void {
    this.append(`{"n":${n},"t":${t},"conn":${conn},"kind":"data","dir":"${dir}","text":"`);
    this.#reserve(bytes.length * 6 + 3);
    const target = this.#bytes;
    let end = this.#length;
    // eslint-disable-next-line @typescript-eslint/prefer-for-of -- an iterator makes this loop half as slow again
    for (let index = 0; index < bytes.length; index += 1) {
      const byte = bytes[index] ?? 0;
      if (byte < 0x20) {
        end += unicodeEscape.copy(target, end);
        target[end] = hexDigits[byte >> 4] ?? 0;
        target[end + 1] = hexDigits[byte & 15] ?? 0;
        end += 2;
        continue;
      }
      if (byte === QUOTE || byte === BACKSLASH) {
        target[end] = BACKSLASH;
        end += 1;
      }
      target[end] = byte;
      end += 1;
    }
    this.#length = end;
    this.append('"}\n');
  }

  /** Puts lines before all others. */
  prepend(text: string): void {
    const rest = this.take();
    this.append(text);
    this.#reserve(rest.length);
    this.#length += rest.copy(this.#bytes, this.#length);
  }

  /** Takes everything out. */
  take(): Buffer {
    const taken = this.#bytes.subarray(0, this.#length);
    // What came once comes again: growing would copy it.
    this.#bytes = Buffer.allocUnsafe(Math.min(largestFresh, Math.max(initialSize, this.#length * 2)));
    this.#length = 0;
    return taken;
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}
