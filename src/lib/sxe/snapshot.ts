/**
 * The state of a session for who joins it (XEP-0284 §8.4), and the way back.
 *
 * What was undone is not sent, as the specification says; a gap in the versions tells that it was there.
 */
import type {
  Edit,
  NewEdit,
  Outcome,
  OwedWords,
  SeenMessage,
  SetChange,
  SetEdit,
  StateItem,
} from './edits.js';
import { isVersionOnly, type SetEntry } from './history.js';
import { Inbox } from './inbox.js';
import type { SharedRecord } from './record.js';
import { lengthOfEdit } from './message-log.js';
import { SharedDocument } from './shared-document.js';
import { splitChange } from './split-change.js';
import { findFaultInSet } from './validity.js';
import { addWords, noWords, type Words } from './words.js';

export interface Snapshot {
  prolog: string;
  /** Between document-begin and document-end. */
  edits: Edit[];
  lastSender: string;
  lastId: string;
  seen: SeenMessage[];
  /** Behind document-end: edits that have come and wait for others, and what is owed. */
  following: (Edit | OwedWords)[];
}

/** Nothing was seen yet, which is something else than not to say what was (CLARIFICATIONS 15). */
const NOBODY: SeenMessage = { sender: '', id: '' };

/** @param sender who sends it; what that one has made itself needs no name */
export function takeSnapshot(document: SharedDocument, inbox: Inbox, sender: string): Snapshot {
  const edits: Edit[] = [];
  for (const record of recordsInOrder(document)) {
    edits.push(newEditOf(record, sender));
    const { history } = record;
    if (!history) continue;
    for (const entry of history.holding()) edits.push(withAuthor(entry, sender));
    // Nothing but its version: the conflict before it is a gap like any other.
    if (history.endsInConflict) edits.push({ kind: 'set', target: record.rid, version: history.version });
  }
  // Whoever has not got the <new/> of a removed record yet must not take it for a record.
  for (const target of document.removed) edits.push({ kind: 'remove', target });
  const following = [...document.waiting()].map((entry): Edit | OwedWords => withAuthor(entry, sender));
  for (const record of document.records.values()) following.push(...owedWords(record));
  const { lastSender, lastId } = inbox;
  return { prolog: document.prolog, edits, lastSender, lastId, seen: [...inbox.seen(), NOBODY], following };
}

/** @param sender who made the snapshot */
export function loadSnapshot(
  snapshot: Snapshot,
  sender: string,
): { document: SharedDocument; inbox: Inbox; outcomes: Outcome[] } {
  const document = new SharedDocument(snapshot.prolog);
  const outcomes = snapshot.edits.map((edit) => document.apply(edit, sender, true));
  for (const item of snapshot.following) {
    if (item.kind === 'owed') oweWords(document, item);
    else outcomes.push(document.apply(item, sender));
  }
  const inbox = new Inbox(snapshot.seen.length > 0);
  inbox.markSeen(snapshot.seen);
  if (snapshot.lastId !== '') inbox.markSeen([{ sender: snapshot.lastSender, id: snapshot.lastId }]);
  return { document, inbox, outcomes };
}

export function snapshotItems({ prolog, edits, following, ...end }: Snapshot): StateItem[] {
  const { lastSender, lastId, seen } = end;
  return [
    { kind: 'document-begin', prolog },
    ...edits,
    { kind: 'document-end', lastSender, lastId, seen, following: following.length },
    ...following,
  ];
}

/** What is held back is nobody's business yet. */
function* owedWords({ rid, history }: SharedRecord): Generator<OwedWords> {
  for (const [author, { delta, fields, isHeld }] of history?.owed ?? []) {
    if (isHeld) continue;
    const whole: SetChange[] =
      Object.keys(fields).length > 0 ? [{ kind: 'set', target: rid, ...fields }] : [];
    // From the end to the beginning, so that no piece moves another.
    const pieces = delta.toReversed().map(({ from, count, inserted }): SetChange => {
      return { kind: 'set', target: rid, chdata: inserted, replaceFrom: from, replaceCount: count };
    });
    const changes = [...whole, ...pieces].flatMap((change) => splitChange(change));
    if (changes.length === 0) yield { kind: 'owed', author, target: rid, changes };
    for (const change of changes) yield { kind: 'owed', author, target: rid, changes: [change] };
  }
}

function oweWords(document: SharedDocument, { author, target, changes }: OwedWords): void {
  const record = document.record(target);
  if (!record?.history) return;
  const words: Words = record.history.owed.get(author) ?? { ...noWords(), upTo: 'unsure' };
  for (const change of changes)
    if (!findFaultInSet(record.type, { ...change, version: 1 })) addWords(words, record, change);
  record.history.owed.set(author, words);
}

/** A state in pieces of about as many characters, for messages that a server lets through. */
export function* splitState(items: readonly StateItem[], maxLength: number): Generator<StateItem[]> {
  let piece: StateItem[] = [];
  let length = 0;
  for (const item of items) {
    const itemLength = lengthOf(item);
    if (piece.length > 0 && length + itemLength > maxLength) {
      yield piece;
      piece = [];
      length = 0;
    }
    piece.push(item);
    length += itemLength;
  }
  if (piece.length > 0) yield piece;
}

/** About as long as it is on the wire. */
function lengthOf(item: StateItem): number {
  switch (item.kind) {
    case 'document-begin':
      return 100 + 3 * item.prolog.length;
    case 'document-end':
      return item.seen.reduce((length, { sender, id }) => length + 80 + sender.length + id.length, 200);
    case 'owed':
      return item.changes.reduce((length, change) => length + lengthOfEdit(change), 100 + item.author.length);
    default:
      return lengthOfEdit(item);
  }
}

function withAuthor({ edit, author }: SetEntry, sender: string): SetEdit {
  return author === sender || isVersionOnly(edit) ? edit : { ...edit, author };
}

function newEditOf({ rid, type, base, baseVersion, creator }: SharedRecord, sender: string): NewEdit {
  const edit: NewEdit = { kind: 'new', rid, type };
  if (creator !== sender) edit.creator = creator;
  if (baseVersion > 0) edit.version = baseVersion;
  if (base.parent !== '') edit.parent = base.parent;
  if (base.weight !== 0) edit.weight = base.weight;
  if (type === 'element' || type === 'attr') {
    edit.name = base.name;
    if (base.ns !== undefined) edit.ns = base.ns;
  }
  if (type === 'processinginstruction') {
    edit.pitarget = base.pitarget;
    edit.pidata = base.pidata;
  } else if (type !== 'element') edit.chdata = base.chdata;
  return edit;
}

/** Parents before their children, as others expect it, and then what is not part of the tree. */
function* recordsInOrder(document: SharedDocument): Generator<SharedRecord> {
  const seen = new Set<SharedRecord>();
  const starts = ['', ...[...document.containers()].map(([rid]) => rid)];
  for (const start of starts) {
    const open = document.container(start)?.all().reverse() ?? [];
    for (let record = open.pop(); record; record = open.pop()) {
      if (seen.has(record)) continue;
      seen.add(record);
      yield record;
      const container = document.container(record.rid);
      if (container) for (const child of container.all().reverse()) open.push(child);
    }
  }
}
