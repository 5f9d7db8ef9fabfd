/**
 * The short way to print nearly every unit of XML: its bytes are read once, and go with what stands before each line to
 * where they are written from, without becoming strings in between. A recording may have gigabytes.
 */
import type { LineBuffer } from './line-buffer.js';
import { APOSTROPHE, GT, isSpace, LT, QUOTE, SLASH } from './xml-bytes.js';

const SPACE = 0x20;
const LINE_FEED = 0x0a;

/** What begins with such a byte must be looked at: controls, and first bytes of characters that `safeText` replaces. */
const isOdd = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte < 0x20 || byte === 0x7f || byte === 0xc2 || byte === 0xd8 || byte === 0xe2 ? 1 : 0,
);
/** Room is made for so many lines at once. */
const linesAtOnce = 64;

export class PlainLines {
  /** The text of the unit, and how far it was read. */
  #text: Buffer = Buffer.allocUnsafe(64 * 1024);
  #length = 0;
  #from = 0;
  /** Where its lines go, and how far. */
  #bytes: Buffer = this.#text;
  #to = 0;

  /** @param maxIndent what is nested deeper is not set in further */
  constructor(private readonly maxIndent: number) {}

  /**
   * Appends the lines of a unit, laid out as `layOutXml` does.
   * @param first what stands before the first line; @param left before the others; @param tail behind the first
   * @returns false, with nothing appended, where anything is out of the ordinary (comments, broken tags, an end that is
   *   missing, text between elements, characters that could do something to a terminal): it must be laid out the long way
   */
  append(text: string, target: LineBuffer, first: string, left: Uint8Array, tail: string): boolean {
    if (this.#text.length < text.length * 3) this.#text = Buffer.allocUnsafe(text.length * 4);
    this.#length = this.#text.write(text, 0, 'utf8');
    this.#from = 0;
    const { length } = target;
    target.append(first);
    if (this.#printLines(target, left, tail)) {
      target.cutTo(this.#to);
      return true;
    }
    target.cutTo(length);
    return false;
  }

  #printLines(target: LineBuffer, left: Uint8Array, tail: string): boolean {
    const text = this.#text;
    const length = this.#length;
    const perLine = left.length + this.maxIndent * 2 + 1;
    this.#to = target.length;
    this.#makeRoom(target, perLine);
    let depth = 0;
    let isFirst = true;
    while (this.#from < length) {
      const isEnd = text[this.#from + 1] === SLASH;
      if (isEnd) depth -= 1;
      if (depth < 0) return false;
      if (!isFirst) {
        if (this.#to + perLine + length - this.#from > this.#bytes.length) this.#makeRoom(target, perLine);
        this.#beginLine(left, depth);
      }
      if (isEnd) {
        if (!this.#copyEndTag()) return false;
      } else {
        const step = this.#copyElement();
        if (step < 0) return false;
        depth += step;
      }
      if (isFirst && tail !== '') {
        target.cutTo(this.#to);
        target.append(tail);
        this.#to = target.length;
        this.#makeRoom(target, perLine);
      }
      isFirst = false;
      this.#bytes[this.#to] = LINE_FEED;
      this.#to += 1;
      while (this.#from < length && isSpace(text[this.#from] ?? 0)) this.#from += 1;
      // Text between elements decides how the one around it is shown.
      if (this.#from < length && text[this.#from] !== LT) return false;
    }
    return depth === 0 && !isFirst;
  }

  #makeRoom(target: LineBuffer, perLine: number): void {
    target.cutTo(this.#to);
    this.#bytes = target.reserve(perLine * linesAtOnce + this.#length - this.#from);
  }

  #beginLine(left: Uint8Array, depth: number): void {
    const bytes = this.#bytes;
    let to = this.#to;
    for (let index = 0; index < left.length; index += 1) bytes[to + index] = left[index] ?? 0;
    to += left.length;
    const end = to + 2 * (depth < this.maxIndent ? depth : this.maxIndent);
    for (; to < end; to += 1) bytes[to] = SPACE;
    this.#to = to;
  }

  /**
   * A start tag, and all the element when it is shown in one piece: it has text of its own before its first child, or
   * nothing at all.
   * @returns 1 when the element stays open, 0 when it does not, -1 for what must be laid out the long way
   */
  #copyElement(): number {
    const text = this.#text;
    const isEmpty = this.#copyStartTag();
    if (isEmpty !== 0) return isEmpty < 0 ? -1 : 0;
    let at = this.#from;
    if (text[at] === LT) {
      if (text[at + 1] !== SLASH) return 1;
      return this.#copyEndTag() ? 0 : -1;
    }
    while (isSpace(text[at] ?? 0)) at += 1;
    if (text[at] === LT) return 1;
    let depth = 1;
    while (depth > 0) {
      if (!this.#copyText()) return -1;
      if (text[this.#from + 1] === SLASH) {
        if (!this.#copyEndTag()) return -1;
        depth -= 1;
        continue;
      }
      const isEmptyChild = this.#copyStartTag();
      if (isEmptyChild < 0) return -1;
      if (isEmptyChild === 0) depth += 1;
    }
    return 0;
  }

  /** Up to the next tag. @returns false when there is none */
  #copyText(): boolean {
    const text = this.#text;
    const bytes = this.#bytes;
    const length = this.#length;
    const shift = this.#to - this.#from;
    let at = this.#from;
    for (; at < length; at += 1) {
      const byte = text[at] ?? 0;
      if (byte === LT) break;
      if (isOdd[byte] === 1 && isUnsafe(byte, text[at + 1] ?? 0, text[at + 2] ?? 0)) return false;
      bytes[at + shift] = byte;
    }
    this.#from = at;
    this.#to = at + shift;
    return at < length;
  }

  #copyEndTag(): boolean {
    const text = this.#text;
    const bytes = this.#bytes;
    const length = this.#length;
    const shift = this.#to - this.#from;
    for (let at = this.#from; at < length; at += 1) {
      const byte = text[at] ?? 0;
      if (isOdd[byte] === 1 && isUnsafe(byte, text[at + 1] ?? 0, text[at + 2] ?? 0)) return false;
      bytes[at + shift] = byte;
      if (byte !== GT) continue;
      this.#from = at + 1;
      this.#to = at + 1 + shift;
      return true;
    }
    return false;
  }

  /** @returns 1 for that of an empty element, 0 for another, -1 when it is none, or broken */
  #copyStartTag(): number {
    const text = this.#text;
    const bytes = this.#bytes;
    const length = this.#length;
    const shift = this.#to - this.#from;
    let at = this.#from;
    const first = (text[at + 1] ?? 0) | 0x20;
    if (text[at] !== LT || first < 0x61 || first > 0x7a) return -1;
    bytes[at + shift] = LT;
    at += 1;
    let quote = 0;
    for (; at < length; at += 1) {
      const byte = text[at] ?? 0;
      if (isOdd[byte] === 1 && isUnsafe(byte, text[at + 1] ?? 0, text[at + 2] ?? 0)) return -1;
      bytes[at + shift] = byte;
      if (quote !== 0) {
        if (byte === quote) quote = 0;
        continue;
      }
      if (byte === QUOTE || byte === APOSTROPHE) quote = byte;
      else if (byte === LT) return -1;
      else if (byte === GT) {
        this.#from = at + 1;
        this.#to = at + 1 + shift;
        return text[at - 1] === SLASH ? 1 : 0;
      }
    }
    return -1;
  }
}

/** Whether `safeText` would replace the character that begins so. */
function isUnsafe(byte: number, second: number, third: number): boolean {
  if (byte < 0x80) return true;
  if (byte === 0xc2) return second < 0xa0;
  if (byte === 0xd8) return second === 0x9c;
  if (second === 0x80) return third === 0x8e || third === 0x8f || (third >= 0xa8 && third <= 0xae);
  return second === 0x81 && third >= 0xa6 && third <= 0xa9;
}
