/** Keys and signatures as a signed zone has them, made in this process with node:crypto. */
import { createHash, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';

/** A record as it goes over the wire. */
export interface TestRecord {
  name: string;
  type: number;
  ttlSeconds: number;
  rdata: Buffer;
}

export interface ZoneKey {
  algorithm: number;
  keyTag: number;
  /** RDATA of its DNSKEY record. */
  rdata: Buffer;
  sign: (bytes: Buffer) => Buffer;
}

const HASHES: Readonly<Record<number, string>> = {
  5: 'sha1',
  8: 'sha256',
  10: 'sha512',
  13: 'sha256',
  14: 'sha384',
};

export function generateZoneKey(algorithm = 13, { flags = 257 } = {}): ZoneKey {
  const { privateKey, publicKey } = generatePair(algorithm);
  const rdata = Buffer.concat([uint16(flags), Buffer.of(3, algorithm), encodePublicKey(publicKey)]);
  return {
    algorithm,
    rdata,
    keyTag: computeTag(rdata),
    sign: (bytes) => sign(HASHES[algorithm] ?? null, bytes, { key: privateKey, dsaEncoding: 'ieee-p1363' }),
  };
}

function generatePair(algorithm: number): { privateKey: KeyObject; publicKey: KeyObject } {
  switch (algorithm) {
    case 13:
      return generateKeyPairSync('ec', { namedCurve: 'P-256' });
    case 14:
      return generateKeyPairSync('ec', { namedCurve: 'P-384' });
    case 15:
      return generateKeyPairSync('ed25519');
    case 16:
      return generateKeyPairSync('ed448');
    default:
      return generateKeyPairSync('rsa', { modulusLength: 1024 });
  }
}

function encodePublicKey(key: KeyObject): Buffer {
  const { kty, e = '', n = '', x = '', y = '' } = key.export({ format: 'jwk' });
  const decode = (text: string): Buffer => Buffer.from(text, 'base64url');
  return kty === 'RSA'
    ? Buffer.concat([Buffer.of(decode(e).length), decode(e), decode(n)])
    : Buffer.concat([decode(x), decode(y)]);
}

/** RFC 4034 appendix B, as it is written there. */
function computeTag(rdata: Buffer): number {
  let accumulator = 0;
  for (let index = 0; index < rdata.length; index++)
    accumulator += index & 1 ? (rdata[index] ?? 0) : (rdata[index] ?? 0) << 8;
  accumulator += (accumulator >> 16) & 0xffff;
  return accumulator & 0xffff;
}

export interface SigningTimes {
  inception: number;
  expiration: number;
  /** How many labels are said to be signed; those of the name unless told. */
  labels?: number;
}

/** The RRSIG record over records of one name and type; one below `*` signs what a wildcard is expanded to. */
export function signRecords(
  records: readonly TestRecord[],
  zone: string,
  key: ZoneKey,
  { inception, expiration, labels }: SigningTimes,
): TestRecord {
  const [first] = records;
  if (!first) throw new Error('there is nothing to sign');
  const ownLabels = splitName(first.name).filter((label) => label !== '*').length;
  const fields = Buffer.concat([
    uint16(first.type),
    Buffer.of(key.algorithm, labels ?? ownLabels),
    uint32(first.ttlSeconds),
    uint32(expiration),
    uint32(inception),
    uint16(key.keyTag),
    encodeName(zone),
  ]);
  const sorted = records.map(({ rdata }) => rdata).sort((a, b) => Buffer.compare(a, b));
  const signed = sorted.flatMap((rdata) => [
    encodeName(first.name),
    uint16(first.type),
    uint16(1),
    uint32(first.ttlSeconds),
    uint16(rdata.length),
    rdata,
  ]);
  return {
    name: first.name,
    type: 46,
    ttlSeconds: first.ttlSeconds,
    rdata: Buffer.concat([fields, key.sign(Buffer.concat([fields, ...signed]))]),
  };
}

const DS_DIGESTS: Readonly<Record<number, string>> = { 1: 'sha1', 2: 'sha256', 4: 'sha384' };

export function makeDs(zone: string, key: ZoneKey, digestType = 2): Buffer {
  const digest = createHash(DS_DIGESTS[digestType] ?? 'sha256')
    .update(encodeName(zone))
    .update(key.rdata)
    .digest();
  return Buffer.concat([uint16(key.keyTag), Buffer.of(key.algorithm, digestType), digest]);
}

export function splitName(name: string): string[] {
  return name === '.' ? [] : name.split('.');
}

export function encodeName(name: string): Buffer {
  const labels = splitName(name.toLowerCase());
  return Buffer.concat([
    ...labels.map((label) => Buffer.concat([Buffer.of(label.length), Buffer.from(label)])),
    Buffer.of(0),
  ]);
}

export function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** RDATA of the types that tests need. */
export const rdata = {
  a: (address: string): Buffer => Buffer.from(address.split('.').map(Number)),
  name: encodeName,
  srv: (priority: number, weight: number, port: number, target: string): Buffer =>
    Buffer.concat([uint16(priority), uint16(weight), uint16(port), encodeName(target)]),
  tlsa: (usage: number, selector: number, matchingType: number, data: Buffer): Buffer =>
    Buffer.concat([Buffer.of(usage, selector, matchingType), data]),
  caa: (flags: number, tag: string, value: string): Buffer =>
    Buffer.concat([Buffer.of(flags, tag.length), Buffer.from(tag + value)]),
  txt: (...strings: string[]): Buffer =>
    Buffer.concat(strings.map((text) => Buffer.concat([Buffer.of(text.length), Buffer.from(text)]))),
  soa: (primary: string): Buffer =>
    Buffer.concat([encodeName(primary), encodeName('hostmaster.test'), ...[1, 2, 3, 4, 300].map(uint32)]),
  nsec: (next: string, types: readonly number[]): Buffer =>
    Buffer.concat([encodeName(next), encodeBitmap(types)]),
  nsec3: (
    { iterations, salt, isOptOut }: { iterations: number; salt: Buffer; isOptOut: boolean },
    nextHash: Buffer,
    types: readonly number[],
  ): Buffer =>
    Buffer.concat([
      Buffer.of(1, isOptOut ? 1 : 0),
      uint16(iterations),
      Buffer.of(salt.length),
      salt,
      Buffer.of(nextHash.length),
      nextHash,
      encodeBitmap(types),
    ]),
};

function encodeBitmap(types: readonly number[]): Buffer {
  const windows = [...new Set(types.map((type) => type >> 8))].sort((a, b) => a - b);
  return Buffer.concat(
    windows.map((window) => {
      const low = types.filter((type) => type >> 8 === window).map((type) => type & 0xff);
      const bits = Buffer.alloc((Math.max(...low) >> 3) + 1);
      for (const type of low) bits[type >> 3] = (bits[type >> 3] ?? 0) | (0x80 >> (type & 7));
      return Buffer.concat([Buffer.of(window, bits.length), bits]);
    }),
  );
}

/** RFC 5155 §5. */
export function hashName(name: string, iterations: number, salt: Buffer): Buffer {
  let hash = encodeName(name);
  for (let round = 0; round <= iterations; round++)
    hash = createHash('sha1')
      .update(Buffer.concat([hash, salt]))
      .digest();
  return hash;
}

export function toBase32Hex(bytes: Buffer): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  return (bits.match(/.{5}/g) ?? []).map((five) => parseInt(five, 2).toString(32)).join('');
}
