/**
 * Coming into a session that has begun (XEP-0284 §7 and §8): one offer is taken, the others are refused, and what happens
 * meanwhile waits until the snapshot is complete.
 */
import { isEdit, type StateItem } from './edits.js';
import type { Message } from './inbox.js';
import { Participant, type ParticipantOptions, type Received } from './participant.js';
import type { Snapshot } from './snapshot.js';

/** Messages that wait for the end of a snapshot. */
const MAX_WAITING_MESSAGES = 100_000;

export type JoinStep =
  /** The participant is there; `waiting` is what came while it was waited for, and `received` what became of it. */
  | { kind: 'joined'; participant: Participant; waiting: Message[]; received: Received[] }
  /** More has to come. */
  | { kind: 'waiting' }
  /** It comes from somebody whose offer was not taken, it was not asked for, or too much has come. */
  | { kind: 'refused'; reason: 'not-the-sender-of-the-state' | 'no-offer-accepted' | 'too-many-waiting' };

export class Joining {
  readonly #options: Omit<ParticipantOptions, 'document'>;
  #accepted: string | undefined;
  #snapshot: Snapshot | undefined;
  /** How many items come after the end of the snapshot, once it has come. */
  #toFollow: number | undefined;
  #waiting: Message[] = [];

  constructor(options: Omit<ParticipantOptions, 'document'>) {
    this.#options = options;
  }

  /** Whose offer was taken. */
  get accepted(): string | undefined {
    return this.#accepted;
  }

  /** Whether somebody is in the middle of the snapshot, and sends nothing else (§8.4). */
  isSending(sender: string): boolean {
    return sender === this.#accepted && this.#snapshot !== undefined;
  }

  /** What to answer to an offer. The first one is taken (a caller that prefers the host asks for that one first). */
  offered(sender: string): 'accept-state' | 'refuse-state' {
    this.#accepted ??= sender;
    return this.#accepted === sender ? 'accept-state' : 'refuse-state';
  }

  /** Who was to send the state has gone: `true` when another offer is needed. */
  left(sender: string): boolean {
    if (sender !== this.#accepted) return false;
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
    if (isSnapshot || this.isSending(sender)) return this.#take(sender, items);
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
        this.#snapshot = { prolog, edits: [], lastSender: '', lastId: '', seen: [], following: [] };
        this.#toFollow = undefined;
      } else if (item.kind === 'document-end') {
        const { lastSender, lastId, seen } = item;
        if (this.#snapshot) Object.assign(this.#snapshot, { lastSender, lastId, seen: [...seen] });
        this.#toFollow = item.following;
      } else if (this.#toFollow !== undefined) this.#snapshot?.following.push(item);
      else if (item.kind !== 'owed') this.#snapshot?.edits.push(item);
    }
    if (!this.#snapshot || this.#snapshot.following.length < (this.#toFollow ?? Infinity))
      return { kind: 'waiting' };
    const participant = Participant.fromSnapshot(this.#options, this.#snapshot, sender);
    participant.joined(sender);
    const waiting = this.#waiting;
    this.#waiting = [];
    return {
      kind: 'joined',
      participant,
      waiting,
      received: waiting.flatMap((message) => participant.receive(message)),
    };
  }
}
