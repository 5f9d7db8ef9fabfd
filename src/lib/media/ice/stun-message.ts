/**
 * STUN messages (RFC 8489), as far as ICE (RFC 8445) and TURN (RFC 8656) need them.
 *
 * Reading never throws: what is malformed is `undefined`. Integrity is a question of its own, since the key depends on
 * what is in the message.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { isIPv4 } from 'node:net';
import { crc32 } from 'node:zlib';

const MAGIC_COOKIE = 0x2112a442;
const HEADER_BYTES = 20;
/** RFC 8489 §14.7. */
const FINGERPRINT_MASK = 0x5354554e;
/** More than any message of ICE or TURN has. */
const MAX_ATTRIBUTES = 32;

export const StunMethod = {
  binding: 0x001,
  allocate: 0x003,
  refresh: 0x004,
  send: 0x006,
  data: 0x007,
  createPermission: 0x008,
  channelBind: 0x009,
} as const;

export type StunClass = 'request' | 'indication' | 'success' | 'error';
const classBits: Record<StunClass, number> = { request: 0, indication: 0x010, success: 0x100, error: 0x110 };

/** RFC 8489 §18.3, RFC 8445 §16.1 and RFC 8656 §18. */
export const StunAttribute = {
  username: 0x0006,
  messageIntegrity: 0x0008,
  errorCode: 0x0009,
  channelNumber: 0x000c,
  lifetime: 0x000d,
  xorPeerAddress: 0x0012,
  data: 0x0013,
  realm: 0x0014,
  nonce: 0x0015,
  xorRelayedAddress: 0x0016,
  requestedAddressFamily: 0x0017,
  requestedTransport: 0x0019,
  xorMappedAddress: 0x0020,
  priority: 0x0024,
  useCandidate: 0x0025,
  fingerprint: 0x8028,
  iceControlled: 0x8029,
  iceControlling: 0x802a,
} as const;

export interface StunMessage {
  method: number;
  class: StunClass;
  /** 12 bytes. */
  transactionId: Buffer;
  attributes: ReadonlyMap<number, Buffer>;
}

/** A message as it came, with what is needed to check its integrity. */
export interface ReceivedStunMessage extends StunMessage {
  /** Everything before MESSAGE-INTEGRITY, and its value. */
  signed?: { bytes: Buffer; code: Buffer };
}

export interface TransportAddress {
  ip: string;
  port: number;
}

export interface StunError {
  code: number;
  reason: string;
}

export function newTransactionId(): Buffer {
  return randomBytes(12);
}

/** Told from DTLS and RTP by its first two bits and the cookie (RFC 7983 §7). */
export function isStun(datagram: Buffer): boolean {
  return (
    datagram.length >= HEADER_BYTES && datagram.readUInt8(0) < 4 && datagram.readUInt32BE(4) === MAGIC_COOKIE
  );
}

/** @param key of MESSAGE-INTEGRITY; without it neither that nor a fingerprint is added */
export function encodeStun(message: StunMessage, key?: Buffer): Buffer {
  const parts = [...message.attributes].map(([type, value]) => encodeAttribute(type, value));
  const bodyBytes = parts.reduce((sum, part) => sum + part.length, 0);
  const head = Buffer.alloc(HEADER_BYTES);
  head.writeUInt16BE(encodeType(message.method, message.class), 0);
  head.writeUInt16BE(bodyBytes, 2);
  head.writeUInt32BE(MAGIC_COOKIE, 4);
  message.transactionId.copy(head, 8, 0, 12);
  let bytes = Buffer.concat([head, ...parts]);
  if (key === undefined) return bytes;
  const code = integrityCode(bytes, key);
  bytes = Buffer.concat([bytes, encodeAttribute(StunAttribute.messageIntegrity, code)]);
  const fingerprint = Buffer.alloc(4);
  fingerprint.writeUInt32BE(fingerprintOf(bytes));
  bytes = Buffer.concat([bytes, encodeAttribute(StunAttribute.fingerprint, fingerprint)]);
  bytes.writeUInt16BE(bytes.length - HEADER_BYTES, 2);
  return bytes;
}

/** @returns undefined for what is no STUN message, is cut short, or has a wrong fingerprint */
export function decodeStun(datagram: Buffer): ReceivedStunMessage | undefined {
  if (!isStun(datagram)) return undefined;
  const bodyBytes = datagram.readUInt16BE(2);
  if (bodyBytes % 4 !== 0 || bodyBytes + HEADER_BYTES > datagram.length) return undefined;
  const end = bodyBytes + HEADER_BYTES;
  const attributes = new Map<number, Buffer>();
  let signed: ReceivedStunMessage['signed'];
  let at = HEADER_BYTES;
  for (let count = 0; at < end; count += 1) {
    if (count >= MAX_ATTRIBUTES || at + 4 > end) return undefined;
    const type = datagram.readUInt16BE(at);
    const sizeBytes = datagram.readUInt16BE(at + 2);
    const value = datagram.subarray(at + 4, at + 4 + sizeBytes);
    if (at + 4 + sizeBytes > end) return undefined;
    if (type === StunAttribute.fingerprint) {
      if (sizeBytes !== 4 || value.readUInt32BE(0) !== fingerprintOf(datagram.subarray(0, at)))
        return undefined;
    } else if (type === StunAttribute.messageIntegrity) {
      if (sizeBytes !== 20) return undefined;
      signed ??= { bytes: datagram.subarray(0, at), code: value };
    } else if (signed === undefined && !attributes.has(type)) {
      // What comes after the integrity is not protected by it and does not count (RFC 8489 §14.5).
      attributes.set(type, value);
    }
    at += 4 + sizeBytes + paddingOf(sizeBytes);
  }
  const type = datagram.readUInt16BE(0);
  const message = {
    method: (type & 0x000f) | ((type & 0x00e0) >> 1) | ((type & 0x3e00) >> 2),
    class: classOf(type),
    transactionId: Buffer.from(datagram.subarray(8, HEADER_BYTES)),
    attributes,
  };
  return signed === undefined ? message : { ...message, signed };
}

export function hasIntegrity(message: ReceivedStunMessage, key: Buffer): boolean {
  const { signed } = message;
  return signed !== undefined && timingSafeEqual(integrityCode(signed.bytes, key), signed.code);
}

export function readText(message: StunMessage, attribute: number): string | undefined {
  return message.attributes.get(attribute)?.toString('utf8');
}

export function readUint32(message: StunMessage, attribute: number): number | undefined {
  const value = message.attributes.get(attribute);
  return value?.length === 4 ? value.readUInt32BE(0) : undefined;
}

export function readUint64(message: StunMessage, attribute: number): bigint | undefined {
  const value = message.attributes.get(attribute);
  return value?.length === 8 ? value.readBigUInt64BE(0) : undefined;
}

/** RFC 8489 §14.8. */
export function readError(message: StunMessage): StunError {
  const value = message.attributes.get(StunAttribute.errorCode);
  if (value === undefined || value.length < 4) return { code: 0, reason: '' };
  const code = (value.readUInt8(2) & 7) * 100 + value.readUInt8(3);
  return { code, reason: value.subarray(4, 132).toString('utf8') };
}

export function encodeError({ code, reason }: StunError): Buffer {
  const head = Buffer.from([0, 0, Math.floor(code / 100), code % 100]);
  return Buffer.concat([head, Buffer.from(reason)]);
}

/** RFC 8489 §14.2. */
export function readAddress(message: StunMessage, attribute: number): TransportAddress | undefined {
  const value = message.attributes.get(attribute);
  if (value === undefined || value.length < 8) return undefined;
  const port = value.readUInt16BE(2) ^ (MAGIC_COOKIE >>> 16);
  const family = value.readUInt8(1);
  const sizeBytes = family === 1 ? 4 : family === 2 ? 16 : 0;
  if (sizeBytes === 0 || value.length !== 4 + sizeBytes) return undefined;
  return { ip: textOfAddress(masked(value.subarray(4), message.transactionId)), port };
}

export function encodeAddress({ ip, port }: TransportAddress, transactionId: Buffer): Buffer {
  const address = bytesOfAddress(ip);
  const head = Buffer.alloc(4);
  head.writeUInt8(address.length === 4 ? 1 : 2, 1);
  head.writeUInt16BE(port ^ (MAGIC_COOKIE >>> 16), 2);
  return Buffer.concat([head, masked(address, transactionId)]);
}

export function encodeUint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}

export function encodeUint64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(value);
  return bytes;
}

function encodeType(method: number, kind: StunClass): number {
  const spread = (method & 0x000f) | ((method & 0x0070) << 1) | ((method & 0x0f80) << 2);
  return spread | classBits[kind];
}

function classOf(type: number): StunClass {
  const bits = type & 0x110;
  if (bits === 0) return 'request';
  if (bits === 0x010) return 'indication';
  return bits === 0x100 ? 'success' : 'error';
}

function encodeAttribute(type: number, value: Buffer): Buffer {
  const bytes = Buffer.alloc(4 + value.length + paddingOf(value.length));
  bytes.writeUInt16BE(type, 0);
  bytes.writeUInt16BE(value.length, 2);
  value.copy(bytes, 4);
  return bytes;
}

function paddingOf(sizeBytes: number): number {
  return (4 - (sizeBytes % 4)) % 4;
}

/** The length in the header counts up to and with the attribute that is being made (RFC 8489 §14.5). */
function withLength(bytes: Buffer, attributeBytes: number): Buffer {
  const copy = Buffer.from(bytes);
  copy.writeUInt16BE(bytes.length - HEADER_BYTES + attributeBytes, 2);
  return copy;
}

function integrityCode(bytes: Buffer, key: Buffer): Buffer {
  return createHmac('sha1', key).update(withLength(bytes, 24)).digest();
}

function fingerprintOf(bytes: Buffer): number {
  return (crc32(withLength(bytes, 8)) ^ FINGERPRINT_MASK) >>> 0;
}

function masked(address: Buffer, transactionId: Buffer): Buffer {
  const mask = Buffer.concat([encodeUint32(MAGIC_COOKIE), transactionId]);
  return Buffer.from(address.map((byte, index) => byte ^ mask.readUInt8(index)));
}

function textOfAddress(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join('.');
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16));
  return canonicalAddress(groups.join(':'));
}

/** The one form that addresses are compared in (RFC 5952). */
export function canonicalAddress(ip: string): string {
  if (isIPv4(ip)) return ip;
  const host = new URL(`http://[${ip}]/`).hostname.slice(1, -1);
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(host);
  if (!mapped) return host;
  const [high = 0, low = 0] = mapped.slice(1).map((group) => parseInt(group, 16));
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}

function bytesOfAddress(ip: string): Buffer {
  if (isIPv4(ip)) return Buffer.from(ip.split('.').map(Number));
  const [head = '', tail] = canonicalAddress(ip).split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => '0');
  const bytes = Buffer.alloc(16);
  [...left, ...zeros, ...right].forEach((group, index) =>
    bytes.writeUInt16BE(parseInt(group, 16), index * 2),
  );
  return bytes;
}
