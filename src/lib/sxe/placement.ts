/**
 * Which records are put back to where they were created, because they were moved under each other.
 *
 * Two participants move A under B and B under A at the same time: each edit is good, both together are a cycle. All records
 * of a cycle that were moved count as not moved (CLARIFICATIONS 7). It is told from the records alone, whatever came first.
 */
import type { SharedRecord } from './record.js';

type Records = ReadonlyMap<string, SharedRecord>;

/** Whether following the parents from `parent` on leads to the record itself. */
export function isUnder(records: Records, parent: string, rid: string): boolean {
  // A cycle that the record is no part of would be followed for ever: one walker at half the speed is met again.
  let slow = parent;
  let steps = 0;
  for (let at = parent; at !== '';) {
    if (at === rid) return true;
    const record = records.get(at);
    if (!record) return false;
    at = record.placedIn;
    if (++steps % 2 === 0) slow = records.get(slow)?.placedIn ?? '';
    if (at === slow && at !== '' && at !== rid) return false;
  }
  return false;
}

/** @param moved the records whose parent is another than the one they were created with */
export function findFallenBack(records: Records, moved: Iterable<SharedRecord>): Set<SharedRecord> {
  const candidates = [...moved];
  const fallen = new Set<SharedRecord>();
  for (;;) {
    const found = findInCycles(records, candidates, fallen);
    if (found.length === 0) return fallen;
    for (const record of found) fallen.add(record);
  }
}

/** The moved records in cycles that have not fallen back yet. */
function findInCycles(
  records: Records,
  moved: readonly SharedRecord[],
  fallen: ReadonlySet<SharedRecord>,
): SharedRecord[] {
  const found: SharedRecord[] = [];
  /** In which walk a record was met. */
  const walks = new Map<SharedRecord, number>();
  const parentOf = (record: SharedRecord): SharedRecord | undefined =>
    records.get(fallen.has(record) ? record.base.parent : record.fields.parent);
  moved.forEach((start, walk) => {
    let at: SharedRecord | undefined = start;
    while (at && !walks.has(at)) {
      walks.set(at, walk);
      at = parentOf(at);
    }
    if (!at || walks.get(at) !== walk) return;
    for (let member: SharedRecord | undefined = at; member;) {
      if (member.fields.parent !== member.base.parent && !fallen.has(member)) found.push(member);
      member = parentOf(member);
      if (member === at) break;
    }
  });
  return found;
}
