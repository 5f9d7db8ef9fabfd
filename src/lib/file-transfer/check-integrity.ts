/**
 * Whether what arrived is what was sent, as far as the hashes of the sender tell (XEP-0234 §6.2, XEP-0300).
 */
import { hashAlgorithms, type Hash, type HashAlgorithm } from '../hashes/hashes.js';
import type { FileSink } from './transfer.js';

export interface IntegrityCheck {
  outcome: 'verified' | 'mismatch' | 'unknown';
  /** The hash that was computed and compared. */
  hash: Hash | undefined;
}

/** Compares the strongest hash that can be compared. */
export async function checkIntegrity(sink: FileSink, told: readonly Hash[]): Promise<IntegrityCheck> {
  for (const algorithm of hashAlgorithms) {
    const values = told.filter((hash) => hash.algorithm === algorithm).map(({ value }) => value);
    if (values.length === 0) continue;
    const computed = await sink.digest(algorithm);
    if (!computed) continue;
    const isSame = values.some((value) => isSameHash(value, computed));
    return { outcome: isSame ? 'verified' : 'mismatch', hash: { algorithm, value: computed } };
  }
  return { outcome: 'unknown', hash: undefined };
}

/** COMPAT(Libervia 0.9): what is sent in base64 is the hash in hexadecimal digits, not its bytes. */
function isSameHash(told: Buffer, computed: Buffer): boolean {
  return told.equals(computed) || told.toString('latin1').toLowerCase() === computed.toString('hex');
}

const opensslNames: Readonly<Record<HashAlgorithm, string | undefined>> = {
  'blake2b-512': 'blake2b512',
  'sha3-512': 'sha3-512',
  'sha-512': 'sha512',
  // OpenSSL's BLAKE2b has no shorter output.
  'blake2b-256': undefined,
  'sha3-256': 'sha3-256',
  'sha-256': 'sha256',
  'sha-1': 'sha1',
};

/** The name of an algorithm for `crypto.createHash`, where it has it. */
export function opensslNameOf(algorithm: HashAlgorithm): string | undefined {
  return opensslNames[algorithm];
}
