/**
 * The bytes of a document as checked UTF-8: nothing that XML cannot carry gets through.
 */
import { isUtf8 } from 'node:buffer';
import type { FileHandle } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { TextDecoder } from 'node:util';

/** What is wrong with the bytes, and where. */
export class InputError extends Error {
  constructor(
    message: string,
    readonly offset: number,
    readonly hint?: string,
  ) {
    super(message);
  }
}

export interface ByteSource {
  /** Puts bytes into the buffer and returns how many; 0 at the end. */
  read(buffer: Buffer, at: number): Promise<number>;
  close(): Promise<void>;
}

export function fileSource(handle: FileHandle): ByteSource {
  return {
    read: async (buffer, at) => (await handle.read(buffer, at, buffer.length - at)).bytesRead,
    close: () => handle.close(),
  };
}

/** Bytes that are there already. */
export function memorySource(bytes: Buffer): ByteSource {
  let rest = bytes;
  return {
    read: (buffer, at) => {
      const length = rest.copy(buffer, at);
      rest = rest.subarray(length);
      return Promise.resolve(length);
    },
    close: () => Promise.resolve(),
  };
}

/** A stream, of which no more is taken than is wanted. */
export function streamSource(stream: Readable): ByteSource {
  const chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Uint8Array | string>;
  let rest: Buffer = Buffer.alloc(0);
  return {
    read: async (buffer, at) => {
      while (rest.length === 0) {
        const next = await chunks.next();
        if (next.done === true) return 0;
        const { value } = next;
        rest =
          typeof value === 'string'
            ? Buffer.from(value)
            : Buffer.from(value.buffer, value.byteOffset, value.length);
      }
      const length = rest.copy(buffer, at);
      rest = rest.subarray(length);
      return length;
    },
    close: () => Promise.resolve(),
  };
}

export class ExportInput {
  #state: 'begin' | 'utf-8' | 'utf-16' = 'begin';
  #decoder: TextDecoder | undefined;
  #raw: Buffer | undefined;
  /** Decoded text that had no room. */
  #pending: Buffer = Buffer.alloc(0);
  /** Bytes at the end of what was read that begin a character. */
  #incomplete = 0;
  /** Bytes that were read before. */
  #total = 0;

  constructor(private readonly source: ByteSource) {}

  get isUtf16(): boolean {
    return this.#state === 'utf-16';
  }

  /** How much was read of the file. */
  get bytesRead(): number {
    return this.#total;
  }

  /**
   * Puts bytes into the buffer behind those of the last call and returns how many; 0 at the end.
   * @throws InputError
   */
  async read(buffer: Buffer, at: number): Promise<number> {
    if (this.#state === 'begin') return this.#begin(buffer, at);
    if (this.#state === 'utf-16') return this.#readUtf16(buffer, at);
    const length = await this.source.read(buffer, at);
    this.#check(buffer, at, length);
    this.#total += length;
    return length;
  }

  /** Looks at the first bytes, of which there must be four for a decision. */
  async #begin(buffer: Buffer, at: number): Promise<number> {
    let length = 0;
    while (length < 4) {
      const more = await this.source.read(buffer, at + length);
      if (more === 0) break;
      length += more;
    }
    const head = buffer.subarray(at, at + Math.min(length, 4)).toString('hex');
    const encoding = encodingOf(head);
    if (encoding === undefined) {
      throw new InputError(
        'it is in an encoding that is not read',
        0,
        'only UTF-8 and UTF-16 are read: convert it with iconv',
      );
    }
    if (encoding !== 'utf-8') {
      this.#state = 'utf-16';
      this.#decoder = new TextDecoder(encoding, { fatal: true });
      this.#raw = Buffer.alloc(64 * 1024);
      this.#decodeUtf16(buffer.subarray(at, at + length), length === 0);
      return this.#readUtf16(buffer, at);
    }
    this.#state = 'utf-8';
    const mark = head.startsWith('efbbbf') ? 3 : 0;
    if (mark > 0) buffer.copyWithin(at, at + mark, at + length);
    this.#total += mark;
    this.#check(buffer, at, length - mark);
    this.#total += length - mark;
    return length - mark;
  }

  #check(buffer: Buffer, at: number, length: number): void {
    const start = at - this.#incomplete;
    const end = at + length;
    const incomplete = length === 0 ? 0 : countIncompleteUtf8(buffer, start, end);
    if (!isUtf8(buffer.subarray(start, end - incomplete))) {
      throw new InputError(
        'there are bytes that are not UTF-8',
        this.#total - this.#incomplete + findInvalidUtf8(buffer.subarray(start, end - incomplete)),
        'if it is in another encoding, its first line must say so',
      );
    }
    const forbidden = findForbidden(buffer, start, end - incomplete);
    if (forbidden >= 0) {
      const code = buffer.toString('utf8', forbidden, forbidden + 3).charCodeAt(0);
      throw new InputError(
        `there is the character U+${code.toString(16).toUpperCase().padStart(4, '0')}, which XML cannot carry`,
        this.#total - this.#incomplete + forbidden - start,
      );
    }
    this.#incomplete = incomplete;
  }

  async #readUtf16(buffer: Buffer, at: number): Promise<number> {
    while (this.#pending.length === 0) {
      const raw = this.#raw;
      if (!raw) return 0;
      const length = await this.source.read(raw, 0);
      this.#decodeUtf16(raw.subarray(0, length), length === 0);
      if (length === 0) this.#raw = undefined;
    }
    const room = buffer.length - at;
    let length = Math.min(room, this.#pending.length);
    if (length < this.#pending.length) length -= countIncompleteUtf8(this.#pending, 0, length);
    this.#pending.copy(buffer, at, 0, length);
    this.#pending = this.#pending.subarray(length);
    return length;
  }

  #decodeUtf16(bytes: Buffer, isLast: boolean): void {
    let text;
    try {
      text = this.#decoder?.decode(bytes, { stream: !isLast }) ?? '';
    } catch {
      throw new InputError('there are bytes that are not UTF-16', this.#total);
    }
    this.#total += bytes.length;
    const decoded = Buffer.from(text);
    const forbidden = findForbidden(decoded, 0, decoded.length);
    if (forbidden >= 0) throw new InputError('there is a character that XML cannot carry', this.#total);
    this.#pending = this.#pending.length === 0 ? decoded : Buffer.concat([this.#pending, decoded]);
  }

  close(): Promise<void> {
    return this.source.close();
  }
}

/** XML 1.0 appendix F: by the first four bytes, as hexadecimal. */
function encodingOf(head: string): 'utf-8' | 'utf-16le' | 'utf-16be' | undefined {
  if (head === '0000feff' || head === 'fffe0000' || head === '0000003c' || head === '3c000000')
    return undefined;
  if (head.startsWith('feff') || head === '003c003f') return 'utf-16be';
  if (head.startsWith('fffe') || head === '3c003f00') return 'utf-16le';
  // EBCDIC's `<?xm`.
  return head === '4c6fa794' ? undefined : 'utf-8';
}

/** How many bytes at the end begin a sequence that goes on. */
function countIncompleteUtf8(bytes: Buffer, start: number, end: number): number {
  for (let back = 1; back <= Math.min(3, end - start); back++) {
    const byte = bytes[end - back] ?? 0;
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) return (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) > back ? back : 0;
  }
  return 0;
}

function findInvalidUtf8(bytes: Buffer): number {
  let good = 0;
  let bad = bytes.length;
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    const complete = middle - countIncompleteUtf8(bytes, good, middle);
    if (isUtf8(bytes.subarray(good, complete))) {
      if (complete === good) break;
      good = complete;
    } else bad = middle;
  }
  return good;
}

/** Control characters but tab, newline and carriage return; U+FFFE and U+FFFF. -1: there are none. */
function findForbidden(buffer: Buffer, start: number, end: number): number {
  for (let at = buffer.indexOf(0xef, start); at >= 0 && at < end; at = buffer.indexOf(0xef, at + 1)) {
    if (buffer[at + 1] === 0xbf && (buffer[at + 2] ?? 0) >= 0xbe) return at;
  }
  const isBad = (at: number): boolean => {
    const byte = buffer[at] ?? 0x20;
    return byte < 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09;
  };
  let at = start;
  for (; at < end && (buffer.byteOffset + at) % 4 !== 0; at++) if (isBad(at)) return at;
  if (at >= end) return -1;
  const words = new Int32Array(buffer.buffer, buffer.byteOffset + at, (end - at) >> 2);
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? 0;
    // The highest bit of each byte that is below 0x20, and now and then of one that is not.
    if (((word - 0x20202020) & ~word & 0x80808080) === 0) continue;
    for (let byte = at + index * 4; byte < at + index * 4 + 4; byte++) if (isBad(byte)) return byte;
  }
  for (at += words.length * 4; at < end; at++) if (isBad(at)) return at;
  return -1;
}
