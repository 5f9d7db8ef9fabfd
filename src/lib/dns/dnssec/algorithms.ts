/**
 * The signature algorithms and digests of DNSSEC (RFC 8624, and the wire forms of keys: RFC 3110, 5702, 6605, 8080).
 *
 * What is not here is treated as if the zone were unsigned, as RFC 4035 §5.2 wants: RSA with SHA-1 and digests by SHA-1
 * among them, which no longer prove anything.
 */
import { createPublicKey, verify, type JsonWebKey } from 'node:crypto';

interface Algorithm {
  /** For node:crypto; the Edwards curves bring their own. */
  hash: string | null;
  toJwk: (publicKey: Buffer) => JsonWebKey | undefined;
}

const ALGORITHMS: ReadonlyMap<number, Algorithm> = new Map([
  [8, { hash: 'sha256', toJwk: (key) => rsaToJwk(key, 512) }],
  [10, { hash: 'sha512', toJwk: (key) => rsaToJwk(key, 1024) }],
  [13, { hash: 'sha256', toJwk: (key) => curveToJwk(key, 'P-256', 32) }],
  [14, { hash: 'sha384', toJwk: (key) => curveToJwk(key, 'P-384', 48) }],
  [15, { hash: null, toJwk: (key) => edwardsToJwk(key, 'Ed25519', 32) }],
  [16, { hash: null, toJwk: (key) => edwardsToJwk(key, 'Ed448', 57) }],
]);

const NAMES: Readonly<Record<number, string>> = {
  1: 'RSAMD5',
  3: 'DSA',
  5: 'RSASHA1',
  6: 'DSA-NSEC3-SHA1',
  7: 'RSASHA1-NSEC3-SHA1',
  8: 'RSASHA256',
  10: 'RSASHA512',
  12: 'ECC-GOST',
  13: 'ECDSAP256SHA256',
  14: 'ECDSAP384SHA384',
  15: 'ED25519',
  16: 'ED448',
};

/** Digests of DS records by their number: SHA-256 and SHA-384 (RFC 4509, RFC 6605). */
const DIGESTS: Readonly<Record<number, string>> = { 2: 'sha256', 4: 'sha384' };

export const WEAK_DIGEST_SHA1 = 1;

export function isSupportedAlgorithm(algorithm: number): boolean {
  return ALGORITHMS.has(algorithm);
}

export function describeAlgorithm(algorithm: number): string {
  return NAMES[algorithm] ?? `algorithm ${algorithm}`;
}

/** What node:crypto calls it; undefined for one that proves nothing here. */
export function findDigest(digestType: number): string | undefined {
  return DIGESTS[digestType];
}

/** Is it the signature of these bytes? Keys and signatures that are not well-formed are no signature. */
export function verifySignature(
  algorithm: number,
  publicKey: Buffer,
  signed: Buffer,
  signature: Buffer,
): boolean {
  const known = ALGORITHMS.get(algorithm);
  const jwk = known?.toJwk(publicKey);
  if (!known || !jwk) return false;
  try {
    const key = createPublicKey({ key: jwk, format: 'jwk' });
    return verify(known.hash, signed, { key, dsaEncoding: 'ieee-p1363' }, signature);
  } catch {
    // OpenSSL refuses points that are not on the curve and the like.
    return false;
  }
}

const MAX_MODULUS_BITS = 4096;
/** Larger exponents only make checking slow; 2^32 + 1 was once in use. */
const MAX_EXPONENT_BYTES = 5;

/** RFC 3110 §2: the length of the exponent in one byte, or in two after a zero. */
function rsaToJwk(key: Buffer, minModulusBits: number): JsonWebKey | undefined {
  if (key.length < 3) return undefined;
  const isLong = key.readUInt8() === 0;
  const exponentBytes = isLong ? key.readUInt16BE(1) : key.readUInt8();
  const start = isLong ? 3 : 1;
  const exponent = key.subarray(start, start + exponentBytes);
  const modulus = key.subarray(start + exponentBytes);
  const modulusBits = modulus.length * 8;
  if (exponentBytes === 0 || exponentBytes > MAX_EXPONENT_BYTES) return undefined;
  if (modulusBits < minModulusBits || modulusBits > MAX_MODULUS_BITS) return undefined;
  return { kty: 'RSA', e: exponent.toString('base64url'), n: modulus.toString('base64url') };
}

function curveToJwk(key: Buffer, curve: string, sizeBytes: number): JsonWebKey | undefined {
  if (key.length !== 2 * sizeBytes) return undefined;
  const [x, y] = [key.subarray(0, sizeBytes), key.subarray(sizeBytes)];
  return { kty: 'EC', crv: curve, x: x.toString('base64url'), y: y.toString('base64url') };
}

function edwardsToJwk(key: Buffer, curve: string, sizeBytes: number): JsonWebKey | undefined {
  return key.length === sizeBytes ? { kty: 'OKP', crv: curve, x: key.toString('base64url') } : undefined;
}
