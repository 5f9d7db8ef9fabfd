/** Finds the records of an answer that deny something, and lets only those count that the zone has signed. */
import type { WireRecord } from '../message.js';
import { isWithin, type DnsName } from '../name.js';
import { TYPE_NUMBERS } from '../record-types.js';
import { readRecord, type RecordOf } from '../records.js';
import type { Denial, Proof } from './denial.js';
import { readNsecDenial } from './nsec.js';
import { readNsec3Denial } from './nsec3.js';
import { groupRrSets, type RrSet } from './rrsets.js';
import { verifyRrSet, type SignatureChecks } from './signatures.js';

/** More than any proof needs: three of NSEC3, two of NSEC. */
const MAX_SETS = 8;

/**
 * @param zone the zone that must have signed them
 * @returns what they prove; `flaw` is what is wrong with the first one that does not count
 */
export function collectDenial(
  authorities: readonly WireRecord[],
  { zone, keys }: { zone: DnsName; keys: readonly RecordOf<'DNSKEY'>[] },
  checks: SignatureChecks,
): Denial & { flaw: string | undefined } {
  const good: RrSet[] = [];
  let flaw: string | undefined;
  for (const set of findDenyingSets(authorities)) {
    const verdict = verifyRrSet(set, zone, keys, checks);
    if (!verdict.isValid) flaw ??= verdict.reason;
    // One made from a wildcard would let its owner be any name (RFC 4035 §5.4 with §5.3.4).
    else if (verdict.wildcardLabels === undefined && isWithin(set.name, zone)) good.push(set);
  }
  const recordsOf = (type: number): WireRecord[] =>
    good.filter((set) => set.type === type).flatMap(({ records }) => records);
  const nsec = readNsecDenial(recordsOf(TYPE_NUMBERS.NSEC).map((record) => readRecord(record, 'NSEC')));
  const nsec3 = readNsec3Denial(
    recordsOf(TYPE_NUMBERS.NSEC3).map((record) => readRecord(record, 'NSEC3')),
    zone,
  );
  const first = (...proofs: (() => Proof)[]): Proof => {
    for (const prove of proofs) {
      const proof = prove();
      if (proof.result !== 'none') return proof;
    }
    return { result: 'none' };
  };
  return {
    flaw,
    proveNoDomain: (name) =>
      first(
        () => nsec.proveNoDomain(name),
        () => nsec3.proveNoDomain(name),
      ),
    proveNoData: (name, type) =>
      first(
        () => nsec.proveNoData(name, type),
        () => nsec3.proveNoData(name, type),
      ),
    proveWildcardUse: (name, ancestorLabels) =>
      first(
        () => nsec.proveWildcardUse(name, ancestorLabels),
        () => nsec3.proveWildcardUse(name, ancestorLabels),
      ),
  };
}

/** The sets of NSEC and NSEC3 records, as many as any honest answer has. */
export function findDenyingSets(authorities: readonly WireRecord[]): RrSet[] {
  return groupRrSets(authorities)
    .filter(({ type }) => type === TYPE_NUMBERS.NSEC || type === TYPE_NUMBERS.NSEC3)
    .slice(0, MAX_SETS);
}
