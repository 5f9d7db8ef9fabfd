/** Denial by NSEC: records that name the next name, so that what is between them does not exist (RFC 4035 §5.4). */
import {
  compareNames,
  findCommonAncestor,
  isWithin,
  labelsOf,
  ROOT,
  wildcardOf,
  type DnsName,
} from '../name.js';
import type { RecordOf } from '../records.js';
import { endsZone, NOT_PROVEN, proveByTypes, proveByWildcard, type Denial } from './denial.js';

type Nsec = RecordOf<'NSEC'>;

export function readNsecDenial(records: readonly Nsec[]): Denial {
  const findCovering = (name: DnsName): Nsec | undefined => records.find((record) => covers(record, name));
  const findAt = (name: DnsName): Nsec | undefined => records.find((record) => record.name === name);
  return {
    proveNoDomain: (name) => {
      const covering = findCovering(name);
      // A next name below this one means that this one exists, though it has no records.
      if (!covering || isWithin(covering.next, name)) return NOT_PROVEN;
      return findCovering(wildcardOf(findClosestEncloser(covering, name)))
        ? { result: 'proven' }
        : NOT_PROVEN;
    },
    proveNoData: (name, type) => {
      const at = findAt(name);
      if (at) return proveByTypes(at.types, type, name === ROOT);
      const covering = findCovering(name);
      if (!covering) return NOT_PROVEN;
      if (isWithin(covering.next, name)) return { result: 'proven' };
      const wildcard = findAt(wildcardOf(findClosestEncloser(covering, name)));
      return wildcard ? proveByWildcard(wildcard.types, type) : NOT_PROVEN;
    },
    proveWildcardUse: (name, ancestorLabels) => {
      const covering = findCovering(name);
      const isFromThere = covering && labelsOf(findClosestEncloser(covering, name)).length === ancestorLabels;
      return isFromThere ? { result: 'proven' } : NOT_PROVEN;
    },
  };
}

/** Is the name strictly between the two of the record? The last record of a zone leads back to its first. */
function covers({ name: owner, next, types }: Nsec, name: DnsName): boolean {
  if (isWithin(name, owner) && endsZone(types)) return false;
  const isAfterOwner = compareNames(owner, name) < 0;
  const isBeforeNext = compareNames(name, next) < 0;
  const isLast = compareNames(next, owner) <= 0;
  // Every name of the zone is within the apex, which is what the last record has as its next name.
  return isLast ? isAfterOwner && isWithin(name, next) : isAfterOwner && isBeforeNext;
}

/** The deepest ancestor of the name that exists: both ends of the gap exist, and so does all that is above them. */
function findClosestEncloser({ name: owner, next }: Nsec, name: DnsName): DnsName {
  const [one, other] = [findCommonAncestor(name, owner), findCommonAncestor(name, next)];
  return labelsOf(one).length > labelsOf(other).length ? one : other;
}
