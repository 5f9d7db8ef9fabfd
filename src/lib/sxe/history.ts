/**
 * The `<set/>` edits of one record, and which of them hold.
 *
 * XEP-0284 §10.6.2 counts the edits that came and takes back those whose version is not the count. What that leaves
 * depends on the order in which they came, so here it is told from the edits alone (CLARIFICATIONS 1):
 * versions are gone through upwards. An edit that is the only one of the next version holds. Where there are several, they
 * and everything that does not know all of them are undone: a conflict of n edits after version v covers the versions up to v + n,
 * and all edits with such versions are part of it. The next one that can hold has version v + n + 1.
 */
import { applySet, undoSet, type Undo } from './apply-set.js';
import { diffOnce, type Hunk } from './diff-text.js';
import type { Outcome, SetEdit } from './edits.js';
import type { SharedRecord } from './record.js';
import { transformDelta, composeDeltas, type TextDelta } from './text-delta.js';
import { findFaultInSet } from './validity.js';
import { addAtEnd, addUnappliedWords, isMergeable, noWords, otherFields, type Words } from './words.js';

export interface SetEntry {
  edit: SetEdit;
  author: string;
}

/** A stretch of versions: one edit that holds (or was refused, and holds nothing), or a conflict. */
interface Unit {
  /** The version before it. */
  start: number;
  /** The last version it covers; there are as many edits in it as versions. */
  end: number;
  /** The edit; a conflict keeps none, its words are in `owed`. */
  entry: SetEntry | undefined;
  undo: Undo | undefined;
  /** Said by the author before it said this again, and not part of it: the author may not have known that it was undone. */
  unsaid?: readonly string[];
  /** What the edit has made of the words of others: when it is undone they are what they were. */
  passed?: Passed;
}

type Passed = ReadonlyMap<string, { before: TextDelta; after: TextDelta }>;

export class History {
  /** The version that all edits that count have brought the record to. */
  version: number;
  /** Whose words were undone by a conflict and have not been sent again, or wait for that. */
  readonly owed = new Map<string, Words>();
  readonly #units: Unit[] = [];
  /** Edits by version, all beyond `version + 1`. */
  readonly #waiting = new Map<number, SetEntry[]>();

  constructor(record: SharedRecord) {
    this.version = record.baseVersion;
    record.fields = { ...record.base };
  }

  /** An edit as it comes. */
  add(record: SharedRecord, entry: SetEntry): Outcome {
    const { version } = entry.edit;
    if (version <= record.baseVersion) return { kind: 'ignored', reason: 'settled' };
    if (version > this.version + 1) {
      const twins = this.#waiting.get(version);
      if (twins) twins.push(entry);
      else this.#waiting.set(version, [entry]);
      return { kind: 'waiting', reason: 'version-ahead' };
    }
    const outcome =
      version === this.version + 1 ? this.#hold(record, entry) : this.#collapse(record, version, entry);
    this.#takeWaiting(record);
    return outcome;
  }

  /** An edit of a snapshot (XEP-0284 §10.6.2, step 2): the versions it leaves out were undone. */
  load(record: SharedRecord, entry: SetEntry): Outcome {
    const { version } = entry.edit;
    if (version > this.version + 1) {
      this.#units.push({ start: this.version, end: version - 1, entry: undefined, undo: undefined });
      this.version = version - 1;
    }
    return this.add(record, entry);
  }

  /** The edits that brought the record from its base to where it is, for a snapshot. */
  *holding(): Generator<SetEntry> {
    for (const { entry } of this.#units) if (entry) yield entry;
  }

  /** Edits whose turn has not come. */
  *waiting(): Generator<SetEntry> {
    for (const entries of this.#waiting.values()) yield* entries;
  }

  /** The last thing that happened was a conflict. */
  get endsInConflict(): boolean {
    const last = this.#units.at(-1);
    return last !== undefined && last.entry === undefined;
  }

  get lastAuthor(): string | undefined {
    return this.#units.findLast((unit) => unit.undo !== undefined)?.entry?.author;
  }

  /** Puts the record on another beginning, and everything that holds on top of it. */
  rebuild(record: SharedRecord, changeBase: () => void): void {
    const before = record.fields.chdata;
    for (const unit of this.#units.toReversed()) if (unit.undo) undoSet(record, unit.undo);
    changeBase();
    for (const unit of this.#units) {
      if (!unit.entry) continue;
      const undo = applySet(record, unit.entry.edit);
      unit.undo = typeof undo === 'string' ? undefined : undo;
    }
    this.#pass(diffOnce(before, record.fields.chdata));
  }

  #hold(record: SharedRecord, entry: SetEntry): Outcome {
    const result = applySet(record, entry.edit);
    const isRefused = typeof result === 'string';
    const undo = isRefused ? undefined : result;
    const unit: Unit = { start: this.version, end: this.version + 1, entry, undo };
    this.#units.push(unit);
    this.version += 1;
    const { author, chdata = '' } = entry.edit;
    const words = author === undefined ? undefined : this.owed.get(entry.author);
    if (words) {
      // Who says its words again says all of them.
      this.owed.delete(entry.author);
      const pieces = words.delta.map(({ inserted }) => inserted);
      unit.unsaid = pieces.filter((piece) => !chdata.includes(piece));
    }
    const splice = undo?.chdata;
    if (splice && this.owed.size > 0)
      unit.passed = this.#pass({ from: splice.at, count: splice.removed.length, inserted: splice.inserted });
    return isRefused ? { kind: 'refused', reason: result } : { kind: 'applied' };
  }

  /** A late edit: it and everything since the version it was made on are in conflict. */
  #collapse(record: SharedRecord, version: number, late: SetEntry): Outcome {
    const from = this.#findUnit(version);
    const undone = this.#units.splice(from);
    const start = undone[0]?.start ?? this.version;
    for (const unit of undone.toReversed()) this.#takeBack(record, unit);
    this.#oweUnapplied(record, late, start);
    this.version += 1;
    this.#units.push({ start, end: this.version, entry: undefined, undo: undefined });
    return { kind: 'conflict', undone: undone.filter((unit) => unit.entry).length };
  }

  /** Lets in what waited for the version that has been reached. */
  #takeWaiting(record: SharedRecord): void {
    for (;;) {
      const entries = this.#waiting.get(this.version + 1);
      if (!entries) return;
      const [first] = entries;
      this.#waiting.delete(this.version + 1);
      if (first && entries.length === 1) {
        this.#hold(record, first);
        continue;
      }
      const unit: Unit = { start: this.version, end: this.version, entry: undefined, undo: undefined };
      this.#units.push(unit);
      this.#widen(record, unit, entries);
      // What covers more versions than it did may take in more edits, and so on.
      for (let version = unit.start + 2; version <= unit.end; version++) {
        this.#widen(record, unit, this.#waiting.get(version) ?? []);
        this.#waiting.delete(version);
      }
      this.version = unit.end;
    }
  }

  #widen(record: SharedRecord, unit: Unit, entries: readonly SetEntry[]): void {
    for (const entry of entries) this.#oweUnapplied(record, entry, unit.start);
    unit.end += entries.length;
  }

  /** The words of an edit that never held. */
  #oweUnapplied(record: SharedRecord, { edit, author }: SetEntry, start: number): void {
    if (isVersionOnly(edit)) return;
    const words = this.owed.get(author) ?? noWords();
    this.#addUnapplied(words, record, edit, start);
    words.isHeld = false;
    this.owed.set(author, words);
  }

  /** What could not be applied to any text is not kept. */
  #addUnapplied(words: Words, record: SharedRecord, edit: SetEdit, start: number): void {
    if (!findFaultInSet(record.type, edit)) addUnappliedWords(words, record, edit, start);
  }

  /** Undoes an edit, and keeps what its author wanted by it, which comes before what it has wanted since. */
  #takeBack(record: SharedRecord, { entry, undo, end, unsaid = [], passed }: Unit): void {
    if (!entry || isVersionOnly(entry.edit)) return;
    const { edit, author } = entry;
    const words = this.owed.get(author) ?? noWords();
    words.isHeld = false;
    if (words.upTo !== 'unsure') words.upTo = Math.max(words.upTo ?? 0, end);
    if (undo) {
      const splice = undo.chdata;
      if (splice) {
        const said = { from: splice.at, count: splice.removed.length, inserted: splice.inserted };
        this.owed.delete(author);
        this.#pass({ from: splice.at, count: splice.inserted.length, inserted: splice.removed }, passed);
        if (isMergeable(record)) words.delta = composeDeltas([said], words.delta);
        else words.fields.chdata ??= record.fields.chdata;
      }
      words.fields = { ...otherFields(edit), ...words.fields };
      undoSet(record, undo);
    } else this.#addUnapplied(words, record, edit, NaN);
    for (const piece of unsaid) addAtEnd(words, record, piece);
    this.owed.set(author, words);
  }

  /** The text has changed under everybody's words; what their authors did next was made on another one. */
  #pass(hunk: Hunk, undone?: Passed): Passed {
    const passed = new Map<string, { before: TextDelta; after: TextDelta }>();
    for (const [author, words] of this.owed) {
      const before = words.delta;
      const known = undone?.get(author);
      words.delta = known?.after === before ? known.before : transformDelta(before, [hunk]);
      words.upTo = 'unsure';
      passed.set(author, { before, after: words.delta });
    }
    return passed;
  }

  /** The unit that covers a version. */
  #findUnit(version: number): number {
    let low = 0;
    let high = this.#units.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#units[middle]?.end ?? 0) < version) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Snapshots use such edits to tell a version (CLARIFICATIONS 10); nobody owes them. */
export function isVersionOnly({
  kind: _kind,
  target: _target,
  version: _version,
  ...rest
}: SetEdit): boolean {
  return Object.values(rest).every((value) => value === undefined);
}
