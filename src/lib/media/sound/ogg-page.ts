/** Ogg pages (RFC 3533 §6). Reading never throws: bytes that are no page are skipped. */

export interface OggPage {
  isContinued: boolean;
  isFirst: boolean;
  isLast: boolean;
  /** −1n where no packet ends on the page. */
  granulePosition: bigint;
  serial: number;
  sequence: number;
  /** The last one goes on on the next page when `isOpen`. */
  segments: Buffer[];
  isOpen: boolean;
}

const CAPTURE = Buffer.from('OggS');
const HEADER_BYTES = 27;
const MAX_SEGMENTS = 255;

const crcTable = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index << 24;
  for (let bit = 0; bit < 8; bit += 1) value = value & 0x80000000 ? (value << 1) ^ 0x04c11db7 : value << 1;
  return value >>> 0;
});

function crcOf(bytes: Buffer): number {
  let crc = 0;
  for (const byte of bytes) crc = ((crc << 8) ^ (crcTable[((crc >>> 24) ^ byte) & 0xff] ?? 0)) >>> 0;
  return crc;
}

/** How many entries a packet takes in the table of a page. */
export function lacingOf(sizeBytes: number): number {
  return Math.floor(sizeBytes / 255) + 1;
}

/** @param packets whole ones, with no more than 255 entries together (`lacingOf`) */
export function encodeOggPage(
  page: Omit<OggPage, 'segments' | 'isOpen' | 'isContinued'>,
  packets: readonly Buffer[],
): Buffer {
  const lacing = packets.flatMap(({ length }) => [
    ...Array.from({ length: Math.floor(length / 255) }, () => 255),
    length % 255,
  ]);
  if (lacing.length > MAX_SEGMENTS) throw new RangeError('too much for one page');
  const head = Buffer.alloc(HEADER_BYTES + lacing.length);
  CAPTURE.copy(head);
  head.writeUInt8((page.isFirst ? 2 : 0) | (page.isLast ? 4 : 0), 5);
  head.writeBigInt64LE(page.granulePosition, 6);
  head.writeUInt32LE(page.serial >>> 0, 14);
  head.writeUInt32LE(page.sequence >>> 0, 18);
  head.writeUInt8(lacing.length, 26);
  Buffer.from(lacing).copy(head, HEADER_BYTES);
  const bytes = Buffer.concat([head, ...packets]);
  bytes.writeUInt32LE(crcOf(bytes), 22);
  return bytes;
}

/** Finds the pages in bytes that come in pieces. */
export class OggPageReader {
  #rest: Buffer = Buffer.alloc(0);

  push(chunk: Buffer): OggPage[] {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const pages: OggPage[] = [];
    let at = 0;
    for (;;) {
      const start = this.#rest.indexOf(CAPTURE, at);
      if (start < 0) {
        at = Math.max(at, this.#rest.length - CAPTURE.length + 1);
        break;
      }
      at = start;
      const end = pageEnd(this.#rest, start);
      if (end === undefined || end > this.#rest.length) break;
      const page = readPage(this.#rest.subarray(start, end));
      if (page) pages.push(page);
      at = page ? end : start + 1;
    }
    this.#rest = Buffer.from(this.#rest.subarray(at));
    return pages;
  }
}

/** @returns undefined when not even the head is there */
function pageEnd(bytes: Buffer, start: number): number | undefined {
  if (start + HEADER_BYTES > bytes.length) return undefined;
  const count = bytes.readUInt8(start + 26);
  const table = start + HEADER_BYTES;
  if (table + count > bytes.length) return undefined;
  return table + count + bytes.subarray(table, table + count).reduce((sum, size) => sum + size, 0);
}

function readPage(bytes: Buffer): OggPage | undefined {
  const unsummed = Buffer.from(bytes);
  unsummed.writeUInt32LE(0, 22);
  if (bytes.readUInt8(4) !== 0 || crcOf(unsummed) !== bytes.readUInt32LE(22)) return undefined;
  const flags = bytes.readUInt8(5);
  const count = bytes.readUInt8(26);
  const lacing = bytes.subarray(HEADER_BYTES, HEADER_BYTES + count);
  const segments: Buffer[] = [];
  let at = HEADER_BYTES + count;
  let from = at;
  for (const size of lacing) {
    at += size;
    if (size === 255) continue;
    segments.push(bytes.subarray(from, at));
    from = at;
  }
  const isOpen = count > 0 && lacing.readUInt8(count - 1) === 255;
  if (isOpen) segments.push(bytes.subarray(from, at));
  return {
    isContinued: (flags & 1) !== 0,
    isFirst: (flags & 2) !== 0,
    isLast: (flags & 4) !== 0,
    granulePosition: bytes.readBigInt64LE(6),
    serial: bytes.readUInt32LE(14),
    sequence: bytes.readUInt32LE(18),
    segments,
    isOpen,
  };
}
