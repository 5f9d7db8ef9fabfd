/**
 * XEP-0300: Use of Cryptographic Hash Functions in XMPP, version 1.0.0: which algorithms there are, which one is
 * taken, and what service discovery says of them. What goes over the wire is in `stanzas.ts`.
 */

export const NS_HASHES = 'urn:xmpp:hashes:2';
const FEATURE_PREFIX = 'urn:xmpp:hash-function-text-names:';

/** The algorithms that can be checked here, strongest first (XEP-0300 §4). */
export const hashAlgorithms = [
  'blake2b-512',
  'sha3-512',
  'sha-512',
  'blake2b-256',
  'sha3-256',
  'sha-256',
  'sha-1',
] as const;
export type HashAlgorithm = (typeof hashAlgorithms)[number];

export interface Hash {
  algorithm: HashAlgorithm;
  value: Buffer;
}

/** How long a digest is, in bytes. */
export const digestBytes: Readonly<Record<HashAlgorithm, number>> = {
  'blake2b-512': 64,
  'sha3-512': 64,
  'sha-512': 64,
  'blake2b-256': 32,
  'sha3-256': 32,
  'sha-256': 32,
  'sha-1': 20,
};

/** Every client that checks hashes at all knows it, and with the instructions of today's processors it is the fastest. */
const DEFAULT_ALGORITHM: HashAlgorithm = 'sha-256';

/** The table in XEP-0300 §3 says `blake2b-256`, its registry in §8.3 (and XEP-0447) `id-blake2b256`: both are in use. */
const otherNames: ReadonlyMap<string, HashAlgorithm> = new Map([
  ['id-blake2b256', 'blake2b-256'],
  ['id-blake2b512', 'blake2b-512'],
]);

/** The algorithm of an `algo` attribute; undefined for one that cannot be checked here. */
export function readAlgorithm(name: string): HashAlgorithm | undefined {
  return hashAlgorithms.find((known) => known === name) ?? otherNames.get(name);
}

/** What service discovery says of an entity that checks these hashes (XEP-0300 §5). */
export function hashFeatures(): string[] {
  return [NS_HASHES, ...[...hashAlgorithms, ...otherNames.keys()].map((name) => FEATURE_PREFIX + name)];
}

/**
 * The algorithm for something that is going to be sent: SHA-256, unless the receiver says that it knows only others.
 * Never SHA-1, which proves nothing any more.
 * @param features what the receiver advertises; many check hashes without saying so
 */
export function chooseAlgorithm(features: readonly string[] = []): HashAlgorithm {
  const known = new Set(
    features.flatMap((feature) =>
      feature.startsWith(FEATURE_PREFIX) ? [readAlgorithm(feature.slice(FEATURE_PREFIX.length))] : [],
    ),
  );
  if (known.has(DEFAULT_ALGORITHM)) return DEFAULT_ALGORITHM;
  return hashAlgorithms.find((name) => name !== 'sha-1' && known.has(name)) ?? DEFAULT_ALGORITHM;
}

/** The strongest of some algorithms: the one that is worth computing (XEP-0414 §4). */
export function strongestOf(algorithms: Iterable<HashAlgorithm>): HashAlgorithm | undefined {
  const wanted = new Set(algorithms);
  return hashAlgorithms.find((name) => wanted.has(name));
}

/**
 * Whether a hash that was sent is this digest.
 *
 * COMPAT(Libervia 0.9): what it sends in base64 is the digest in hexadecimal digits, not its bytes. The two cannot be
 * mistaken for each other: one is twice as long.
 */
export function matchesHash(digest: Uint8Array, sent: Uint8Array): boolean {
  const expected = Buffer.from(digest.buffer, digest.byteOffset, digest.byteLength);
  if (expected.equals(sent)) return true;
  return Buffer.from(sent).toString('latin1').toLowerCase() === expected.toString('hex');
}
