/**
 * Coming into a session that has begun (XEP-0284 §7 and §8): one offer is taken, the others are refused, and what happens
 * meanwhile waits until the snapshot is complete.
 */
import type { StateItem } from './edits.js';
import type { Message } from './inbox.js';
import { Participant, type ParticipantOptions, type Received } from './participant.js';
import type { Snapshot } from './snapshot.js';

/** Messages that wait for the end of a snapshot. */
const MAX_WAITING_MESSAGES = 100_000;

export type JoinStep =
  /** The participant is there; `received` is what came while it was waited for. */
  | { kind: 'joined'; participant: Participant; received: Received[] }
  /** More has to come. */
  | { kind: 'waiting' }
  /** It comes from somebody whose offer was not taken, it was not asked for, or too much has come. */
  | { kind: 'refused'; reason: 'not-the-sender-of-the-state' | 'no-offer-accepted' | 'too-many-waiting' };

export class Joining {
  readonly #options: Omit<ParticipantOptions, 'document'>;
  #accepted: string | undefined;
  #snapshot: Snapshot | undefined;
  #isEnded = false;
  #waiting: Message[] = [];

  constructor(options: Omit<ParticipantOptions, 'document'>) {
    this.#options = options;
  }

  /** Whose offer was taken. */
  get accepted(): string | undefined {
    return this.#accepted;
  }

  /** What to answer to an offer. The first one is taken (a caller that prefers the host asks for that one first). */
  offered(sender: string): 'accept-state' | 'refuse-state' {
    this.#accepted ??= sender;
    return this.#accepted === sender ? 'accept-state' : 'refuse-state';
  }

  /** Who was to send the state has gone: `true` when another offer is needed. */
  left(sender: string): boolean {
    if (sender !== this.#accepted || this.#isEnded) return false;
    this.#accepted = undefined;
    this.#snapshot = undefined;
    return true;
  }

  /** A `<state/>` of anybody, with a snapshot, a part of it, or edits. */
  receive(sender: string, id: string, items: readonly StateItem[]): JoinStep {
    const isSnapshot = items.some(({ kind }) => kind === 'document-begin' || kind === 'document-end');
    if (isSnapshot && this.#accepted === undefined) return { kind: 'refused', reason: 'no-offer-accepted' };
    if (isSnapshot && sender !== this.#accepted)
      return { kind: 'refused', reason: 'not-the-sender-of-the-state' };
    if (isSnapshot || (sender === this.#accepted && this.#snapshot)) return this.#take(sender, items);
    return this.#wait({ sender, id, edits: items.filter(isEdit) });
  }

  #wait(message: Message): JoinStep {
    if (this.#waiting.length >= MAX_WAITING_MESSAGES) return { kind: 'refused', reason: 'too-many-waiting' };
    this.#waiting.push(message);
    return { kind: 'waiting' };
  }

  /** Between begin and end the sender of the state sends nothing else (§8.4). */
  #take(sender: string, items: readonly StateItem[]): JoinStep {
    for (const item of items) {
      if (item.kind === 'document-begin') {
        const { prolog } = item;
        // One that begins anew replaces what there was.
        this.#snapshot = { prolog, edits: [], lastSender: '', lastId: '', seen: [], waiting: [] };
        this.#isEnded = false;
      } else if (item.kind === 'document-end') {
        const { lastSender, lastId, seen } = item;
        if (this.#snapshot) Object.assign(this.#snapshot, { lastSender, lastId, seen: [...seen] });
        this.#isEnded = this.#snapshot !== undefined;
      } else if (this.#isEnded) this.#snapshot?.waiting.push(item);
      else this.#snapshot?.edits.push(item);
    }
    if (!this.#snapshot || !this.#isEnded) return { kind: 'waiting' };
    const participant = Participant.fromSnapshot(this.#options, this.#snapshot, sender);
    participant.joined(sender);
    const waiting = this.#waiting;
    this.#waiting = [];
    return {
      kind: 'joined',
      participant,
      received: waiting.flatMap((message) => participant.receive(message)),
    };
  }
}

function isEdit<T extends StateItem>(
  item: T,
): item is Exclude<T, { kind: 'document-begin' | 'document-end' }> {
  return item.kind !== 'document-begin' && item.kind !== 'document-end';
}
