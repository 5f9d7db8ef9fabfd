/** Keys of zones, and the DS records that introduce them (RFC 4034 §2, §5, appendix B). */
import { createHash } from 'node:crypto';
import { nameToWire } from '../name.js';
import type { RecordOf } from '../records.js';
import { findDigest, isSupportedAlgorithm } from './algorithms.js';

const FLAG_ZONE = 0x0100;
const FLAG_REVOKED = 0x0080;
const PROTOCOL_DNSSEC = 3;

/** May it sign a zone? Revoked ones may not (RFC 5011 §2.1). */
export function isZoneKey({ flags, protocol }: RecordOf<'DNSKEY'>): boolean {
  return (flags & FLAG_ZONE) !== 0 && (flags & FLAG_REVOKED) === 0 && protocol === PROTOCOL_DNSSEC;
}

/** The number signatures and DS records name a key by; several keys may have the same. */
export function computeKeyTag({ rdata }: RecordOf<'DNSKEY'>): number {
  let sum = 0;
  for (const [index, byte] of rdata.entries()) sum += index % 2 === 0 ? byte << 8 : byte;
  return (sum + (sum >>> 16)) & 0xffff;
}

export type DsData = Pick<RecordOf<'DS'>, 'keyTag' | 'algorithm' | 'digestType' | 'digest'>;

/** Can we check it at all? */
export function isSupportedDs({ algorithm, digestType }: DsData): boolean {
  return isSupportedAlgorithm(algorithm) && findDigest(digestType) !== undefined;
}

/** Does the DS record (RFC 4034 §5.1.4) or trust anchor mean this key? */
export function matchesDs(key: RecordOf<'DNSKEY'>, ds: DsData): boolean {
  const digest = findDigest(ds.digestType);
  return (
    digest !== undefined &&
    key.algorithm === ds.algorithm &&
    isZoneKey(key) &&
    computeKeyTag(key) === ds.keyTag &&
    createHash(digest).update(nameToWire(key.name)).update(key.rdata).digest().equals(ds.digest)
  );
}
