/**
 * STUN and TURN messages (RFC 8489, RFC 8656), as much of them as it takes to see whether a server answers, whether it
 * relays for strangers, and whether its credentials work.
 */
import { createHash, createHmac, randomBytes } from 'node:crypto';

const MAGIC = 0x2112a442;

export const Method = { binding: 0x001, allocate: 0x003, refresh: 0x004 } as const;
export const Attribute = {
  username: 0x0006,
  messageIntegrity: 0x0008,
  errorCode: 0x0009,
  lifetime: 0x000d,
  realm: 0x0014,
  nonce: 0x0015,
  xorRelayedAddress: 0x0016,
  requestedTransport: 0x0019,
  xorMappedAddress: 0x0020,
} as const;

export interface StunMessage {
  method: number;
  kind: 'request' | 'indication' | 'success' | 'error';
  transaction: Buffer;
  attributes: readonly { type: number; value: Buffer }[];
}

/** Long-term credentials (RFC 8489 §9.2). */
export interface StunCredentials {
  username: string;
  password: string;
  realm: string;
  nonce: Buffer;
}

export function newTransaction(): Buffer {
  return randomBytes(12);
}

/** A request, with MESSAGE-INTEGRITY where there are credentials. */
export function encodeRequest(
  method: number,
  transaction: Buffer,
  attributes: readonly { type: number; value: Buffer }[],
  credentials?: StunCredentials,
): Buffer {
  const all = [
    ...attributes,
    ...(credentials
      ? [
          { type: Attribute.username, value: Buffer.from(credentials.username) },
          { type: Attribute.realm, value: Buffer.from(credentials.realm) },
          { type: Attribute.nonce, value: credentials.nonce },
        ]
      : []),
  ];
  const body = Buffer.concat(all.map(encodeAttribute));
  if (!credentials) return Buffer.concat([header(method, body.length, transaction), body]);
  const signed = Buffer.concat([header(method, body.length + 24, transaction), body]);
  const key = createHash('md5')
    .update(`${credentials.username}:${credentials.realm}:${credentials.password}`)
    .digest();
  const value = createHmac('sha1', key).update(signed).digest();
  return Buffer.concat([signed, encodeAttribute({ type: Attribute.messageIntegrity, value })]);
}

function header(method: number, length: number, transaction: Buffer): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt16BE(method, 0);
  bytes.writeUInt16BE(length, 2);
  bytes.writeUInt32BE(MAGIC, 4);
  return Buffer.concat([bytes, transaction]);
}

function encodeAttribute({ type, value }: { type: number; value: Buffer }): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt16BE(type, 0);
  head.writeUInt16BE(value.length, 2);
  return Buffer.concat([head, value, Buffer.alloc((4 - (value.length % 4)) % 4)]);
}

/** Undefined for what is no STUN message. */
export function decodeStun(bytes: Buffer): StunMessage | undefined {
  if (bytes.length < 20 || bytes.readUInt32BE(4) !== MAGIC) return undefined;
  const type = bytes.readUInt16BE(0);
  const length = bytes.readUInt16BE(2);
  if ((type & 0xc000) !== 0 || length % 4 !== 0 || bytes.length < 20 + length) return undefined;
  const attributes: { type: number; value: Buffer }[] = [];
  for (let at = 20; at + 4 <= 20 + length;) {
    const size = bytes.readUInt16BE(at + 2);
    if (at + 4 + size > 20 + length) return undefined;
    attributes.push({ type: bytes.readUInt16BE(at), value: bytes.subarray(at + 4, at + 4 + size) });
    at += 4 + size + ((4 - (size % 4)) % 4);
  }
  const kind =
    (['request', 'indication', 'success', 'error'] as const)[((type >> 7) & 2) | ((type >> 4) & 1)] ??
    'request';
  return {
    method: (type & 0x000f) | ((type & 0x00e0) >> 1) | ((type & 0x3e00) >> 2),
    kind,
    transaction: bytes.subarray(8, 20),
    attributes,
  };
}

export function findAttribute(message: StunMessage, type: number): Buffer | undefined {
  return message.attributes.find((attribute) => attribute.type === type)?.value;
}

/** `401`; undefined where the message has none. */
export function errorCodeOf(message: StunMessage): number | undefined {
  const value = findAttribute(message, Attribute.errorCode);
  return value && value.length >= 4 ? (value.readUInt8(2) & 7) * 100 + value.readUInt8(3) : undefined;
}

/** An XOR'ed address (RFC 8489 §14.2) as text; undefined where it cannot be read. */
export function readXorAddress(value: Buffer | undefined, transaction: Buffer): string | undefined {
  if (!value || value.length < 8) return undefined;
  const mask = Buffer.alloc(16);
  mask.writeUInt32BE(MAGIC, 0);
  transaction.copy(mask, 4);
  const family = value.readUInt8(1);
  const bytes = value.subarray(4).map((byte, index) => byte ^ (mask[index] ?? 0));
  if (family === 1) return [...bytes.subarray(0, 4)].join('.');
  if (family !== 2 || bytes.length < 16) return undefined;
  const groups = Array.from({ length: 8 }, (_, index) =>
    (((bytes[2 * index] ?? 0) << 8) | (bytes[2 * index + 1] ?? 0)).toString(16),
  );
  return groups.join(':');
}
