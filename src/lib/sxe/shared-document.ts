/**
 * The records of a session and the tree they make.
 *
 * The document is a function of the edits that came, and not of their order: removed is what anybody removed, wherever
 * it is; what holds of the edits of a record is told by `history.ts`; what has no parent, is one of two attributes of a name
 * or one of two roots is not shown, and not deleted either, because what it waits for may still be on its way
 * (CLARIFICATIONS 2 to 6).
 */
import { Container } from './container.js';
import { MAX_WAITING_SETS, type Edit, type NewEdit, type Outcome, type SetEdit } from './edits.js';
import { History, type SetEntry } from './history.js';
import { attributeKey } from './namespaces.js';
import { findFallenBack, isUnder } from './placement.js';
import { fieldsOf, SharedRecord } from './record.js';
import { findFaultInNew, findFaultInSet, isRecordType } from './validity.js';
import { compareRids } from './weight-order.js';

const APPLIED: Outcome = { kind: 'applied' };

export class SharedDocument {
  /** The XML declaration and the document type as text; it never changes during a session. */
  readonly prolog: string;
  readonly #records = new Map<string, SharedRecord>();
  readonly #removed = new Set<string>();
  readonly #containers = new Map<string, Container>();
  /** Edits to records nobody has heard of yet. */
  readonly #waiting = new Map<string, SetEntry[]>();
  #waitingCount = 0;
  /** Records that have another parent than they were created with, and those of them that were put back. */
  readonly #moved = new Set<SharedRecord>();
  #fallen = new Set<SharedRecord>();

  constructor(prolog = '') {
    this.prolog = prolog;
  }

  /** Every record that was not removed, shown or not. */
  get records(): ReadonlyMap<string, SharedRecord> {
    return this.#records;
  }

  get removed(): ReadonlySet<string> {
    return this.#removed;
  }

  record(rid: string): SharedRecord | undefined {
    return this.#records.get(rid);
  }

  /** What is below a record, or below the document for the empty id. */
  container(rid: string): Container | undefined {
    return this.#containers.get(rid);
  }

  containers(): IterableIterator<[string, Container]> {
    return this.#containers.entries();
  }

  /** Of several roots the one with the greatest id counts (XEP-0284 §10.3). */
  get root(): SharedRecord | undefined {
    let root: SharedRecord | undefined;
    for (const record of this.#containers.get('')?.nodes ?? []) {
      if (record.type === 'element' && (!root || compareRids(record.rid, root.rid) > 0)) root = record;
    }
    return root;
  }

  /** Edits that wait for something: for records, or for the versions before them. */
  *waiting(): Generator<SetEntry> {
    for (const entries of this.#waiting.values()) yield* entries;
    for (const { history } of this.#records.values()) if (history) yield* history.waiting();
  }

  /** @param isSnapshot whether the edit is part of a snapshot, where versions may be left out */
  apply(edit: Edit, sender: string, isSnapshot = false): Outcome {
    if (edit.kind === 'new') return this.#create(edit, sender, isSnapshot);
    if (edit.kind === 'remove') return this.#remove(edit.target);
    return this.#set(edit, edit.author ?? sender, isSnapshot);
  }

  #create(edit: NewEdit, sender: string, isSnapshot: boolean): Outcome {
    // Only who has seen everything can fold versions into a record, and say who has made it.
    const creator = isSnapshot ? (edit.creator ?? sender) : sender;
    const fault = findFaultInNew(edit);
    if (fault || !isRecordType(edit.type)) return { kind: 'refused', reason: fault ?? 'type' };
    if (this.#removed.has(edit.rid)) return { kind: 'ignored', reason: 'removed' };
    const existing = this.#records.get(edit.rid);
    if (existing) return this.#collide(existing, edit, creator);
    const record = new SharedRecord(edit, edit.type, creator, isSnapshot ? edit.version : 0);
    this.#records.set(edit.rid, record);
    this.#replay(record);
    this.#insert(record);
    if (this.#containers.has(record.rid)) this.#checkCycle(record);
    return APPLIED;
  }

  #remove(rid: string): Outcome {
    if (this.#removed.has(rid)) return { kind: 'ignored', reason: 'duplicate' };
    this.#removed.add(rid);
    this.#waitingCount -= this.#waiting.get(rid)?.length ?? 0;
    this.#waiting.delete(rid);
    const record = this.#records.get(rid);
    if (!record) return { kind: 'waiting', reason: 'unknown-record' };
    this.#takeOut(record);
    this.#records.delete(rid);
    this.#moved.delete(record);
    if (this.#fallen.size > 0) this.#placeAll();
    return APPLIED;
  }

  #set(edit: SetEdit, author: string, isSnapshot: boolean): Outcome {
    if (!Number.isSafeInteger(edit.version) || edit.version < 1)
      return { kind: 'refused', reason: 'version' };
    if (this.#removed.has(edit.target)) return { kind: 'ignored', reason: 'removed' };
    const record = this.#records.get(edit.target);
    if (!record) return this.#wait({ edit, author });
    record.history ??= new History(record);
    const outcome = isSnapshot
      ? record.history.load(record, { edit, author })
      : record.history.add(record, { edit, author });
    this.#follow(record);
    const fault = outcome.kind === 'conflict' ? findFaultInSet(record.type, edit) : undefined;
    return fault ? { kind: 'refused', reason: fault } : outcome;
  }

  #wait(entry: SetEntry): Outcome {
    // All participants stop at the same number only if nothing was lost; but who gets here has lost the session anyway.
    if (this.#waitingCount >= MAX_WAITING_SETS) return { kind: 'refused', reason: 'too-many-waiting' };
    this.#waitingCount++;
    const entries = this.#waiting.get(entry.edit.target);
    if (entries) entries.push(entry);
    else this.#waiting.set(entry.edit.target, [entry]);
    return { kind: 'waiting', reason: 'unknown-record' };
  }

  /** Applies what came before the record did. */
  #replay(record: SharedRecord): void {
    const entries = this.#waiting.get(record.rid);
    if (!entries) return;
    this.#waiting.delete(record.rid);
    this.#waitingCount -= entries.length;
    record.history = new History(record);
    for (const entry of entries) record.history.add(record, entry);
  }

  /** Two records with one id: the one of the sender whose name is lower counts, and of one sender the first. */
  #collide(record: SharedRecord, edit: NewEdit, creator: string): Outcome {
    if (compareRids(creator, record.creator) >= 0) {
      const isSame = creator === record.creator;
      return { kind: 'ignored', reason: isSame ? 'duplicate' : 'rid-collision' };
    }
    if (!isRecordType(edit.type)) return { kind: 'refused', reason: 'type' };
    const { type } = edit;
    this.#takeOut(record);
    const changeBase = (): void => {
      record.base = fieldsOf(edit);
      record.fields = { ...record.base };
      record.type = type;
      record.creator = creator;
    };
    if (record.history) record.history.rebuild(record, changeBase);
    else changeBase();
    this.#insert(record);
    this.#checkCycle(record);
    return APPLIED;
  }

  /** Puts a record to where its fields say, after they may have changed. */
  #follow(record: SharedRecord): void {
    const { fields } = record;
    const hasNewParent = fields.parent !== record.wantedParent;
    const key = record.type === 'attr' ? attributeKey(fields) : '';
    if (!hasNewParent && fields.weight === record.weight && key === record.attributeKey) return;
    this.#takeOut(record);
    this.#insert(record);
    if (hasNewParent) this.#checkCycle(record);
  }

  #checkCycle(record: SharedRecord): void {
    if (this.#fallen.size > 0) this.#placeAll();
    // Only what has something below it can be under itself.
    else if (
      record.placedIn === record.rid ||
      (this.#containers.has(record.rid) && isUnder(this.#records, record.placedIn, record.rid))
    )
      this.#placeAll();
  }

  /** Finds out anew which moves cannot stand; only when there is a cycle. */
  #placeAll(): void {
    const before = this.#fallen;
    this.#fallen = findFallenBack(this.#records, this.#moved);
    for (const record of new Set([...before, ...this.#fallen])) {
      if (!this.#records.has(record.rid)) continue;
      this.#takeOut(record);
      this.#insert(record);
    }
  }

  #insert(record: SharedRecord): void {
    const { fields } = record;
    if (fields.parent !== record.base.parent) this.#moved.add(record);
    else this.#moved.delete(record);
    record.wantedParent = fields.parent;
    record.placedIn = this.#fallen.has(record) ? record.base.parent : fields.parent;
    record.weight = fields.weight;
    record.attributeKey = record.type === 'attr' ? attributeKey(fields) : '';
    let container = this.#containers.get(record.placedIn);
    if (!container) this.#containers.set(record.placedIn, (container = new Container()));
    container.add(record);
  }

  #takeOut(record: SharedRecord): void {
    const container = this.#containers.get(record.placedIn);
    container?.delete(record);
    if (container?.isEmpty) this.#containers.delete(record.placedIn);
  }
}
