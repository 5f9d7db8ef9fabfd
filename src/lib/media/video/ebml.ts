/** The little of EBML (RFC 8794) that WebM with one track needs. */

export const EbmlId = {
  header: 0x1a45dfa3,
  version: 0x4286,
  readVersion: 0x42f7,
  maxIdLength: 0x42f2,
  maxSizeLength: 0x42f3,
  docType: 0x4282,
  docTypeVersion: 0x4287,
  docTypeReadVersion: 0x4285,
  segment: 0x18538067,
  info: 0x1549a966,
  timestampScale: 0x2ad7b1,
  muxingApp: 0x4d80,
  writingApp: 0x5741,
  tracks: 0x1654ae6b,
  trackEntry: 0xae,
  trackNumber: 0xd7,
  trackUid: 0x73c5,
  trackType: 0x83,
  codecId: 0x86,
  video: 0xe0,
  pixelWidth: 0xb0,
  pixelHeight: 0xba,
  cluster: 0x1f43b675,
  clusterTimestamp: 0xe7,
  simpleBlock: 0xa3,
  blockGroup: 0xa0,
  block: 0xa1,
} as const;

/** "Goes on to the end": what is written while a call lasts has no length yet. */
const UNKNOWN_SIZE = Buffer.from([0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);

export function encodeElement(id: number, content: Buffer): Buffer {
  return Buffer.concat([encodeId(id), encodeSize(content.length), content]);
}

export function encodeOpenElement(id: number): Buffer {
  return Buffer.concat([encodeId(id), UNKNOWN_SIZE]);
}

export function encodeNumber(id: number, value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; rest > 0 || bytes.length === 0; rest = Math.floor(rest / 256))
    bytes.unshift(rest % 256);
  return encodeElement(id, Buffer.from(bytes));
}

export function encodeString(id: number, value: string): Buffer {
  return encodeElement(id, Buffer.from(value));
}

export interface ElementHead {
  id: number;
  /** Of the content; Infinity when it is not known. */
  sizeBytes: number;
  headBytes: number;
}

/** @returns undefined when there is not enough of it, or it is no head */
export function readElementHead(bytes: Buffer, at: number): ElementHead | undefined {
  const idBytes = lengthOfNumber(bytes, at, 4);
  if (idBytes === undefined) return undefined;
  const sizeLength = lengthOfNumber(bytes, at + idBytes, 8);
  if (sizeLength === undefined) return undefined;
  const sizeAt = at + idBytes;
  let sizeBytes = bytes.readUInt8(sizeAt) & (0xff >> sizeLength);
  let isUnknown = sizeBytes === 0xff >> sizeLength;
  for (let index = 1; index < sizeLength; index += 1) {
    const byte = bytes.readUInt8(sizeAt + index);
    isUnknown &&= byte === 0xff;
    sizeBytes = sizeBytes * 256 + byte;
  }
  return {
    id: bytes.readUIntBE(at, idBytes),
    sizeBytes: isUnknown ? Infinity : sizeBytes,
    headBytes: idBytes + sizeLength,
  };
}

function lengthOfNumber(bytes: Buffer, at: number, most: number): number | undefined {
  if (at >= bytes.length) return undefined;
  const length = Math.clz32(bytes.readUInt8(at)) - 23;
  return length > most || at + length > bytes.length ? undefined : length;
}

function encodeId(id: number): Buffer {
  const length = id > 0xffffff ? 4 : id > 0xffff ? 3 : id > 0xff ? 2 : 1;
  const bytes = Buffer.alloc(length);
  bytes.writeUIntBE(id, 0, length);
  return bytes;
}

function encodeSize(size: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(size) | (1n << 56n));
  return bytes;
}
