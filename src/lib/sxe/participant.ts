/**
 * One participant's side of a session: its edits on the way out, everybody's on the way in, and its words brought back
 * when a conflict has undone them.
 *
 * XEP-0284 undoes both of two edits that were made on the same version and leaves it at that. Here the authors send theirs
 * again, merged into what holds, one after the other by their names, so that the second is made on the first; until then
 * nobody sends further edits of that record (CLARIFICATIONS 11). For an author who has left, the present participant with the lowest
 * name does it (CLARIFICATIONS 12). On the wire all of these are ordinary edits.
 */
import type { Change, Edit, Outcome, RefusalReason, SetChange, SetEdit } from './edits.js';
import { History } from './history.js';
import { Inbox, SITE_PATTERN, type Message } from './inbox.js';
import { lengthOfEdit } from './message-log.js';
import type { Fields, SharedRecord } from './record.js';
import { SharedDocument } from './shared-document.js';
import { loadSnapshot, takeSnapshot, type Snapshot } from './snapshot.js';
import { findFaultInComment, findFaultInRange, findFaultInSet } from './validity.js';
import { lowestName } from './weight-order.js';
import { sayAgain, withoutDeletions } from './say-again.js';
import type { TextDelta } from './text-delta.js';
import { addAtEnd, addWords, joinWords, noWords, withWords, type Words } from './words.js';

/** Of the edits that are said again, about, in bytes on the wire. */
const MAX_MESSAGE_LENGTH = 24_000;

export interface ParticipantOptions {
  /** Under which the others know it: the full JID, or the nick in a room. */
  name: string;
  /** Random, new for each stay in a session: 8 to 32 lower-case letters and digits. */
  site: string;
  /** What the session begins with, when it is this participant who begins it. */
  document?: SharedDocument;
  /** What is in the document already, when it is none that begins. */
  inbox?: Inbox;
}

/** What became of one edit of a message. */
export interface Received {
  sender: string;
  edit: Edit;
  outcome: Outcome;
}

export class Participant {
  /**
   * While it is set, changes of records are held back, as if others had to speak first: nobody could hear them, and what
   * others do meanwhile would be undone together with them when they come late.
   */
  isHolding = false;
  readonly name: string;
  readonly site: string;
  readonly #document: SharedDocument;
  readonly #inbox: Inbox;
  #messageCount = 0;
  #ridCount = 0;
  /** Records on which somebody's words are owed. */
  readonly #conflicted = new Set<string>();
  /** Messages that have to go out before anything else. */
  readonly #said: Message[] = [];
  readonly #present = new Set<string>();
  readonly #left = new Set<string>();

  /** @throws RangeError the site is none */
  constructor({ name, site, document, inbox }: ParticipantOptions) {
    if (!SITE_PATTERN.test(site)) throw new RangeError(`"${site}" cannot begin the ids of a participant`);
    this.name = name;
    this.site = site;
    this.#document = document ?? new SharedDocument();
    this.#inbox = inbox ?? new Inbox();
    this.#present.add(name);
    this.#noteConflicts();
  }

  /** A participant that begins with what another has sent it. */
  static fromSnapshot(
    options: Omit<ParticipantOptions, 'document' | 'inbox'>,
    snapshot: Snapshot,
    sender: string,
  ): Participant {
    return new Participant({ ...options, ...loadSnapshot(snapshot, sender) });
  }

  /**
   * The same under another name, which is another participant for everybody else. What nobody has heard of yet is said under
   * the new name. What was undone is said under the old one, by `message`, which comes to the others as one that they have missed.
   */
  renamed(name: string, site: string): { participant: Participant; message: Message | undefined } {
    const edits: Edit[] = [];
    for (const rid of this.#conflicted) {
      const record = this.#document.record(rid);
      const owed = record?.history?.owed;
      const words = owed?.get(this.name);
      if (!record || !owed || !words) continue;
      if (!words.isHeld) {
        this.#say(record, words, this.name, edits);
        continue;
      }
      owed.delete(this.name);
      const before = owed.get(name);
      owed.set(name, before ? joinWords(before, words) : words);
    }
    const message = this.#send(edits);
    const participant = new Participant({ name, site, document: this.#document, inbox: this.#inbox });
    participant.isHolding = this.isHolding;
    participant.left(this.name);
    return { participant, message };
  }

  get document(): SharedDocument {
    return this.#document;
  }

  /** Nobody owes anything, and nothing is held back: the document is what everybody has. */
  get isSettled(): boolean {
    return !this.isHolding && this.#said.length === 0 && this.#conflicted.size === 0;
  }

  get inbox(): Inbox {
    return this.#inbox;
  }

  /** A record id that nobody else uses. */
  newRid(): string {
    return `${this.site}.${(++this.#ridCount).toString(16)}`;
  }

  snapshot(): Snapshot {
    return takeSnapshot(this.#document, this.#inbox, this.name);
  }

  /** The fields of a record as the user of this participant sees them: with the own words that are still to be sent. */
  view(record: SharedRecord): Readonly<Fields> {
    const own = record.history?.owed.get(this.name);
    return own ? withWords(record, own) : record.fields;
  }

  /**
   * Own changes, made on what `view` shows. `message` is to be sent; there is none when everything has to wait for others.
   * What is not in the message and was not refused will be in a later one.
   */
  edit(changes: Iterable<Change>): { message: Message | undefined; outcomes: Outcome[] } {
    const edits: Edit[] = [];
    const outcomes: Outcome[] = [];
    for (const change of changes) {
      if (change.kind === 'set') outcomes.push(this.#change(change, edits));
      else {
        const outcome = this.#document.apply(change, this.name);
        outcomes.push(outcome);
        if (outcome.kind === 'applied') edits.push(change);
      }
    }
    return { message: this.#send(edits), outcomes };
  }

  /** What has come from a participant, this one included: its own messages may come back to it. */
  receive(message: Message): Received[] {
    const received: Received[] = [];
    for (const { sender, edits } of this.#inbox.take(message)) {
      this.#present.add(sender);
      for (const edit of edits) {
        const own = this.#ownWords(sender, edit);
        const outcome = this.#document.apply(edit, sender);
        if (own && edit.kind === 'set') this.#keepUnsaid(edit.target, own);
        received.push({ sender, edit, outcome });
        const rid = edit.kind === 'new' ? edit.rid : edit.target;
        if (this.#hasWords(rid)) this.#conflicted.add(rid);
      }
    }
    return received;
  }

  /**
   * Says again what a conflict has undone, as far as it is this participant's turn, and as far as it fits into a message:
   * until nothing comes. To be called when nothing more has come
   * for a moment, and after `left`: to answer to each edit of a conflict would make another one.
   */
  speak(): Message | undefined {
    if (this.#said.length > 0) return this.#said.shift();
    const edits: Edit[] = [];
    for (const rid of this.#conflicted) {
      const record = this.#document.record(rid);
      if (!record?.history || this.#takeTurn(record, record.history.owed, edits))
        this.#conflicted.delete(rid);
    }
    return this.#sendInPieces(edits);
  }

  /** Somebody who may edit is there. */
  joined(name: string): void {
    this.#left.delete(name);
    this.#present.add(name);
  }

  /** Somebody is not there any more, or does not answer: what it owes is for others to say. */
  left(name: string): void {
    this.#left.add(name);
    this.#present.delete(name);
  }

  /** Before leaving: says everything at once, until nothing comes, at the price of a conflict that others will have to settle. */
  flush(): Message | undefined {
    if (this.#said.length > 0) return this.#said.shift();
    const edits: Edit[] = [];
    for (const rid of this.#conflicted) {
      const record = this.#document.record(rid);
      const own = record?.history?.owed.get(this.name);
      if (record && own) this.#say(record, own, this.name, edits);
    }
    return this.#sendInPieces(edits);
  }

  /** Who has to send its words again before this participant can send its own. */
  waitingFor(): Set<string> {
    const names = new Set<string>();
    for (const rid of this.#conflicted) {
      const next = nextAuthor(this.#document.record(rid)?.history?.owed);
      if (next !== undefined) names.add(this.#speakerFor(next));
    }
    names.delete(this.name);
    return names;
  }

  #change(change: SetChange, edits: Edit[]): Outcome {
    const record = this.#document.record(change.target);
    if (!record) {
      return this.#document.removed.has(change.target)
        ? { kind: 'ignored', reason: 'removed' }
        : { kind: 'waiting', reason: 'unknown-record' };
    }
    const edit: SetEdit = { ...change, version: record.version + 1 };
    const fault =
      findFaultInSet(record.type, edit) ?? findFaultInText(this.view(record).chdata, record, edit);
    if (fault) return { kind: 'refused', reason: fault };
    if (!this.isHolding && !this.#hasWords(record.rid)) {
      const outcome = this.#document.apply(edit, this.name);
      edits.push(edit);
      return outcome;
    }
    record.history ??= new History(record);
    const { owed } = record.history;
    const words = owed.get(this.name) ?? { ...noWords(), isHeld: true };
    if (!addWords(words, record, change)) return { kind: 'refused', reason: 'range' };
    owed.set(this.name, words);
    this.#conflicted.add(record.rid);
    return { kind: 'applied' };
  }

  #noteConflicts(): void {
    for (const { rid } of this.#document.records.values()) if (this.#hasWords(rid)) this.#conflicted.add(rid);
  }

  /** Others may have taken us for gone, and say for us what we owe. */
  #ownWords(sender: string, edit: Edit): TextDelta | undefined {
    if (edit.kind !== 'set' || sender === this.name) return undefined;
    return this.#document.record(edit.target)?.history?.owed.get(this.name)?.delta;
  }

  /** They cannot know what was written here since, and was held back. */
  #keepUnsaid(target: string, delta: TextDelta): void {
    const record = this.#document.record(target);
    const owed = record?.history?.owed;
    if (!owed || owed.has(this.name)) return;
    const words: Words = { ...noWords(), isHeld: true };
    for (const { inserted } of delta) {
      const unsaid = withoutSaid(inserted, record.fields.chdata);
      if (unsaid !== '') addAtEnd(words, record, unsaid);
    }
    if (words.delta.length > 0) owed.set(this.name, words);
  }

  #hasWords(rid: string): boolean {
    return (this.#document.record(rid)?.history?.owed.size ?? 0) > 0;
  }

  /** @returns whether nothing is left to be said about a record */
  #takeTurn(record: SharedRecord, owed: Map<string, Words>, edits: Edit[]): boolean {
    for (let author = nextAuthor(owed); author !== undefined; author = nextAuthor(owed)) {
      if (this.#speakerFor(author) !== this.name) return false;
      const words = owed.get(author) ?? noWords();
      this.#say(record, author === this.name ? words : withoutDeletions(words), author, edits);
    }
    return true;
  }

  #say(record: SharedRecord, words: Words, author: string, edits: Edit[]): void {
    const said = sayAgain(record, words, author);
    record.history?.owed.delete(author);
    for (const edit of said) {
      this.#document.apply(edit, this.name);
      edits.push(edit);
    }
  }

  #speakerFor(author: string): string {
    if (!this.#left.has(author)) return author;
    return lowestName(this.#present) ?? this.name;
  }

  /** @returns the first message; the others come with the next calls */
  #sendInPieces(edits: readonly Edit[]): Message | undefined {
    let some: Edit[] = [];
    let length = 0;
    for (const edit of edits) {
      const own = lengthOfEdit(edit);
      if (some.length > 0 && length + own > MAX_MESSAGE_LENGTH) {
        const message = this.#send(some);
        if (message) this.#said.push(message);
        [some, length] = [[], 0];
      }
      some.push(edit);
      length += own;
    }
    const message = this.#send(some);
    if (message) this.#said.push(message);
    return this.#said.shift();
  }

  #send(edits: Edit[]): Message | undefined {
    if (edits.length === 0) return undefined;
    const message: Message = { sender: this.name, id: `${this.site}.${++this.#messageCount}`, edits };
    this.#inbox.take(message);
    return message;
  }
}

/** What of a piece is not in a text: it may have been said without what was added at one of its ends. */
function withoutSaid(piece: string, text: string): string {
  if (text.includes(piece)) return '';
  const ends = [...piece.matchAll(/(?<=\s)(?=\S)/g)].map(({ index }) => index);
  const prefix = ends.findLast((end) => text.includes(piece.slice(0, end))) ?? 0;
  const suffix = ends.find((end) => text.includes(piece.slice(end))) ?? piece.length;
  return prefix >= piece.length - suffix ? piece.slice(prefix) : piece.slice(0, suffix);
}

/** Why a change does not fit the text it is made on. */
function findFaultInText(text: string, { type }: SharedRecord, edit: SetEdit): RefusalReason | undefined {
  const { chdata, replaceFrom: from = 0, replaceCount: count = text.length } = edit;
  if (chdata === undefined) return undefined;
  const fault = findFaultInRange(text, from, count);
  if (fault || type !== 'comment') return fault;
  return findFaultInComment(text.slice(0, from) + chdata + text.slice(from + count));
}

/** Whose turn it is: those whose words were undone, by their names, and then those who have held theirs back. */
function nextAuthor(owed: ReadonlyMap<string, Words> | undefined): string | undefined {
  if (!owed || owed.size === 0) return undefined;
  const said = [...owed].filter(([, words]) => !words.isHeld).map(([author]) => author);
  return lowestName(said.length > 0 ? said : owed.keys());
}
