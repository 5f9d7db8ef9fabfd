/** RTP packets (RFC 3550 §5.1) with header extensions (RFC 8285). Reading never throws: what is malformed is undefined. */

export const AUDIO_LEVEL_URI = 'urn:ietf:params:rtp-hdrext:ssrc-audio-level';
export const MID_URI = 'urn:ietf:params:rtp-hdrext:sdes:mid';

const HEADER_BYTES = 12;
/** RFC 8285 §4.2 and §4.3. */
const ONE_BYTE_PROFILE = 0xbede;
const TWO_BYTE_PROFILE = 0x100;

export interface RtpPacket {
  isMarked: boolean;
  payloadType: number;
  /** 16 bits. */
  sequence: number;
  /** 32 bits, in the clock rate of the codec. */
  timestamp: number;
  ssrc: number;
  /** By their numbers, 1 to 14 (one byte) or 255 (two bytes). */
  extensions: ReadonlyMap<number, Buffer>;
  payload: Buffer;
}

/** Told from DTLS and STUN by its first byte (RFC 7983 §7). */
export function isRtp(datagram: Buffer): boolean {
  return datagram.length >= 8 && datagram.readUInt8(0) >> 6 === 2;
}

export function readSequence(packet: Buffer): number {
  return packet.readUInt16BE(2);
}

/** @returns where the payload begins */
export function headerBytesOf(packet: Buffer): number | undefined {
  if (packet.length < HEADER_BYTES || packet.readUInt8(0) >> 6 !== 2) return undefined;
  const first = packet.readUInt8(0);
  const fixed = HEADER_BYTES + (first & 0x0f) * 4;
  if ((first & 0x10) === 0) return fixed <= packet.length ? fixed : undefined;
  if (fixed + 4 > packet.length) return undefined;
  const end = fixed + 4 + packet.readUInt16BE(fixed + 2) * 4;
  return end <= packet.length ? end : undefined;
}

export function decodeRtp(bytes: Buffer): RtpPacket | undefined {
  const start = headerBytesOf(bytes);
  if (start === undefined) return undefined;
  const first = bytes.readUInt8(0);
  const paddingBytes = (first & 0x20) === 0 ? 0 : bytes.readUInt8(bytes.length - 1);
  const end = bytes.length - paddingBytes;
  if (end < start || ((first & 0x20) !== 0 && paddingBytes === 0)) return undefined;
  const second = bytes.readUInt8(1);
  const fixed = HEADER_BYTES + (first & 0x0f) * 4;
  return {
    isMarked: (second & 0x80) !== 0,
    payloadType: second & 0x7f,
    sequence: bytes.readUInt16BE(2),
    timestamp: bytes.readUInt32BE(4),
    ssrc: bytes.readUInt32BE(8),
    extensions: (first & 0x10) === 0 ? new Map() : readExtensions(bytes.subarray(fixed, start)),
    payload: bytes.subarray(start, end),
  };
}

/** Extensions are written in the one-byte form: values have 1 to 16 bytes. */
export function encodeRtp(packet: RtpPacket): Buffer {
  const extensions = encodeExtensions(packet.extensions);
  const bytes = Buffer.allocUnsafe(HEADER_BYTES + extensions.length + packet.payload.length);
  bytes.writeUInt8(0x80 | (extensions.length > 0 ? 0x10 : 0), 0);
  bytes.writeUInt8((packet.isMarked ? 0x80 : 0) | packet.payloadType, 1);
  bytes.writeUInt16BE(packet.sequence & 0xffff, 2);
  bytes.writeUInt32BE(packet.timestamp >>> 0, 4);
  bytes.writeUInt32BE(packet.ssrc >>> 0, 8);
  extensions.copy(bytes, HEADER_BYTES);
  packet.payload.copy(bytes, HEADER_BYTES + extensions.length);
  return bytes;
}

/** RFC 6464 §3. @param levelDbov −127 to 0 */
export function encodeAudioLevel(levelDbov: number, isVoice: boolean): Buffer {
  const level = Math.min(127, Math.max(0, Math.round(-levelDbov)));
  return Buffer.from([(isVoice ? 0x80 : 0) | level]);
}

export function decodeAudioLevel(value: Buffer | undefined): number | undefined {
  return value === undefined || value.length === 0 ? undefined : 0 - (value.readUInt8(0) & 0x7f);
}

function encodeExtensions(extensions: ReadonlyMap<number, Buffer>): Buffer {
  if (extensions.size === 0) return Buffer.alloc(0);
  const parts: Buffer[] = [];
  for (const [id, value] of extensions) {
    if (id >= 1 && id <= 14 && value.length >= 1 && value.length <= 16) {
      parts.push(Buffer.from([(id << 4) | (value.length - 1)]), value);
    }
  }
  const sizeBytes = parts.reduce((sum, part) => sum + part.length, 0);
  const words = Math.ceil(sizeBytes / 4);
  const bytes = Buffer.alloc(4 + words * 4);
  bytes.writeUInt16BE(ONE_BYTE_PROFILE, 0);
  bytes.writeUInt16BE(words, 2);
  Buffer.concat(parts).copy(bytes, 4);
  return bytes;
}

/** @param bytes with the profile and the length */
function readExtensions(bytes: Buffer): Map<number, Buffer> {
  const extensions = new Map<number, Buffer>();
  const profile = bytes.readUInt16BE(0);
  const isOneByte = profile === ONE_BYTE_PROFILE;
  if (!isOneByte && profile >> 4 !== TWO_BYTE_PROFILE) return extensions;
  let at = 4;
  while (at < bytes.length) {
    const head = bytes.readUInt8(at);
    at += 1;
    if (head === 0) continue;
    const id = isOneByte ? head >> 4 : head;
    if (isOneByte && id === 15) break;
    if (!isOneByte && at >= bytes.length) break;
    const sizeBytes = isOneByte ? (head & 0x0f) + 1 : bytes.readUInt8(at);
    if (!isOneByte) at += 1;
    if (at + sizeBytes > bytes.length) break;
    extensions.set(id, bytes.subarray(at, at + sizeBytes));
    at += sizeBytes;
  }
  return extensions;
}
