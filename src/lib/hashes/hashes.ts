/**
 * XEP-0300: Use of Cryptographic Hash Functions in XMPP, version 1.0.0.
 */

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
