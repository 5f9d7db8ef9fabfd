/**
 * Messages in the order of their sender, each once.
 *
 * XEP-0284 wants ids to be unique and no more. Ours are `SITE.1`, `SITE.2` …, so that a message that is missing is noticed and those
 * behind it wait for it (CLARIFICATIONS 14); others are taken in the order in which they come.
 */
import type { Edit, SeenMessage } from './edits.js';

export interface Message {
  /** The full JID, or the nick in a room; the same for all participants. */
  sender: string;
  id: string;
  edits: readonly Edit[];
}

/** Messages of one sender that wait for one before them; what is beyond is not kept, and will be missing. */
const MAX_HELD = 10_000;
/** Ids without a number that a snapshot lists of each sender: those that may still be on their way to somebody. */
const MAX_LISTED = 200;

interface Sequence {
  /** The number of the last message that was let through; `undefined`: the next one may have any. */
  last: number | undefined;
  held: Map<number, Message>;
}

interface Sender {
  sequences: Map<string, Sequence>;
  others: Set<string>;
}

/** Messages that somebody has not got: from the first to the last number. */
export interface Gap {
  sender: string;
  site: string;
  first: number;
  last: number;
}

export class Inbox {
  readonly #senders = new Map<string, Sender>();
  /** The last message that was let through. */
  lastSender = '';
  lastId = '';

  /**
   * @param isComplete whether everything since the beginning comes in here, or `seen` says what does not. Without it the
   *   first message of a sender may have any number.
   */
  constructor(readonly isComplete = true) {}

  /** The messages whose turn it is now: none, this one, or this one and those that waited for it. */
  take(message: Message): Message[] {
    const { sender, id } = message;
    const known = this.#sender(sender);
    const numbered = readNumberedId(id);
    if (!numbered) {
      if (known.others.has(id)) return [];
      known.others.add(id);
      return this.#note([message]);
    }
    const sequence = this.#sequence(known, numbered.site);
    sequence.last ??= numbered.number - 1;
    if (numbered.number <= sequence.last) return [];
    if (sequence.held.size < MAX_HELD || numbered.number === sequence.last + 1)
      sequence.held.set(numbered.number, message);
    const ready: Message[] = [];
    for (;;) {
      const next = sequence.held.get(sequence.last + 1);
      if (!next) return this.#note(ready);
      sequence.last += 1;
      sequence.held.delete(sequence.last);
      ready.push(next);
    }
  }

  /** What a snapshot contains already. */
  markSeen(messages: Iterable<SeenMessage>): void {
    for (const { sender, id } of messages) {
      if (id === '') continue;
      const known = this.#sender(sender);
      const numbered = readNumberedId(id);
      if (numbered) this.#sequence(known, numbered.site).last = numbered.number;
      else known.others.add(id);
      this.lastSender = sender;
      this.lastId = id;
    }
  }

  /** The last message of each sender that was let through. */
  seen(): SeenMessage[] {
    const seen: SeenMessage[] = [];
    for (const [sender, { sequences, others }] of this.#senders) {
      for (const [site, { last }] of sequences) if (last) seen.push({ sender, id: `${site}.${last}` });
      for (const id of [...others].slice(-MAX_LISTED)) seen.push({ sender, id });
    }
    return seen;
  }

  /** Messages that later ones wait for. */
  gaps(): Gap[] {
    const gaps: Gap[] = [];
    for (const [sender, { sequences }] of this.#senders) {
      for (const [site, { last = 0, held }] of sequences) {
        if (held.size > 0) gaps.push({ sender, site, first: last + 1, last: Math.min(...held.keys()) - 1 });
      }
    }
    return gaps;
  }

  #note(messages: Message[]): Message[] {
    const last = messages.at(-1);
    if (last) {
      this.lastSender = last.sender;
      this.lastId = last.id;
    }
    return messages;
  }

  #sender(name: string): Sender {
    let sender = this.#senders.get(name);
    if (!sender) this.#senders.set(name, (sender = { sequences: new Map(), others: new Set() }));
    return sender;
  }

  #sequence({ sequences }: Sender, site: string): Sequence {
    let sequence = sequences.get(site);
    if (!sequence)
      sequences.set(site, (sequence = { last: this.isComplete ? 0 : undefined, held: new Map() }));
    return sequence;
  }
}

/** A name for one stay of a participant in a session, random, that begins its ids: lower-case letters and digits. */
export const SITE_PATTERN = /^[0-9a-z]{8,32}$/;

export function readNumberedId(id: string): { site: string; number: number } | undefined {
  const match = /^([0-9a-z]{8,32})\.([1-9]\d{0,14})$/.exec(id);
  return match ? { site: match[1] ?? '', number: Number(match[2]) } : undefined;
}
