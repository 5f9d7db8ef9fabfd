/**
 * Whether what arrived is what was sent, as far as the hashes of the sender tell (XEP-0234 §6.2, XEP-0300).
 */
import { hashAlgorithms, matchesHash, type Hash } from '../../hashes/hashes.js';
import type { FileSink } from '../transfer.js';

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
    const isSame = values.some((value) => matchesHash(computed, value));
    return { outcome: isSame ? 'verified' : 'mismatch', hash: { algorithm, value: computed } };
  }
  return { outcome: 'unknown', hash: undefined };
}
