/**
 * One Jingle session on the wire: requests out, events in.
 */
import { ConnectionLostError, StanzaError } from '../errors.js';
import type { JID } from '../jid/jid.js';
import type { Session, WaitOptions } from '../session/session.js';
import type { StanzaErrorFacts } from '../xml/stanza-error.js';
import type { Element } from '../xml/element.js';
import { EventQueue } from '../event-queue.js';
import { SessionState, type SessionEvent, type SessionPhase } from './session-state.js';
import {
  NS_JINGLE_ERRORS,
  encodeJingle,
  type Content,
  type JingleMessage,
  type Reason,
  type Role,
} from './stanzas.js';

/** What Jingle needs of a connection. */
export type JingleStream = Pick<Session, 'jid' | 'request' | 'respond' | 'on'>;

export interface JingleSessionOptions {
  session: JingleStream;
  /** The other party's full JID. */
  peer: JID;
  role: Role;
  initiate: JingleMessage;
  understands: (payload: Element) => boolean;
  /** The endpoint forgets the session. */
  onEnd: () => void;
}

export class JingleSession {
  readonly sid: string;
  readonly peer: JID;
  readonly role: Role;
  /** The contents of the session-initiate. */
  readonly offered: readonly Content[];
  /** What stood beside them: groups, the room of a conference. */
  readonly offeredPayload: readonly Element[];
  /** What the other party does, in order of arrival; one reader. Ends after `terminated`; throws when the stream is lost. */
  readonly events: AsyncIterableIterator<SessionEvent>;
  readonly #queue = new EventQueue<SessionEvent>();
  readonly #session: JingleStream;
  readonly #state: SessionState;
  readonly #onEnd: () => void;
  readonly #lossListener: Disposable;

  constructor({ session, peer, role, initiate, understands, onEnd }: JingleSessionOptions) {
    this.sid = initiate.sid;
    this.peer = peer;
    this.role = role;
    this.offered = initiate.contents;
    this.offeredPayload = initiate.payload;
    this.events = this.#queue;
    this.#session = session;
    this.#state = new SessionState({ role, sid: initiate.sid, initiate, understands });
    this.#onEnd = onEnd;
    this.#lossListener = session.on('closed', ({ error }) => {
      this.#finish(error ?? new ConnectionLostError('the stream was closed while a Jingle session was open'));
    });
  }

  get phase(): SessionPhase {
    return this.#state.phase;
  }

  get contents(): readonly Content[] {
    return this.#state.contents;
  }

  /**
   * Sends one action and waits for its acknowledgement.
   * @throws StanzaError the other party refused it; `isTieBreak` tells a crossing apart
   * @throws IllegalActionError the state of the session does not allow it
   */
  async request(message: Omit<JingleMessage, 'sid'>, options?: WaitOptions): Promise<void> {
    const full = { ...message, sid: this.sid };
    this.#state.send(full);
    try {
      await this.#session.request({ type: 'set', to: this.peer, payload: encodeJingle(full) }, options);
    } catch (error) {
      this.#state.settle(full, false);
      if (isUnknownSession(error)) this.#finish();
      throw error;
    }
    this.#state.settle(full, true);
  }

  /**
   * Asks whether the other party is there and still knows the session (XEP-0166 §7.2.10: an empty session-info).
   * @throws StanzaError it is not @throws TimeoutError
   */
  async ping(options?: WaitOptions): Promise<void> {
    try {
      await this.request({ action: 'session-info', contents: [], payload: [] }, options);
    } catch (error) {
      // One that does not know pings says so, and thereby that it is there.
      if (!(error instanceof StanzaError) || isGone(error)) throw error;
    }
  }

  /** @throws StanzaError the other party refused it */
  accept(
    contents: readonly Content[],
    { payload = [], ...options }: WaitOptions & { payload?: readonly Element[] } = {},
  ): Promise<void> {
    return this.request(
      { action: 'session-accept', responder: this.#session.jid.toString(), contents, payload },
      options,
    );
  }

  /** Ends the session; does nothing when it has ended. Never throws: the other party may be gone. */
  async terminate(
    reason: Pick<Reason, 'condition' | 'text'> & Partial<Reason>,
    options?: WaitOptions,
  ): Promise<void> {
    if (this.#state.phase === 'ended') return;
    const full: Reason = { details: [], ...reason };
    const sent = this.request(
      { action: 'session-terminate', contents: [], payload: [], reason: full },
      options,
    );
    this.#finish();
    await sent.catch(() => undefined);
  }

  /** Nothing more is expected of this content: see `SessionState.release`. */
  release(content: Pick<Content, 'creator' | 'name'>): void {
    this.#state.release(content);
  }

  /** For the endpoint: a message of the other party. Returns the error to answer with, if any. */
  receive(message: JingleMessage): StanzaErrorFacts | undefined {
    const answer = this.#state.receive(message);
    if ('error' in answer) return answer.error;
    // Delivered after the acknowledgement has been written, so that no answer of ours overtakes it.
    setImmediate(() => {
      for (const event of answer.events) {
        if (!this.#queue.push(event)) break;
      }
      if (this.#state.phase === 'ended') this.#finish();
    });
    return undefined;
  }

  #finish(error?: Error): void {
    this.#lossListener[Symbol.dispose]();
    this.#queue.end(error);
    this.#onEnd();
  }
}

/** Conditions by which a server, or the other party itself, says that nobody is there who knows the session. */
const gone: ReadonlySet<string> = new Set([
  'gone',
  'item-not-found',
  'recipient-unavailable',
  'remote-server-not-found',
  'remote-server-timeout',
  'service-unavailable',
]);

/** The request did not reach anybody who could answer it. */
export function isGone(error: unknown): boolean {
  return error instanceof StanzaError && gone.has(error.condition);
}

/** Both parties did the same at once, and the other's stands (XEP-0166 §7.2.16). */
export function isTieBreak(error: unknown): boolean {
  return hasJingleCondition(error, 'tie-break');
}

function isUnknownSession(error: unknown): boolean {
  return hasJingleCondition(error, 'unknown-session');
}

function hasJingleCondition(error: unknown, name: string): boolean {
  return (
    error instanceof StanzaError &&
    error.application?.namespace === NS_JINGLE_ERRORS &&
    error.application.name === name
  );
}
