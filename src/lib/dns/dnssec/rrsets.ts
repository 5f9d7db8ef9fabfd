/** Records of one name and type, with the signatures over them (RFC 4035 §2.2). */
import type { WireRecord } from '../message.js';
import type { DnsName } from '../name.js';
import { TYPE_NUMBERS } from '../record-types.js';
import { readRecord, type RecordOf } from '../records.js';

export interface RrSet {
  name: DnsName;
  type: number;
  /** Not empty. */
  records: WireRecord[];
  signatures: RecordOf<'RRSIG'>[];
}

/**
 * In the order in which their first records came.
 *
 * @throws {DnsError} for a signature that is not well-formed
 */
export function groupRrSets(records: readonly WireRecord[]): RrSet[] {
  const sets = new Map<string, RrSet>();
  for (const record of records) {
    if (record.type === TYPE_NUMBERS.RRSIG) continue;
    const key = `${record.type} ${record.name}`;
    const set = sets.get(key) ?? { name: record.name, type: record.type, records: [], signatures: [] };
    set.records.push(record);
    sets.set(key, set);
  }
  for (const record of records) {
    if (record.type !== TYPE_NUMBERS.RRSIG) continue;
    const signature = readRecord(record, 'RRSIG');
    sets.get(`${signature.typeCovered} ${record.name}`)?.signatures.push(signature);
  }
  return [...sets.values()];
}

/** The set of that name and type, if it is among them. */
export function findRrSet(records: readonly WireRecord[], name: DnsName, type: number): RrSet | undefined {
  return groupRrSets(records.filter((record) => record.name === name)).find((set) => set.type === type);
}
