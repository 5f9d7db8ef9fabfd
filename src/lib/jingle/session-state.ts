/**
 * The rules of one Jingle session (XEP-0166 §6 and §7): what may be sent and received when, by either role.
 *
 * Pure: no sockets, no clock. `receive` answers each incoming message with an error or with events; `send` checks
 * and records each outgoing one. Negotiation of applications and transports is somebody else's.
 */
import { xml, type Element } from '../xml/element.js';
import type { StanzaErrorFacts } from '../xml/stanza-error.js';
import { NS_JINGLE_ERRORS, type Content, type JingleMessage, type Reason, type Role } from './stanzas.js';

export type SessionPhase = 'pending' | 'active' | 'ended';

export type SessionEvent =
  /** `payload`: what stood beside the contents. */
  | { kind: 'accepted'; contents: readonly Content[]; payload: readonly Element[] }
  | { kind: 'content-offered'; contents: readonly Content[]; payload: readonly Element[] }
  | { kind: 'content-accepted' | 'content-modified'; contents: readonly Content[] }
  | { kind: 'content-rejected' | 'content-removed'; contents: readonly Content[]; reason: Reason | undefined }
  | { kind: 'description-info' | 'security-info' | 'transport-info'; content: Content }
  | { kind: 'transport-offered' | 'transport-accepted' | 'transport-rejected'; content: Content }
  /** Without a payload it is a ping. */
  | { kind: 'info'; payload: Element | undefined }
  | { kind: 'terminated'; reason: Reason };

export type Answer = { error: StanzaErrorFacts } | { events: readonly SessionEvent[] };

type ContentStatus = 'offered-by-us' | 'offered-by-them' | 'accepted';
interface Tracked {
  content: Content;
  status: ContentStatus;
  /** Whose transport-replace is waiting for an answer. */
  replacedBy: 'us' | 'them' | undefined;
  isBeingModified: boolean;
}

export interface SessionStateOptions {
  role: Role;
  sid: string;
  /** The session-initiate that began it, ours or theirs. */
  initiate: JingleMessage;
  /** Whether the application knows a payload of session-info. */
  understands?: (payload: Element) => boolean;
}

/** An action that the state of the session does not allow: a mistake of the caller. */
export class IllegalActionError extends Error {
  override readonly name = 'IllegalActionError';
}

export class SessionState {
  readonly role: Role;
  readonly sid: string;
  #phase: SessionPhase = 'pending';
  readonly #contents = new Map<string, Tracked>();
  readonly #understands: (payload: Element) => boolean;

  constructor(options: SessionStateOptions) {
    this.role = options.role;
    this.sid = options.sid;
    this.#understands = options.understands ?? (() => false);
    const status = options.role === 'initiator' ? 'offered-by-us' : 'offered-by-them';
    for (const content of options.initiate.contents) this.#track(content, status);
  }

  get phase(): SessionPhase {
    return this.#phase;
  }

  /** The contents that are part of the session or on offer. */
  get contents(): readonly Content[] {
    return [...this.#contents.values()].map(({ content }) => content);
  }

  isAccepted(content: Pick<Content, 'creator' | 'name'>): boolean {
    return this.#contents.get(keyOf(content))?.status === 'accepted';
  }

  /**
   * A content that nothing more is expected of keeps only its name: what was negotiated of it, and the stanza that this
   * came in, need not be kept for as long as the session lasts.
   */
  release(content: Pick<Content, 'creator' | 'name'>): void {
    const tracked = this.#contents.get(keyOf(content));
    if (!tracked) return;
    const { creator, name, senders } = tracked.content;
    tracked.content = { creator, name, senders };
  }

  /** What a message from the other party means. State changes only where no error is answered. */
  receive(message: JingleMessage): Answer {
    if (this.#phase === 'ended') return unknownSession();
    switch (message.action) {
      case 'session-initiate':
        return outOfOrder();
      case 'session-accept':
        return this.#receiveAccept(message);
      case 'session-terminate':
        this.#end();
        return events({
          kind: 'terminated',
          reason: message.reason ?? { condition: 'general-error', details: [] },
        });
      case 'session-info':
        return this.#receiveInfo(message);
      case 'content-add':
        return this.#receiveAdd(message);
      case 'content-accept':
      case 'content-reject':
        return this.#receiveAddAnswer(message);
      case 'content-remove':
        return this.#each(
          message,
          (tracked) => {
            this.#contents.delete(keyOf(tracked.content));
            return undefined;
          },
          { kind: 'content-removed', contents: message.contents, reason: message.reason },
        );
      case 'content-modify':
        return this.#receiveModify(message);
      case 'transport-replace':
        return this.#receiveReplace(message);
      case 'transport-accept':
      case 'transport-reject':
        return this.#receiveReplaceAnswer(message);
      case 'transport-info':
      case 'description-info':
      case 'security-info': {
        const { action: kind } = message;
        return this.#each(
          message,
          () => undefined,
          ...message.contents.map((content) => ({ kind, content })),
        );
      }
    }
  }

  /**
   * Records what we are about to send.
   * @throws IllegalActionError the state does not allow it
   */
  send(message: JingleMessage): void {
    const { action, contents } = message;
    if (this.#phase === 'ended') throw new IllegalActionError(`${action} in a session that has ended`);
    switch (action) {
      case 'session-initiate':
        throw new IllegalActionError('session-initiate begins a session; it is given to the constructor');
      case 'session-accept':
        if (this.role !== 'responder' || this.#phase !== 'pending')
          throw new IllegalActionError('session-accept out of order');
        this.#acceptOnly(contents);
        return;
      case 'session-terminate':
        this.#end();
        return;
      case 'content-add':
        for (const content of contents) this.#track(content, 'offered-by-us');
        return;
      case 'content-accept':
        for (const tracked of this.#ours(contents, 'offered-by-them')) tracked.status = 'accepted';
        return;
      case 'content-reject':
        for (const { content } of this.#ours(contents, 'offered-by-them'))
          this.#contents.delete(keyOf(content));
        return;
      case 'content-remove':
        for (const { content } of this.#known(contents)) this.#contents.delete(keyOf(content));
        return;
      case 'content-modify':
        for (const tracked of this.#known(contents)) tracked.isBeingModified = true;
        return;
      case 'transport-replace':
        for (const tracked of this.#known(contents)) {
          if (tracked.replacedBy !== undefined)
            throw new IllegalActionError('a transport-replace is under way');
          tracked.replacedBy = 'us';
        }
        return;
      case 'transport-accept':
      case 'transport-reject':
        for (const tracked of this.#known(contents)) {
          if (tracked.replacedBy !== 'them')
            throw new IllegalActionError(`${action} without a transport-replace`);
          tracked.replacedBy = undefined;
        }
        return;
      case 'session-info':
      case 'transport-info':
      case 'description-info':
      case 'security-info':
        this.#known(contents);
    }
  }

  /** The other party answered our request with a result (`true`) or with an error: what was open because of it is settled. */
  settle(message: JingleMessage, isDone: boolean): void {
    for (const content of message.contents) {
      const tracked = this.#contents.get(keyOf(content));
      if (!tracked) continue;
      if (message.action === 'content-modify') {
        tracked.isBeingModified = false;
        if (isDone) tracked.content = { ...tracked.content, senders: content.senders };
      }
      if (isDone) continue;
      if (message.action === 'transport-replace' && tracked.replacedBy === 'us')
        tracked.replacedBy = undefined;
      if (message.action === 'content-add') this.#contents.delete(keyOf(content));
    }
  }

  #receiveAccept(message: JingleMessage): Answer {
    if (this.role !== 'initiator' || this.#phase !== 'pending') return outOfOrder();
    const isKnown = (content: Content): boolean =>
      this.#contents.get(keyOf(content))?.status === 'offered-by-us';
    if (message.contents.length === 0 || !message.contents.every(isKnown)) return badRequest();
    const left = this.#acceptOnly(message.contents);
    return events(
      { kind: 'accepted', contents: message.contents, payload: message.payload },
      ...(left.length > 0 ? [{ kind: 'content-rejected' as const, contents: left, reason: undefined }] : []),
    );
  }

  #receiveInfo(message: JingleMessage): Answer {
    const [payload] = message.payload;
    if (payload !== undefined && !this.#understands(payload)) return unsupportedInfo();
    return events({ kind: 'info', payload });
  }

  #receiveAdd(message: JingleMessage): Answer {
    // COMPAT(Dino 0.4): it says that the initiator has created what it adds, also when it is the responder.
    const isTaken = (content: Content): boolean => this.#contents.has(keyOf(content));
    if (message.contents.length === 0 || message.contents.some(isTaken)) return badRequest();
    for (const content of message.contents) this.#track(content, 'offered-by-them');
    return events({ kind: 'content-offered', contents: message.contents, payload: message.payload });
  }

  #receiveAddAnswer(message: JingleMessage): Answer {
    const isAccepted = message.action === 'content-accept';
    return this.#each(
      message,
      (tracked) => {
        // What was offered by session-initiate is answered by session-accept.
        if (tracked.status !== 'offered-by-us' || this.#phase !== 'active') return outOfOrder();
        if (isAccepted) tracked.status = 'accepted';
        else this.#contents.delete(keyOf(tracked.content));
        return undefined;
      },
      isAccepted
        ? { kind: 'content-accepted', contents: message.contents }
        : { kind: 'content-rejected', contents: message.contents, reason: message.reason },
    );
  }

  /** §7.2.4: when both modify at once, the initiator's stands. */
  #receiveModify(message: JingleMessage): Answer {
    const crossing = message.contents.some((content) => this.#contents.get(keyOf(content))?.isBeingModified);
    if (crossing && this.role === 'initiator') return tieBreak();
    return this.#each(
      message,
      (tracked) => {
        const given = message.contents.find((content) => keyOf(content) === keyOf(tracked.content));
        if (given) tracked.content = { ...tracked.content, senders: given.senders };
        return undefined;
      },
      { kind: 'content-modified', contents: message.contents },
    );
  }

  /** When both replace at once, the initiator's stands: it refuses the other's, which the responder drops (§6.5). */
  #receiveReplace(message: JingleMessage): Answer {
    const crossing = message.contents.some(
      (content) => this.#contents.get(keyOf(content))?.replacedBy === 'us',
    );
    if (crossing && this.role === 'initiator') return tieBreak();
    return this.#each(
      message,
      (tracked) => {
        if (tracked.replacedBy === 'them') return outOfOrder();
        tracked.replacedBy = 'them';
        return undefined;
      },
      ...message.contents.map((content) => ({ kind: 'transport-offered' as const, content })),
    );
  }

  #receiveReplaceAnswer(message: JingleMessage): Answer {
    const kind = message.action === 'transport-accept' ? 'transport-accepted' : 'transport-rejected';
    return this.#each(
      message,
      (tracked) => {
        if (tracked.replacedBy !== 'us') return outOfOrder();
        tracked.replacedBy = undefined;
        return undefined;
      },
      ...message.contents.map((content) => ({ kind, content }) as const),
    );
  }

  /** Applies a change to each named content; nothing changes when one of them is not known or refuses. */
  #each(
    message: JingleMessage,
    change: (tracked: Tracked) => Answer | undefined,
    ...happened: SessionEvent[]
  ): Answer {
    const named = message.contents.map((content) => this.#contents.get(keyOf(content)));
    if (named.length === 0) return badRequest();
    // Only what is named is saved: a session of ten thousand contents must not pay for all of them each time.
    const before = named.flatMap((tracked) => (tracked ? [{ ...tracked }] : []));
    for (const tracked of named) {
      const refusal = tracked === undefined ? unknownContent() : change(tracked);
      if (refusal === undefined) continue;
      for (const saved of before) this.#contents.set(keyOf(saved.content), saved);
      return refusal;
    }
    return events(...happened);
  }

  #track(content: Content, status: ContentStatus): void {
    this.#contents.set(keyOf(content), { content, status, replacedBy: undefined, isBeingModified: false });
  }

  /** Accepts these of the contents on offer; the others are out. Returns the others. */
  #acceptOnly(contents: readonly Content[]): Content[] {
    const wanted = new Set(contents.map(keyOf));
    const left: Content[] = [];
    for (const [key, tracked] of this.#contents) {
      if (wanted.has(key)) {
        tracked.status = 'accepted';
      } else {
        left.push(tracked.content);
        this.#contents.delete(key);
      }
    }
    this.#phase = 'active';
    return left;
  }

  #known(contents: readonly Content[]): Tracked[] {
    return contents.map((content) => {
      const tracked = this.#contents.get(keyOf(content));
      if (!tracked) throw new IllegalActionError(`no content ${content.name} in this session`);
      return tracked;
    });
  }

  #ours(contents: readonly Content[], status: ContentStatus): Tracked[] {
    return this.#known(contents).map((tracked) => {
      if (tracked.status !== status)
        throw new IllegalActionError(`content ${tracked.content.name} is ${tracked.status}`);
      return tracked;
    });
  }

  #end(): void {
    this.#phase = 'ended';
    this.#contents.clear();
  }
}

function keyOf({ creator, name }: Pick<Content, 'creator' | 'name'>): string {
  return `${creator} ${name}`;
}

function events(...list: SessionEvent[]): Answer {
  return { events: list };
}

function refusal(
  condition: string,
  application: string | undefined,
  facts: Partial<StanzaErrorFacts> = {},
): { error: StanzaErrorFacts } {
  return {
    error: {
      condition,
      ...(application !== undefined && { application: xml(application, { xmlns: NS_JINGLE_ERRORS }) }),
      ...facts,
    },
  };
}

const outOfOrder = (): Answer => refusal('unexpected-request', 'out-of-order');
const tieBreak = (): Answer => refusal('conflict', 'tie-break');
const unsupportedInfo = (): Answer =>
  refusal('feature-not-implemented', 'unsupported-info', { type: 'modify' });
const badRequest = (): Answer => refusal('bad-request', undefined, { type: 'cancel' });
const unknownContent = (): Answer =>
  refusal('item-not-found', undefined, { text: 'no such content in this session' });
/** Also what an endpoint answers for a session it does not have. */
export const unknownSession = (): { error: StanzaErrorFacts } => refusal('item-not-found', 'unknown-session');
