/**
 * What becomes of the messages we send: who refused one (a stanza of type `error`), whose client confirmed one
 * (XEP-0184), which came back from the room.
 */
import type { StanzaError } from '../errors.js';
import type { JID } from '../jid/jid.js';
import type { Session } from '../session/session.js';
import type { Element } from '../xml/element.js';
import { jid } from '../xml/jid-scalar.js';
import { stanzaErrorFrom } from '../xml/stanza-error.js';
import { NS_RECEIPTS, NS_STANZA_ID, OriginId, Receipt } from './stanzas.js';

export interface Recipient {
  to: JID;
  sent: number;
  /** Of the last message to it. */
  lastId: string | undefined;
  /** How many it confirmed, or reflected. */
  confirmed: number;
  bounced: number;
  /** The first refusal. */
  error: StanzaError | undefined;
}

/** What counts as confirmed: nothing, a delivery receipt, or the copy that a room sends to everybody. */
export type Confirmation = 'none' | 'receipt' | 'reflection';

export class DeliveryWatch implements Disposable {
  readonly recipients: readonly Recipient[];
  readonly #confirmation: Confirmation;
  /** Ids start with something that nobody can guess, and end with the recipient's place: so no list of all ids is needed. */
  readonly #prefix: string;
  /** Those that have to be confirmed and are not yet: another client of theirs may confirm one twice. */
  readonly #unconfirmed = new Set<string>();
  readonly #handler: Disposable;
  #count = 0;
  #onConfirmed: (() => void) | undefined;

  /** @param prefix unguessable */
  constructor(
    session: Pick<Session, 'handle'>,
    to: readonly JID[],
    confirmation: Confirmation,
    prefix: string,
  ) {
    this.recipients = to.map((address) => ({
      to: address,
      sent: 0,
      lastId: undefined,
      confirmed: 0,
      bounced: 0,
      error: undefined,
    }));
    this.#confirmation = confirmation;
    this.#prefix = prefix;
    this.#handler = session.handle({ name: 'message' }, (stanza) => this.#receive(stanza));
  }

  /** The id for the next message to this recipient. */
  nextId(recipient: Recipient): string {
    recipient.sent += 1;
    this.#count += 1;
    const id = `${this.#prefix}-${this.#count}-${this.recipients.indexOf(recipient)}`;
    recipient.lastId = id;
    if (this.#confirmation !== 'none') this.#unconfirmed.add(id);
    return id;
  }

  get sent(): number {
    return this.#count;
  }

  get bounced(): readonly Recipient[] {
    return this.recipients.filter(({ bounced }) => bounced > 0);
  }

  /** Those that have not confirmed everything, nor refused it. */
  get silent(): readonly Recipient[] {
    if (this.#confirmation === 'none') return [];
    return this.recipients.filter(({ sent, confirmed, bounced }) => confirmed + bounced < sent);
  }

  /** Resolves when nobody is silent any more. */
  confirmed(): Promise<void> {
    if (this.silent.length === 0) return Promise.resolve();
    return new Promise((resolve) => (this.#onConfirmed = resolve));
  }

  [Symbol.dispose](): void {
    this.#handler[Symbol.dispose]();
  }

  #receive(stanza: Element): void {
    const type: unknown = stanza.attrs['type'];
    if (type === 'error') {
      const recipient = this.#settle(stanza.attrs['id'], stanza);
      if (!recipient) return;
      recipient.bounced += 1;
      recipient.error ??= stanzaErrorFrom(stanza);
    } else {
      const id = this.#confirmedBy(stanza, type).find((candidate) =>
        this.#unconfirmed.has(String(candidate)),
      );
      const recipient = this.#settle(id, stanza);
      if (!recipient) return;
      recipient.confirmed += 1;
    }
    if (this.silent.length === 0) this.#onConfirmed?.();
  }

  /** The ids that the stanza may confirm. */
  #confirmedBy(stanza: Element, type: unknown): unknown[] {
    if (this.#confirmation === 'receipt') {
      return [stanza.getChild(Receipt.name, NS_RECEIPTS)?.attrs['id']];
    }
    if (this.#confirmation === 'none' || type !== 'groupchat') return [];
    // Some rooms give the copies an id of their own and keep ours as the origin's.
    return [stanza.attrs['id'], stanza.getChild(OriginId.name, NS_STANZA_ID)?.attrs['id']];
  }

  #settle(id: unknown, stanza: Element): Recipient | undefined {
    const recipient = this.#recipientOf(id, stanza);
    if (recipient) this.#unconfirmed.delete(String(id));
    return recipient;
  }

  /** Whose message has this id, if the stanza comes from there. */
  #recipientOf(id: unknown, stanza: Element): Recipient | undefined {
    if (typeof id !== 'string' || !id.startsWith(`${this.#prefix}-`)) return undefined;
    const recipient = this.recipients[Number(id.slice(id.lastIndexOf('-') + 1))];
    const from: unknown = stanza.attrs['from'];
    const sender = typeof from === 'string' ? jid.read(from) : undefined;
    return recipient && sender?.bare.equals(recipient.to.bare) ? recipient : undefined;
  }
}
