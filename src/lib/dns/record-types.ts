/** The record types this room reads, by the names and numbers of the IANA registry. */

export const TYPE_NUMBERS = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  DNAME: 39,
  DS: 43,
  RRSIG: 46,
  NSEC: 47,
  DNSKEY: 48,
  NSEC3: 50,
  TLSA: 52,
  CAA: 257,
} as const;

export type RecordType = keyof typeof TYPE_NUMBERS;

const NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(TYPE_NUMBERS).map(([name, number]) => [number, name]),
);

/** `SRV`, or `TYPE4711` for one we do not read (RFC 3597 §5). */
export function describeType(number: number): string {
  return NAMES.get(number) ?? `TYPE${number}`;
}
