/**
 * A session of several participants whose messages take their time: every link keeps its order, and nothing else is kept.
 */
import type { Change } from '../../../src/lib/sxe/edits.js';
import type { Message } from '../../../src/lib/sxe/inbox.js';
import { Participant } from '../../../src/lib/sxe/participant.js';
import type { SharedRecord } from '../../../src/lib/sxe/record.js';
import { snapshotOfTree } from './tree-text.js';

/** mulberry32: small, and the same everywhere. */
export function randomFrom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

type Parcel = { message: Message } | { left: string };

export class Simulation {
  readonly participants: Participant[] = [];
  /** What is on its way from one to another. */
  readonly #links = new Map<string, Parcel[]>();
  readonly #log = new Map<string, Message[]>();
  readonly #gone = new Set<Participant>();
  /** Words that were written, where, and that nobody has deleted on purpose. */
  readonly #written = new Map<string, string>();
  readonly #random: () => number;
  #wordCount = 0;

  constructor(
    seed: number,
    private readonly options: { participants: number; steps: number },
  ) {
    this.#random = randomFrom(seed);
    for (let index = 0; index < options.participants; index++) this.#addFirst(index);
  }

  run(): void {
    const [first] = this.participants;
    if (!first) return;
    this.#edit(first, [
      { kind: 'new', rid: 'root', type: 'element', name: 'doc' },
      { kind: 'new', rid: 'p', type: 'element', name: 'p', parent: 'root', weight: 1 },
      { kind: 'new', rid: 't', type: 'text', chdata: '', parent: 'p', weight: 1 },
    ]);
    for (let step = 0; step < this.options.steps; step++) this.#step();
    this.#drain();
  }

  /** What is wrong at the end: nothing, when everybody has the same and everything that was written. */
  problems(): string[] {
    const problems: string[] = [];
    const present = this.participants.filter((participant) => !this.#gone.has(participant));
    const [first, ...others] = present;
    if (!first) return ['nobody is left'];
    const expected = snapshotOfTree(first.document);
    for (const other of others) {
      if (snapshotOfTree(other.document) !== expected) problems.push(`${other.name} has another document`);
    }
    for (const { name, document, ...rest } of present.map((one) => ({
      name: one.name,
      document: one.document,
      waitingFor: one.waitingFor(),
    }))) {
      if (rest.waitingFor.size > 0) problems.push(`${name} waits for ${[...rest.waitingFor].join()}`);
      if ([...document.waiting()].length > 0) problems.push(`edits wait at ${name}`);
    }
    for (const [word, rid] of this.#written) {
      const record = first.document.record(rid);
      if (!record) continue;
      const count = record.fields.chdata.split(word).length - 1;
      const isGone = [...this.#gone].some(({ name }) => word.startsWith(name));
      if (count === 0) problems.push(`${word} is lost from ${rid}${isGone ? ' with its author' : ''}`);
      // Of who has left others say again what they know; that may be more than once.
      if (count > 1 && this.#gone.size === 0) problems.push(`${word} is there ${count} times`);
    }
    return problems;
  }

  #addFirst(index: number): void {
    const name = String.fromCharCode(97 + index);
    this.participants.push(new Participant({ name, site: `site0000${name}` }));
    this.#log.set(name, []);
  }

  #step(): void {
    const dice = this.#random();
    const present = this.participants.filter((participant) => !this.#gone.has(participant));
    if (dice < 0.45) this.#deliverOne();
    else if (dice < 0.97) this.#editSomething(this.#pick(present));
    else if (dice < 0.985 && this.participants.length < this.options.participants + 2)
      this.#join(this.#pick(present));
    else if (present.length > 2) this.#leave(this.#pick(present.slice(1)));
  }

  #pick<T>(items: readonly T[]): T {
    return items[Math.floor(this.#random() * items.length)] as T;
  }

  #edit(participant: Participant, changes: Change[]): void {
    this.#post(participant, participant.edit(changes).message);
  }

  #post(sender: Participant, message: Message | undefined): void {
    if (!message) return;
    this.#log.get(sender.name)?.push(message);
    for (const receiver of this.participants) {
      // A room sends everything back to its sender, too.
      if (!this.#gone.has(receiver)) this.#link(sender.name, receiver.name).push({ message });
    }
  }

  #link(from: string, to: string): Parcel[] {
    const key = `${from}>${to}`;
    let link = this.#links.get(key);
    if (!link) this.#links.set(key, (link = []));
    return link;
  }

  #deliverOne(): boolean {
    const full = [...this.#links].filter(([, parcels]) => parcels.length > 0);
    if (full.length === 0) return false;
    const [key, parcels] = this.#pick(full);
    const receiver = this.participants.find(({ name }) => key.endsWith(`>${name}`));
    const parcel = parcels.shift();
    if (!receiver || !parcel || this.#gone.has(receiver)) return true;
    if ('left' in parcel) receiver.left(parcel.left);
    else {
      receiver.receive(parcel.message);
      // The same once more, as a resumed stream may bring it.
      if (this.#random() < 0.1) parcels.splice(Math.floor(this.#random() * 2), 0, parcel);
    }
    if (this.#random() < 0.5) this.#post(receiver, receiver.speak());
    return true;
  }

  #drain(): void {
    for (let isQuiet = false; !isQuiet;) {
      isQuiet = !this.#deliverOne();
      if (!isQuiet) continue;
      for (const participant of this.participants) {
        const message = this.#gone.has(participant) ? undefined : participant.speak();
        this.#post(participant, message);
        if (message) isQuiet = false;
      }
    }
  }

  #join(host: Participant): void {
    const name = String.fromCharCode(97 + this.participants.length);
    const joiner = Participant.fromSnapshot({ name, site: `site0000${name}` }, host.snapshot(), host.name);
    this.#log.set(name, []);
    const seen = new Map(host.inbox.seen().map(({ sender, id }) => [sender, Number(id.split('.')[1])]));
    for (const [sender, messages] of this.#log) {
      // Some of what the snapshot contains comes again.
      const from = Math.max(0, (seen.get(sender) ?? 0) - Math.floor(this.#random() * 3));
      this.#link(sender, name).push(...messages.slice(from).map((message) => ({ message })));
    }
    for (const gone of this.#gone) this.#link(gone.name, name).push({ left: gone.name });
    this.participants.push(joiner);
    for (const other of this.participants) {
      if (this.#gone.has(other)) continue;
      other.joined(name);
      joiner.joined(other.name);
    }
  }

  #leave(participant: Participant): void {
    if (this.#random() < 0.5) this.#post(participant, participant.flush());
    // What never went out nobody can keep.
    const sent = JSON.stringify(this.#log.get(participant.name));
    for (const word of this.#written.keys()) {
      if (word.startsWith(participant.name) && !sent.includes(word)) this.#written.delete(word);
    }
    this.#gone.add(participant);
    for (const receiver of this.participants) {
      if (!this.#gone.has(receiver))
        this.#link(participant.name, receiver.name).push({ left: participant.name });
    }
  }

  #editSomething(participant: Participant): void {
    const records = [...participant.document.records.values()];
    if (records.length === 0) return;
    const dice = this.#random();
    const texts = records.filter(({ type }) => type === 'text');
    const elements = records.filter(({ type }) => type === 'element');
    if (dice < 0.6 && texts.length > 0) this.#write(participant, this.#pick(texts));
    else if (dice < 0.7 && elements.length > 0) this.#create(participant, this.#pick(elements));
    else if (dice < 0.8 && elements.length > 0) this.#move(participant, records, elements);
    else if (dice < 0.9) this.#setAttribute(participant, records, elements);
    else if (dice < 0.93) this.#remove(participant, this.#pick(records));
  }

  #write(participant: Participant, record: SharedRecord): void {
    const text = participant.view(record).chdata;
    const words = text.split(' ').filter((word) => word !== '');
    const at = Math.floor(this.#random() * (words.length + 1));
    const before = words
      .slice(0, at)
      .map((word) => `${word} `)
      .join('');
    const count = this.#random() < 0.2 ? Math.min(words.length - at, 1 + Math.floor(this.#random() * 2)) : 0;
    const deleted = words.slice(at, at + count);
    for (const word of deleted) this.#written.delete(word);
    const isDeletion = count > 0 && this.#random() < 0.5;
    const word = `${participant.name}${String(++this.#wordCount).padStart(4, '0')}`;
    if (!isDeletion) this.#written.set(word, record.rid);
    const change: Change = {
      kind: 'set',
      target: record.rid,
      chdata: isDeletion ? '' : `${word} `,
      replaceFrom: before.length,
      replaceCount: deleted.join(' ').length + (count > 0 ? 1 : 0),
    };
    this.#edit(participant, [change]);
  }

  #create(participant: Participant, parent: SharedRecord): void {
    const rid = participant.newRid();
    const weight = Math.floor(this.#random() * 5);
    const text = participant.newRid();
    this.#edit(participant, [
      { kind: 'new', rid, type: 'element', name: 'p', parent: parent.rid, weight },
      { kind: 'new', rid: text, type: 'text', chdata: '', parent: rid },
    ]);
  }

  #move(participant: Participant, records: SharedRecord[], elements: SharedRecord[]): void {
    const target = this.#pick(records);
    const change: Change = { kind: 'set', target: target.rid, weight: Math.floor(this.#random() * 5) };
    if (this.#random() < 0.7) change.parent = this.#pick(elements).rid;
    this.#edit(participant, [change]);
  }

  #setAttribute(participant: Participant, records: SharedRecord[], elements: SharedRecord[]): void {
    const attributes = records.filter(({ type }) => type === 'attr');
    const chdata = String(this.#random());
    if (attributes.length > 0 && this.#random() < 0.6) {
      this.#edit(participant, [{ kind: 'set', target: this.#pick(attributes).rid, chdata }]);
    } else if (elements.length > 0) {
      const name = this.#pick(['x', 'y']);
      const parent = this.#pick(elements).rid;
      this.#edit(participant, [
        { kind: 'new', rid: participant.newRid(), type: 'attr', name, chdata, parent },
      ]);
    }
  }

  #remove(participant: Participant, record: SharedRecord): void {
    if (record.rid === 'root' || record.rid === 'p' || record.rid === 't') return;
    this.#edit(participant, [{ kind: 'remove', target: record.rid }]);
  }
}
