/**
 * XEP-0353: Jingle Message Initiation, version 0.8.0: asking all resources of an account, by messages, which of them
 * takes a session before it is offered.
 *
 * Not here: `<migrated/>` (a session that moves to another device), and the catch-up with an archive (§3.3).
 */
import { randomUUID } from 'node:crypto';
import { NegativeError } from '../errors.js';
import { JID } from '../jid/jid.js';
import type { Session } from '../session/session.js';
import { Deferred } from '../session/wait.js';
import { element } from '../xml/codec.js';
import { isDelayed } from '../xml/delay.js';
import type { Element } from '../xml/element.js';
import { xml } from '../xml/element.js';
import { attr, child, childText, flag, optional, rawChildren } from '../xml/fields.js';
import { token } from '../xml/scalars.js';
import { stanzaErrorFrom } from '../xml/stanza-error.js';
import { EventQueue } from '../event-queue.js';
import { NS_JINGLE } from './stanzas.js';

export const NS_JINGLE_MESSAGE = 'urn:xmpp:jingle-message:0';
const NS_HINTS = 'urn:xmpp:hints';
/** Announcements of others that are remembered, so that a retraction finds them. */
const MAX_OPEN = 1000;

const id = attr('id', token);
/** XEP-0166 §7.4, as far as it is used here. */
const Reason = element(NS_JINGLE, 'reason', {
  busy: flag('busy'),
  cancel: flag('cancel'),
  decline: flag('decline'),
  expired: flag('expired'),
  success: flag('success'),
  text: optional(childText('text')),
});
type Condition = 'busy' | 'cancel' | 'decline' | 'expired' | 'success';
const withReason = { id, reason: optional(child(Reason)), isTieBreak: flag('tie-break') };

export const Propose = element(NS_JINGLE_MESSAGE, 'propose', {
  id,
  descriptions: rawChildren({ name: 'description' }),
});
export const Ringing = element(NS_JINGLE_MESSAGE, 'ringing', { id });
export const Proceed = element(NS_JINGLE_MESSAGE, 'proceed', { id });
/** Of versions before 0.4: to the other resources of the account that takes the session. */
export const Accept = element(NS_JINGLE_MESSAGE, 'accept', { id });
export const Reject = element(NS_JINGLE_MESSAGE, 'reject', withReason);
export const Retract = element(NS_JINGLE_MESSAGE, 'retract', withReason);
export const Finish = element(NS_JINGLE_MESSAGE, 'finish', withReason);

/** What a NegativeError of a refused announcement ends with, after the address. */
const REFUSES_FILES = 'does not want any files';

export type MessageStream = Pick<Session, 'jid' | 'send' | 'handle' | 'on'>;

/** A session that we announced. */
export class Proposal implements Disposable {
  readonly id: string = randomUUID();
  readonly #session: MessageStream;
  readonly #to: JID;
  readonly #refusal: string;
  readonly #answer = new Deferred<JID>();
  readonly #firstSign = new Deferred<'ringing' | 'answer'>();
  readonly #handlers: Disposable[];
  #isOpen = true;

  constructor(session: MessageStream, to: JID, refusal = REFUSES_FILES) {
    this.#session = session;
    this.#to = to;
    this.#refusal = refusal;
    this.#handlers = [
      session.handle({ name: 'message' }, (stanza) => this.#receive(stanza)),
      session.on('closed', ({ error }) => {
        if (error) this.#answer.reject(error);
      }),
    ];
  }

  /**
   * The resource that takes the session: offer it there, under `id`.
   * Rejects with a NegativeError when somebody there said no, and with a StanzaError when the message came back.
   */
  get answer(): Promise<JID> {
    return this.#answer.promise;
  }

  /** Resolves when anybody there has shown that the announcement arrived at all; without it nobody may know this protocol. */
  get firstSign(): Promise<'ringing' | 'answer'> {
    return this.#firstSign.promise;
  }

  async send(descriptions: readonly Element[]): Promise<void> {
    await this.#send(this.#to, Propose.encode({ id: this.id, descriptions }));
  }

  /** We do not want it any more (§3.3), or another one has overruled it (§4.1). */
  async retract({ isTieBreak = false }: { isTieBreak?: boolean } = {}): Promise<void> {
    if (!this.#isOpen) return;
    this[Symbol.dispose]();
    const reason = reasonOf(isTieBreak ? 'expired' : 'cancel');
    await this.#send(this.#to, Retract.encode({ id: this.id, reason, isTieBreak }));
  }

  /** The session that came of it is over (§3.7). */
  async finish(peer: JID, condition: 'success' | 'expired'): Promise<void> {
    await this.#send(peer, Finish.encode({ id: this.id, reason: reasonOf(condition) }));
  }

  [Symbol.dispose](): void {
    this.#isOpen = false;
    for (const handler of this.#handlers) handler[Symbol.dispose]();
  }

  #receive(stanza: Element): void {
    const from = fromOf(stanza);
    if (from?.bare.equals(this.#to.bare) !== true) return;
    if (stanza.attrs['type'] === 'error') {
      // The id is that of the message, which is the one of the session.
      if (stanza.attrs['id'] === this.id) this.#settle(() => this.#answer.reject(stanzaErrorFrom(stanza)));
      return;
    }
    if (isAbout(stanza, 'ringing', this.id)) this.#firstSign.resolve('ringing');
    else if (isAbout(stanza, 'proceed', this.id)) this.#settle(() => this.#answer.resolve(from));
    else if (isAbout(stanza, 'reject', this.id)) {
      // Not an answer: they have announced the same at that moment, and theirs stands (§4.1).
      if (childOf(stanza, 'reject')?.getChild('tie-break', NS_JINGLE_MESSAGE)) return;
      this.#settle(() => this.#answer.reject(this.#refused(stanza)));
    }
  }

  #refused(stanza: Element): NegativeError {
    const who = this.#to.bare.toString();
    const isBusy = childOf(stanza, 'reject')?.getChild('reason')?.getChild('busy') !== undefined;
    return new NegativeError(`${who} ${this.#refusal}`, {
      details: { condition: isBusy ? 'busy' : 'decline' },
    });
  }

  #settle(settle: () => void): void {
    settle();
    this.#firstSign.resolve('answer');
    this[Symbol.dispose]();
  }

  async #send(to: JID, payload: Element): Promise<void> {
    await this.#session.send(announcement(to, payload, this.id));
  }
}

/** A session that somebody announces to us. */
export interface IncomingProposal {
  readonly id: string;
  readonly from: JID;
  readonly descriptions: readonly Element[];
  /** Kept for us while nobody was here (XEP-0203), or given to us because an earlier stream had not acknowledged it. */
  readonly isLate: boolean;
  /** Aborted when it is not wanted any more, also after we have taken it, or another resource of ours has taken it. */
  readonly signal: AbortSignal;
  /** We are asking the person (§3.2). Shows the sender that we are there. */
  ring(): Promise<void>;
  /** We take it: the offer comes next. Shows the sender that we are there. */
  proceed(): Promise<void>;
  /** @param why `busy` when left out, which tells least (§3.5) */
  reject(why?: 'busy' | 'decline' | 'tie-break'): Promise<void>;
}

/**
 * Announcements from the moment of the call. To answer any of them shows the sender that we are online (§6), so it is
 * for whoever reads this to decide whether to. Ends with `return`, throws when the stream is lost.
 */
export function proposals(session: MessageStream): AsyncIterableIterator<IncomingProposal> {
  const queue = new EventQueue<IncomingProposal>(100);
  const open = new Map<string, AbortController>();
  /** Those that we took, until they are over. */
  const taken = new Map<string, AbortController>();
  const handlers = [
    session.handle({ name: 'message' }, (stanza) => {
      const from = fromOf(stanza);
      if (!from || stanza.attrs['type'] === 'error') return;
      if (from.bare.equals(session.jid.bare)) {
        // Another resource of ours has answered.
        for (const kind of ['accept', 'proceed', 'reject']) closeIf(stanza, kind);
      }
      if (from.bare.equals(session.jid.bare) && from.resource === session.jid.resource) return;
      closeIf(stanza, 'retract', from);
      finishIf(stanza, from);
      const payload = childOf(stanza, 'propose');
      if (payload) receive(payload, from, isDelayed(stanza));
    }),
    session.on('closed', ({ error }) => queue.end(error)),
  ];
  const end = queue.return.bind(queue);
  return Object.assign(queue, {
    return: () => {
      for (const handler of handlers) handler[Symbol.dispose]();
      return end();
    },
  });

  function closeIf(stanza: Element, kind: string, from?: JID): void {
    const about = childOf(stanza, kind);
    if (!about) return;
    const name = String(about.attrs['id']);
    const keys = from ? [keyOf(from, name)] : [...open.keys()].filter((key) => key.endsWith(` ${name}`));
    for (const key of keys) {
      open.get(key)?.abort();
      open.delete(key);
      if (kind === 'retract') taken.get(key)?.abort();
    }
  }

  /** §3.7: both parties say so. */
  function finishIf(stanza: Element, from: JID): void {
    const name = String(childOf(stanza, 'finish')?.attrs['id'] ?? '');
    if (!taken.delete(keyOf(from, name))) return;
    const reply = Finish.encode({ id: name, reason: reasonOf('success') });
    // Nothing depends on it.
    void session.send(announcement(from, reply, randomUUID())).catch(() => undefined);
  }

  function receive(payload: Element, from: JID, isLate: boolean): void {
    const name: unknown = payload.attrs['id'];
    if (typeof name !== 'string' || name === '') return;
    const proposal = Propose.decode(payload);
    const controller = new AbortController();
    const key = keyOf(from, name);
    // The same announcement may come twice: from the archive, or as a copy.
    if (open.has(key)) return;
    const answer = (reply: Element): Promise<void> => session.send(announcement(from, reply, randomUUID()));
    const isTaken = queue.push({
      id: name,
      from,
      descriptions: proposal.descriptions,
      isLate,
      signal: controller.signal,
      ring: () => answer(Ringing.encode({ id: name })),
      proceed: async () => {
        open.delete(key);
        taken.set(key, controller);
        // COMPAT(Libervia 0.9): the other resources of an account without carbons stop ringing only by this.
        await session.send(announcement(session.jid.bare, Accept.encode({ id: name }), randomUUID()));
        await answer(Proceed.encode({ id: name }));
      },
      reject: async (why = 'busy') => {
        open.delete(key);
        const isTieBreak = why === 'tie-break';
        const reason = reasonOf(why === 'tie-break' ? 'expired' : why);
        await answer(Reject.encode({ id: name, reason, isTieBreak }));
      },
    });
    if (!isTaken) return;
    open.set(key, controller);
    for (const oldest of open.keys()) {
      if (open.size <= MAX_OPEN) break;
      open.delete(oldest);
    }
  }
}

function keyOf(from: JID, name: string): string {
  return `${from.toString()} ${name}`;
}

function announcement(to: JID, payload: Element, messageId: string): Element {
  return xml(
    'message',
    { to: to.toString(), type: 'chat', id: messageId },
    payload,
    xml('store', { xmlns: NS_HINTS }),
  );
}

function reasonOf(condition: Condition): Partial<Record<Condition, true>> {
  return { [condition]: true };
}

function childOf(stanza: Element, name: string): Element | undefined {
  return stanza.getChild(name, NS_JINGLE_MESSAGE);
}

function isAbout(stanza: Element, name: string, id: string): boolean {
  return childOf(stanza, name)?.attrs['id'] === id;
}

function fromOf(stanza: Element): JID | undefined {
  const from: unknown = stanza.attrs['from'];
  if (typeof from !== 'string') return undefined;
  return JID.fromServer(from);
}
