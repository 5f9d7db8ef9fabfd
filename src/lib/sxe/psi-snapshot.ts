/**
 * A document as Psi takes it: it counts the edits of a record, so that none may be missing, and what it cannot show it removes
 * for everybody.
 */
import type { Edit, NewEdit, SetEdit, StateItem } from './edits.js';
import type { Snapshot } from './snapshot.js';
import { compareRids } from './weight-order.js';

/** Versions of one record that may be missing: a document with more than that is none that people have made. */
const MAX_FILLED = 10_000;

interface RecordEdits {
  created: NewEdit;
  changes: SetEdit[];
}

export function psiSnapshotItems({ prolog, edits }: Snapshot): StateItem[] {
  const records = new Map<string, RecordEdits>();
  for (const edit of edits) {
    if (edit.kind === 'new') records.set(edit.rid, { created: edit, changes: [] });
    else if (edit.kind === 'set') records.get(edit.target)?.changes.push(edit);
  }
  const items: Edit[] = [];
  for (const rid of shownRids(records)) {
    const record = records.get(rid);
    if (record) items.push(...withEveryVersion(record));
  }
  return [
    { kind: 'document-begin', prolog },
    ...items,
    { kind: 'document-end', lastSender: '', lastId: '', seen: [], following: 0 },
  ];
}

/** Parents before what is in them; not what has no parent, and no second root (XEP-0284 §10.3). */
function shownRids(records: ReadonlyMap<string, RecordEdits>): string[] {
  const children = new Map<string, string[]>();
  for (const [rid, { created, changes }] of records) {
    const parent = changes.findLast((change) => change.parent !== undefined)?.parent ?? created.parent ?? '';
    const siblings = children.get(parent);
    if (siblings) siblings.push(rid);
    else children.set(parent, [rid]);
  }
  const isElement = (rid: string): boolean => records.get(rid)?.created.type === 'element';
  const top = children.get('') ?? [];
  const root = top.filter(isElement).sort(compareRids).at(-1);
  const shown: string[] = [];
  const open = top.filter((rid) => rid === root || !isElement(rid)).reverse();
  for (let rid = open.pop(); rid !== undefined; rid = open.pop()) {
    shown.push(rid);
    if (isElement(rid)) open.push(...(children.get(rid) ?? []).reverse());
  }
  return shown;
}

/** Where a conflict was, edits that change nothing stand for those that do not hold. */
function* withEveryVersion({ created, changes }: RecordEdits): Generator<Edit> {
  const { version: _version, ...first } = created;
  yield first;
  let version = 0;
  const fill = function* (until: number): Generator<SetEdit> {
    for (let filled = 0; version < until && filled < MAX_FILLED; filled++)
      yield { kind: 'set', target: created.rid, version: ++version };
  };
  yield* fill(created.version ?? 0);
  for (const change of changes) {
    yield* fill(change.version - 1);
    yield change;
    version = change.version;
  }
}
