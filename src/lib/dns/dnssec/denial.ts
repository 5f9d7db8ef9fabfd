/**
 * What signed records of a zone prove about what does not exist. Both kinds answer the same questions:
 * `nsec.ts` (RFC 4035 §5.4) and `nsec3.ts` (RFC 5155 §8).
 */
import type { DnsName } from '../name.js';
import { TYPE_NUMBERS } from '../record-types.js';

export type Proof =
  /** It is proven. `isDelegation`: the name is where another zone begins, so a missing DS record means "unsigned". */
  | { result: 'proven'; isDelegation?: boolean }
  /** The zone says that it does not sign what is there, so unsigned zones may be (RFC 5155 §6); or it cannot be checked. */
  | { result: 'unsigned'; reason: string }
  /** Something is missing from the proof. */
  | { result: 'none' };

/** The records, each with a good signature by the zone that is asked about. */
export interface Denial {
  /** There is no such name, and no wildcard that would make one. */
  proveNoDomain: (name: DnsName) => Proof;
  /** There is no record of this type at the name. */
  proveNoData: (name: DnsName, type: number) => Proof;
  /** The name itself does not exist, so it was made from the wildcard below the last `ancestorLabels` labels. */
  proveWildcardUse: (name: DnsName, ancestorLabels: number) => Proof;
}

export const NOT_PROVEN: Proof = { result: 'none' };

/** The upper side of a place where another zone begins: NS without SOA. It says nothing about the zone below. */
export function isDelegation(types: ReadonlySet<number>): boolean {
  return types.has(TYPE_NUMBERS.NS) && !types.has(TYPE_NUMBERS.SOA);
}

/** Names below it are not this zone's, or are made by DNAME: it cannot deny them (RFC 6840 §4.1). */
export function endsZone(types: ReadonlySet<number>): boolean {
  return isDelegation(types) || types.has(TYPE_NUMBERS.DNAME);
}

/** What the list of types at the very name proves. */
export function proveByTypes(types: ReadonlySet<number>, type: number, isRoot: boolean): Proof {
  if (types.has(type) || types.has(TYPE_NUMBERS.CNAME)) return NOT_PROVEN;
  if (type !== TYPE_NUMBERS.DS) return isDelegation(types) ? NOT_PROVEN : { result: 'proven' };
  // The zone below answers for itself only; whether it has a DS record is for the zone above to say.
  if (types.has(TYPE_NUMBERS.SOA) && !isRoot) return NOT_PROVEN;
  return { result: 'proven', isDelegation: isDelegation(types) };
}

/** What the list of types at a wildcard proves about a name made from it. Such a name begins no zone. */
export function proveByWildcard(types: ReadonlySet<number>, type: number): Proof {
  return proveByTypes(types, type, false).result === 'proven' ? { result: 'proven' } : NOT_PROVEN;
}
