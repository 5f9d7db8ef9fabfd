/** People who edit one document in a room whose connections come and go. */
import { createDocument } from '../../../src/lib/sxe/load-tree.js';
import type { Surroundings } from '../../../src/lib/sxe/session/clock.js';
import { EditingSession } from '../../../src/lib/sxe/session/editing-session.js';
import { FakeRoom, type FakeChannel } from './fake-room.js';
import { randomFrom } from './simulation.js';
import { VirtualClock } from './virtual-clock.js';

interface Writer {
  name: string;
  channel: FakeChannel;
  editing: EditingSession;
  isThere: boolean;
  /** How its session has ended. */
  end?: string;
  hasMarks: boolean;
}

const BEGINNING = '<doc><p>one </p><p>two </p></doc>';

/** Where it is not known any more what an edit was made on, a word may come to be inside another. */
function hasWord(text: string, word: string): boolean {
  let left = text;
  for (;;) {
    if (left.includes(word)) return true;
    const next = left.replace(/[a-z]\d{4} /, '');
    if (next === left) return false;
    left = next;
  }
}

export class OutageSimulation {
  readonly #clock = new VirtualClock();
  readonly #random: () => number;
  readonly #surroundings: Surroundings;
  readonly #room: FakeRoom;
  readonly #writers: Writer[] = [];
  /** Words that were written by those who are still there, and that nobody has deleted. */
  readonly #words = new Set<string>();
  #wordCount = 0;

  constructor(
    seed: number,
    private readonly options: { participants: number; steps: number },
  ) {
    this.#random = randomFrom(seed);
    let sites = 0;
    const newSite = () =>
      `${Math.floor(this.#random() * 1e9)}`.padStart(9, '0') + String(++sites).padStart(4, '0');
    this.#surroundings = { clock: this.#clock, newSite };
    this.#room = new FakeRoom(this.#clock, this.#random);
  }

  /** @returns what is wrong at the end: nothing, when all have the same and every word that was written */
  async run(): Promise<string[]> {
    this.#add();
    while (this.#writers.length < this.options.participants) {
      await this.#clock.pass(this.#random() * 3_000);
      this.#add();
    }
    // Who comes in has to get the document before everything breaks down: else there is nobody to get it from.
    await this.#clock.pass(60_000);
    for (let step = 0; step < this.options.steps; step++) {
      await this.#clock.pass(this.#random() ** 3 * 5_000);
      this.#step();
    }
    for (const writer of this.#writers) if (writer.isThere && !writer.channel.isOnline) this.#return(writer);
    await this.#clock.pass(300_000);
    const problems = this.#problems();
    for (const { isThere, editing } of this.#writers) if (isThere) void editing.close();
    return problems;
  }

  #problems(): string[] {
    // Who comes while nobody else is there cannot get the document.
    const there = this.#writers.filter(
      (writer) => writer.isThere && (writer.end === undefined || !this.#hasNoDocument(writer)),
    );
    const problems: string[] = [];
    for (const { name, end, hasMarks } of there) {
      if (end !== undefined) problems.push(`${name} has ended: ${end}`);
      if (hasMarks) problems.push(`${name} has a conflict that nobody has caused`);
    }
    if (problems.length > 0) return problems;
    const texts = there.map(({ editing }) => editing.text);
    for (const [index, { name, editing }] of there.entries()) {
      const waiting = [...editing.participant.waitingFor()];
      if (texts[index] !== texts[0]) problems.push(`${name} is apart: ${texts[index]} / ${texts[0]}`);
      if (waiting.length > 0) problems.push(`${name} waits for ${waiting.join()}`);
    }
    for (const word of this.#words) if (!hasWord(texts[0] ?? '', word)) problems.push(`${word} is lost`);
    return problems;
  }

  #add(): void {
    const name = String.fromCharCode(97 + this.#writers.length);
    const channel = this.#room.enter(name);
    const editing =
      this.#writers.length === 0
        ? EditingSession.share(
            channel,
            'urn:xmpp:jingle:apps:xml',
            (own, site) => createDocument(BEGINNING, own, site),
            { surroundings: this.#surroundings },
          )
        : EditingSession.join(channel, 'urn:xmpp:jingle:apps:xml', { surroundings: this.#surroundings });
    const writer: Writer = { name, channel, editing, isThere: true, hasMarks: false };
    this.#writers.push(writer);
    void this.#listen(writer);
  }

  async #listen(writer: Writer): Promise<void> {
    try {
      for await (const event of writer.editing.events)
        if (event.kind === 'document' && event.unmerged) writer.hasMarks = true;
      writer.end = 'without an error';
    } catch (error) {
      writer.end = String(error);
    }
  }

  #step(): void {
    const there = this.#writers.filter(({ isThere }) => isThere);
    const writer = this.#pick(there);
    const dice = this.#random();
    if (dice < 0.75) this.#write(writer);
    else if (dice < 0.79) this.#restart(there);
    else if (dice < 0.87) this.#lose(writer);
    else if (dice < 0.95) {
      if (!writer.channel.isOnline) this.#return(writer);
    } else if (dice < 0.975) {
      if (this.#writers.length < this.options.participants + 2) this.#add();
    } else if (there.length > 2) this.#leave(writer);
  }

  /** All lose their connection, and come back in any order. */
  #restart(there: readonly Writer[]): void {
    this.#room.restart();
    for (const writer of there) {
      writer.channel.cut();
      this.#returnLater(writer);
    }
  }

  #lose(writer: Writer): void {
    if (!writer.channel.isOnline) return;
    writer.channel.lose();
    this.#returnLater(writer);
  }

  #returnLater(writer: Writer): void {
    this.#clock.after(this.#random() ** 2 * 40_000, () => this.#return(writer));
  }

  #return({ channel, isThere }: Writer): void {
    if (isThere && !channel.isOnline) channel.comeIn();
  }

  /** Orderly, or without a word. What only who leaves has is lost. */
  #leave(writer: Writer): void {
    writer.isThere = false;
    for (const word of this.#words) if (word.startsWith(writer.name)) this.#words.delete(word);
    if (this.#random() < 0.5 && writer.channel.isOnline && !this.#hasNoDocument(writer))
      void writer.editing.close();
    else {
      writer.channel.lose();
      writer.channel.events.end();
    }
  }

  #hasNoDocument({ editing }: Writer): boolean {
    try {
      return editing.text === '';
    } catch {
      return true;
    }
  }

  /** Adds a word, adds a paragraph, or deletes a word, as somebody does who saves a file. */
  #write(writer: Writer): void {
    if (writer.end !== undefined || this.#hasNoDocument(writer)) return;
    const { text } = writer.editing;
    const places = [...text.matchAll(/(?<=[> ])(?=[^<>]*<\/p>)|(?<=<\/p>)(?=<)/g)].map(({ index }) => index);
    if (places.length === 0) return;
    const at = this.#pick(places);
    const deleted = /^([a-z]\d{4}) /.exec(text.slice(at));
    if (deleted && this.#random() < 0.3) {
      this.#words.delete(deleted[1] ?? '');
      writer.editing.apply(text.slice(0, at) + text.slice(at + deleted[0].length));
      return;
    }
    const word = `${writer.name}${String(++this.#wordCount).padStart(4, '0')}`;
    this.#words.add(word);
    const added = text[at] === '<' && text[at - 1] === '>' ? `<p>- ${word} </p>` : `${word} `;
    writer.editing.apply(text.slice(0, at) + added + text.slice(at));
  }

  #pick<T>(items: readonly T[]): T {
    return items[Math.floor(this.#random() * items.length)] as T;
  }
}
