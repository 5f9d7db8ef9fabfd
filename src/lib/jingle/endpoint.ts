/**
 * All Jingle sessions of one connection: begins ours, hands out those that others begin.
 */
import { randomUUID } from 'node:crypto';
import { DecodeError } from '../errors.js';
import type { JID } from '../jid/jid.js';
import type { WaitOptions } from '../session/session.js';
import { StanzaReply } from '../session/stanza-reply.js';
import type { Element } from '../xml/element.js';
import type { StanzaErrorFacts } from '../xml/stanza-error.js';
import { EventQueue } from '../event-queue.js';
import { JingleSession, type JingleStream } from './jingle-session.js';
import { unknownSession } from './session-state.js';
import {
  NS_JINGLE,
  decodeJingle,
  encodeJingle,
  type Content,
  type JingleMessage,
  type Role,
} from './stanzas.js';

export interface JingleEndpointOptions {
  /** Which payloads of session-info the application knows; others are answered unsupported-info. */
  understands?: (payload: Element) => boolean;
}

export interface IncomingOptions {
  /** The namespace of the descriptions that are wanted; whatever nobody else wants when left out. */
  application?: string;
  /** Refuses an offer before anything is made of it: strangers, floods. */
  refuse?: (from: JID, message: JingleMessage) => StanzaErrorFacts | undefined;
}

interface Application {
  offers: EventQueue<JingleSession>;
  refuse: IncomingOptions['refuse'];
}

export class JingleEndpoint implements Disposable {
  readonly #session: JingleStream;
  readonly #understands: ((payload: Element) => boolean)[];
  /** By the other party's full JID and the sid: a sid alone proves nothing. */
  readonly #sessions = new Map<string, JingleSession>();
  readonly #registration: Disposable;
  readonly #applications = new Map<string | undefined, Application>();

  constructor(session: JingleStream, options: JingleEndpointOptions = {}) {
    this.#session = session;
    this.#understands = options.understands ? [options.understands] : [];
    this.#registration = session.respond(
      { type: 'set', name: 'jingle', namespace: NS_JINGLE },
      ({ payload, from }) => {
        const error = this.#receive(from, payload);
        if (error) throw new StanzaReply(error);
        return undefined;
      },
    );
  }

  /**
   * Offers contents to another party, and resolves when it has acknowledged the offer (not yet accepted it).
   * @param options.sid the one that was announced (XEP-0353 §3), or a new one
   * @param options.payload what stands beside the contents: groups, the room of a conference
   * @throws StanzaError it refused at once
   */
  async initiate(
    peer: JID,
    contents: readonly Content[],
    options: WaitOptions & { sid?: string; payload?: readonly Element[] } = {},
  ): Promise<JingleSession> {
    const initiate: JingleMessage = {
      action: 'session-initiate',
      sid: options.sid ?? randomUUID(),
      initiator: this.#session.jid.toString(),
      contents,
      payload: options.payload ?? [],
    };
    // Known before the acknowledgement comes: an acceptance may be right behind it.
    const jingleSession = this.#open(peer, 'initiator', initiate);
    try {
      await this.#session.request({ type: 'set', to: peer, payload: encodeJingle(initiate) }, options);
    } catch (error) {
      this.#sessions.delete(keyOf(peer, initiate.sid));
      throw error;
    }
    return jingleSession;
  }

  /** Offers of others, from the moment of the call. What nobody asked for is refused. */
  incoming({ application, refuse }: IncomingOptions = {}): AsyncIterableIterator<JingleSession> {
    const offers = new EventQueue<JingleSession>(100);
    this.#applications.set(application, { offers, refuse });
    return offers;
  }

  /** Another application that reads session-info in some session. */
  understand(payloads: (payload: Element) => boolean): void {
    this.#understands.push(payloads);
  }

  [Symbol.dispose](): void {
    this.#registration[Symbol.dispose]();
    for (const { offers } of this.#applications.values()) offers.end();
  }

  #receive(from: JID, payload: Element): StanzaErrorFacts | undefined {
    let message: JingleMessage;
    try {
      message = decodeJingle(payload);
    } catch (error) {
      if (error instanceof DecodeError) return { condition: 'bad-request', text: error.message };
      throw error;
    }
    const known = this.#sessions.get(keyOf(from, message.sid));
    if (known) return known.receive(message);
    if (message.action !== 'session-initiate') return unknownSession().error;
    return this.#receiveOffer(from, message);
  }

  #receiveOffer(from: JID, message: JingleMessage): StanzaErrorFacts | undefined {
    for (const [name, { offers }] of this.#applications) if (offers.isEnded) this.#applications.delete(name);
    if (this.#applications.size === 0) return { condition: 'service-unavailable' };
    const [first] = message.contents;
    const application =
      this.#applications.get(first?.description?.getNS()) ?? this.#applications.get(undefined);
    const refusal = application?.refuse?.(from, message);
    if (refusal) return refusal;
    const hasForeignContent = message.contents.some(({ creator }) => creator !== 'initiator');
    if (message.contents.length === 0 || hasForeignContent)
      return { condition: 'bad-request', type: 'cancel' };
    if (application?.offers.isFull) return { condition: 'resource-constraint' };
    const offer = this.#open(from, 'responder', message);
    // Handed out after the acknowledgement has been written, so that no answer of ours overtakes it.
    setImmediate(() => {
      if (application) application.offers.push(offer);
      else void offer.terminate({ condition: 'unsupported-applications' });
    });
    return undefined;
  }

  #open(peer: JID, role: Role, initiate: JingleMessage): JingleSession {
    const key = keyOf(peer, initiate.sid);
    const jingleSession = new JingleSession({
      session: this.#session,
      peer,
      role,
      initiate,
      understands: (payload) => this.#understands.some((understands) => understands(payload)),
      onEnd: () => this.#sessions.delete(key),
    });
    this.#sessions.set(key, jingleSession);
    return jingleSession;
  }
}

function keyOf(peer: JID, sid: string): string {
  return `${peer.toString()} ${sid}`;
}

const shared = new WeakMap<JingleStream, { endpoint: JingleEndpoint; users: number }>();

/**
 * The endpoint that everything on one connection shares: a connection has one place where Jingle arrives, and several
 * transfers and calls may be under way on it. It is gone when all who share it have let go.
 */
export function shareEndpoint(session: JingleStream): Disposable & { readonly endpoint: JingleEndpoint } {
  const entry = shared.get(session) ?? { endpoint: new JingleEndpoint(session), users: 0 };
  entry.users += 1;
  shared.set(session, entry);
  let isHeld = true;
  return {
    endpoint: entry.endpoint,
    [Symbol.dispose]: () => {
      if (!isHeld) return;
      isHeld = false;
      entry.users -= 1;
      if (entry.users > 0) return;
      shared.delete(session);
      entry.endpoint[Symbol.dispose]();
    },
  };
}
