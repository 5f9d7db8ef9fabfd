/**
 * Lines on their way to a file, as bytes. The bytes of a data record go from the stream into their line without
 * becoming a string in between, which is most of what recording costs.
 */
import type { DataRecord } from './record.js';
import { BACKSLASH, QUOTE } from './xml-bytes.js';

const initialSize = 64 * 1024;
const largestFresh = 1024 * 1024;
const largestSpare = 4 * 1024 * 1024;

const hexDigits = Buffer.from('0123456789abcdef', 'latin1');
/** What JSON does not take as it is (RFC 8259 §7), by byte. */
const needsEscape = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte < 0x20 || byte === QUOTE || byte === BACKSLASH ? 1 : 0,
);
/** From this length on copying a run at once is cheaper than byte by byte. */
const longRun = 48;
const unicodeEscape = Buffer.from('\\u00', 'latin1');

export class LineBuffer {
  #bytes: Buffer = Buffer.allocUnsafe(initialSize);
  #length = 0;
  #spare: Buffer | undefined;

  get length(): number {
    return this.#length;
  }

  append(text: string): void {
    // A UTF-16 unit becomes at most three bytes.
    this.reserve(text.length * 3);
    this.#length += this.#bytes.write(text, this.#length, 'utf8');
  }

  /** Appends the line of a data record that is text and was not redacted. @param bytes the same text */
  appendText({ n, t, conn, dir }: DataRecord, bytes: Uint8Array): void {
    this.append(`{"n":${n},"t":${t},"conn":${conn},"kind":"data","dir":"${dir}","text":"`);
    // All but control characters become two bytes at most.
    this.reserve(bytes.length * 2 + 3);
    let target = this.#bytes;
    let end = this.#length;
    const { length } = bytes;
    const view = new DataView(bytes.buffer, bytes.byteOffset, length);
    let index = 0;
    while (index < length) {
      let stop = index;
      while (stop + 4 <= length && isPlainWord(view.getInt32(stop, true))) stop += 4;
      while (stop < length && needsEscape[bytes[stop] ?? 0] === 0) stop += 1;
      if (stop - index >= longRun) {
        target.set(bytes.subarray(index, stop), end);
        end += stop - index;
        index = stop;
      } else {
        for (; index < stop; index += 1) {
          target[end] = bytes[index] ?? 0;
          end += 1;
        }
      }
      if (index >= length) break;
      const byte = bytes[index] ?? 0;
      index += 1;
      if (byte < 0x20) {
        if (end + 6 + (length - index) * 2 > target.length) {
          this.#length = end;
          this.reserve(6 + (length - index) * 6);
          target = this.#bytes;
        }
        end += unicodeEscape.copy(target, end);
        target[end] = hexDigits[byte >> 4] ?? 0;
        target[end + 1] = hexDigits[byte & 15] ?? 0;
        end += 2;
        continue;
      }
      target[end] = BACKSLASH;
      target[end + 1] = byte;
      end += 2;
    }
    this.#length = end;
    this.append('"}\n');
  }

  /** Puts lines before all others. */
  prepend(text: string): void {
    const rest = this.take();
    this.append(text);
    this.reserve(rest.length);
    this.#length += rest.copy(this.#bytes, this.#length);
  }

  /** Takes everything out. */
  take(): Buffer {
    const taken = this.#bytes.subarray(0, this.#length);
    // What came once comes again: growing would copy it.
    const size = Math.min(largestFresh, Math.max(initialSize, this.#length * 2));
    this.#bytes = this.#spare && this.#spare.length >= size ? this.#spare : Buffer.allocUnsafe(size);
    this.#spare = undefined;
    this.#length = 0;
    return taken;
  }

  /** Gives back what was taken, when nobody needs it any more: fresh memory costs more than writing into used one. */
  recycle(taken: Buffer): void {
    const { buffer, byteOffset } = taken;
    if (byteOffset === 0 && buffer.byteLength <= largestSpare) this.#spare = Buffer.from(buffer);
  }

  /** Makes room for more bytes behind `length`. @returns where they go, until the next call of anything here */
  reserve(count: number): Buffer {
    const needed = this.#length + count;
    if (needed <= this.#bytes.length) return this.#bytes;
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
    return larger;
  }

  /** Says how many bytes there are now, after some were put behind the others or are not wanted. */
  cutTo(length: number): void {
    this.#length = length;
  }
}

/** Whether none of four bytes needs an escape: none is below 0x20, a quote or a backslash. */
function isPlainWord(word: number): boolean {
  const quote = word ^ 0x22222222;
  const backslash = word ^ 0x5c5c5c5c;
  // A byte of zero borrows from its top bit (in each byte at once; a false alarm is sorted out byte by byte).
  const control = ((word - 0x20202020) | 0) & ~word;
  const special = (((quote - 0x01010101) | 0) & ~quote) | (((backslash - 0x01010101) | 0) & ~backslash);
  return ((control | special) & 0x80808080) === 0;
}
