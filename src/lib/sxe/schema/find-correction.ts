/**
 * What has to be taken back so that a document is valid again (XEP-0284 §10.2): as little of it as can be found out, not all
 * that was changed since it was valid.
 */
import type { Change } from '../edits.js';
import type { Participant } from '../participant.js';
import type { SharedDocument } from '../shared-document.js';
import { loadSnapshot } from '../snapshot.js';
import { serializeTree } from '../serialize-document.js';
import { treeOf } from '../tree.js';
import { readWorkingCopy } from '../working-copy.js';

/** So many documents are tried at most. */
const MAX_TRIES = 40;

export interface Correction {
  changes: Change[];
  /** Who has written what is taken back. */
  authors: Set<string>;
}

/**
 * @param good what the document was when it was valid
 * @param isValid asked for texts that the document could be
 */
export async function findCorrection(
  participant: Participant,
  good: string,
  isValid: (text: string) => Promise<boolean>,
): Promise<Correction> {
  const { document } = participant;
  const snapshot = participant.snapshot();
  let undone = groupChanges(document, readWorkingCopy(participant, good));
  let tries = 0;
  const isEnough = (groups: readonly Change[][]): Promise<boolean> => {
    const { document: other } = loadSnapshot(snapshot, participant.name);
    for (const change of groups.flat()) applyTo(other, change, participant.name);
    return isValid(serializeTree(treeOf(other)));
  };
  /** Leaves as much of these as it was made. */
  const spare = async (some: readonly Change[][]): Promise<void> => {
    const fewer = undone.filter((group) => !some.includes(group));
    if (some.length === 0 || fewer.length === 0 || tries >= MAX_TRIES) return;
    tries += 1;
    if (await isEnough(fewer)) {
      undone = fewer;
      return;
    }
    if (some.length === 1) return;
    const middle = some.length >> 1;
    await spare(some.slice(0, middle));
    await spare(some.slice(middle));
  };
  const all = undone;
  const middle = (all.length + 1) >> 1;
  await spare(all.slice(0, middle));
  await spare(all.slice(middle));
  const changes = undone.flat();
  return { changes, authors: authorsOf(document, changes) };
}

function applyTo(document: SharedDocument, change: Change, name: string): void {
  if (change.kind !== 'set') document.apply(change, name);
  else document.apply({ ...change, version: (document.record(change.target)?.version ?? 0) + 1 }, name);
}

function authorsOf(document: SharedDocument, changes: readonly Change[]): Set<string> {
  const authors = new Set<string>();
  for (const change of changes) {
    const record = change.kind === 'new' ? undefined : document.record(change.target);
    if (record) authors.add(record.lastModifiedBy);
  }
  return authors;
}

/**
 * Changes that only make sense together: of one record, of what is created or removed with it, and of what is moved out of
 * it. Otherwise what somebody has moved into an element could go with that element.
 */
function groupChanges(document: SharedDocument, changes: readonly Change[]): Change[][] {
  const touched = new Map<string, 'new' | 'set' | 'remove'>();
  for (const change of changes) touched.set(ridOf(change), change.kind);
  const leaders = new Map<string, string>();
  const leaderOf = (rid: string): string => {
    let top = rid;
    for (let next = leaders.get(top); next !== undefined; next = leaders.get(top)) top = next;
    return top;
  };
  const join = (one: string, other: string): void => {
    const [first, second] = [leaderOf(one), leaderOf(other)];
    if (first !== second) leaders.set(first, second);
  };
  for (const change of changes) {
    const rid = ridOf(change);
    if (change.kind !== 'remove' && change.parent !== undefined && touched.get(change.parent) === 'new')
      join(rid, change.parent);
    const seen = new Set<string>();
    let above = document.record(rid)?.placedIn ?? '';
    while (above !== '' && !seen.has(above)) {
      if (touched.get(above) === 'remove') join(rid, above);
      seen.add(above);
      above = document.record(above)?.placedIn ?? '';
    }
  }
  const groups = new Map<string, Change[]>();
  for (const change of changes) {
    const leader = leaderOf(ridOf(change));
    const group = groups.get(leader);
    if (group) group.push(change);
    else groups.set(leader, [change]);
  }
  return [...groups.values()];
}

function ridOf(change: Change): string {
  return change.kind === 'new' ? change.rid : change.target;
}
