/** One Jingle session of a call: offers or answers, connects, and ends, telling each step as it happens. */
import { StanzaError, XmppctlError } from '../errors.js';
import type { JID } from '../jid/jid.js';
import type { JingleEndpoint } from '../jingle/endpoint.js';
import type { JingleSession } from '../jingle/jingle-session.js';
import { IllegalActionError, type SessionEvent } from '../jingle/session-state.js';
import type { Content, Reason, Role } from '../jingle/stanzas.js';
import type { CandidatePair, LinkEvent, LinkStatistics } from '../media/media-link.js';
import type { Element } from '../xml/element.js';
import type { MediaKind } from './negotiate.js';
import type { OfferedMedia } from './offer-answer.js';
import type { Phase } from './phases.js';
import { SessionMedia, type SessionMediaOptions } from './session-media.js';
import { decodeCallInfo, encodeCallInfo, type CallInfo } from './stanzas/rtp.js';

/** What all sessions of a call have in common. */
export interface CallContext extends Omit<
  SessionMediaOptions,
  'name' | 'sendTransport' | 'onEvent' | 'onDropped'
> {
  endpoint: JingleEndpoint;
  /** For each answer of the other side, in milliseconds. */
  timeoutMs: number;
}

export type CallSessionEvent =
  | { kind: 'ringing' }
  /** A step is done. */
  | { kind: 'phase'; phase: Phase; ms: number }
  | { kind: 'connected'; pair: CandidatePair }
  | { kind: 'first-packet'; media: MediaKind }
  | { kind: 'info'; info: CallInfo }
  /** The last one. `failed`: in which step, when it was no orderly end. */
  | { kind: 'ended'; by: 'us' | 'them'; reason: Reason; failed?: Phase };

/** Finding a path and securing it. */
const CONNECT_MS = 30_000;
const PING_MS = 10_000;

export class CallSession {
  readonly name: string;
  readonly #context: CallContext;
  readonly #emit: (event: CallSessionEvent) => void;
  readonly #media: SessionMedia;
  #jingle: JingleSession | undefined;
  #role: Role = 'initiator';
  #phase: Phase = 'session';
  #markedAt = performance.now();
  #isEnded = false;
  #isAccepted = false;
  #isQuiet = false;
  #timer: NodeJS.Timeout | undefined;

  private constructor(context: CallContext, name: string, emit: (event: CallSessionEvent) => void) {
    this.#context = context;
    this.name = name;
    this.#emit = emit;
    this.#media = new SessionMedia({
      ...context,
      name,
      sendTransport: (content) => this.#tellTransport(content),
      onEvent: (event) => this.#receiveLink(event),
      onDropped: (contents, reason) => void this.#withdraw(contents, reason),
    });
  }

  /**
   * Offers a session, and resolves when the other side has acknowledged that; events tell the rest.
   * @throws StanzaError it refused at once @throws TimeoutError
   */
  static async offer(
    context: CallContext,
    to: { peer: JID; name: string; sid?: string },
    media: readonly OfferedMedia[],
    emit: (event: CallSessionEvent) => void,
    payload: readonly Element[] = [],
  ): Promise<CallSession> {
    const session = new CallSession(context, to.name, emit);
    try {
      await session.#offer(to, media, payload);
    } catch (error) {
      await session.#close();
      throw error;
    }
    return session;
  }

  /** A session that the other side has offered, and that nobody has answered yet. */
  static incoming(
    context: CallContext,
    jingle: JingleSession,
    name: string,
    emit: (event: CallSessionEvent) => void,
  ): CallSession {
    const session = new CallSession(context, name, emit);
    session.#role = 'responder';
    session.#adopt(jingle);
    return session;
  }

  get peer(): JID | undefined {
    return this.#jingle?.peer;
  }

  get sid(): string {
    return this.#jingle?.sid ?? '';
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** The step it is in. */
  get phase(): Phase {
    return this.#phase;
  }

  /** The other side has said that it sends nothing. */
  get isQuiet(): boolean {
    return this.#isQuiet;
  }

  get isAccepted(): boolean {
    return this.#isAccepted;
  }

  /** Of the path that the sound takes. */
  statistics(): LinkStatistics | undefined {
    return this.#media.statistics();
  }

  /** Tells the other side something about the call; whether it understands does not matter. */
  async tell(info: CallInfo): Promise<void> {
    const payload = [encodeCallInfo(info, 'initiator')];
    await this.#jingle
      ?.request({ action: 'session-info', contents: [], payload }, { timeoutMs: this.#context.timeoutMs })
      .catch(() => undefined);
  }

  /** Accepts what was offered, as far as it can be; otherwise ends the session, with the reason. */
  async accept(): Promise<void> {
    const jingle = this.#jingle;
    if (!jingle || this.#isEnded) return;
    try {
      await this.#answer(jingle);
    } catch (error) {
      if (!(error instanceof XmppctlError)) throw error;
      await this.end(reasonFrom(error), 'session');
    }
  }

  /** Whether the other side is there, and in this session. */
  async isAlive(): Promise<boolean> {
    try {
      await this.#jingle?.ping({ timeoutMs: PING_MS });
      return !this.#isEnded;
    } catch {
      return false;
    }
  }

  /** ICE anew on all paths. */
  async restart(): Promise<void> {
    await this.#media.restart();
  }

  async end(reason: Partial<Reason> & { condition: string }, failed?: Phase): Promise<void> {
    if (this.#isEnded) return;
    this.#finish('us', { details: [], ...reason }, failed);
    await Promise.all([
      this.#jingle?.terminate(reason, { timeoutMs: this.#context.timeoutMs }),
      this.#close(),
    ]);
  }

  async #offer(
    { peer, sid }: { peer: JID; sid?: string },
    media: readonly OfferedMedia[],
    beside: readonly Element[],
  ): Promise<void> {
    const { contents, payload } = await this.#media.offer(media);
    const jingle = await this.#context.endpoint.initiate(peer, contents, {
      payload: [...beside, ...payload],
      timeoutMs: this.#context.timeoutMs,
      ...(sid !== undefined && { sid }),
    });
    this.#adopt(jingle);
    this.#media.trickle();
  }

  async #answer(jingle: JingleSession): Promise<void> {
    const answer = await this.#media.answer(jingle.offered, jingle.offeredPayload);
    if ('reason' in answer) return this.end(answer.reason, answer.phase);
    if (this.#isEnded) return this.#close();
    const { contents, payload, begin } = answer;
    await jingle.accept(contents, { payload, timeoutMs: this.#context.timeoutMs });
    this.#connecting();
    begin();
  }

  /** Our offer was accepted. */
  async #receiveAccept(contents: readonly Content[], payload: readonly Element[]): Promise<void> {
    const problem = await this.#media.receiveAnswer(contents, payload);
    if (problem) return this.end(problem.reason, problem.phase);
    this.#connecting();
  }

  #connecting(): void {
    this.#isAccepted = true;
    this.#mark('session', 'ice');
    this.#timer = setTimeout(() => {
      const text =
        this.#phase === 'dtls' ? 'the path could not be secured in time' : 'no path was found in time';
      void this.end({ condition: 'connectivity-error', text }, this.#phase);
    }, CONNECT_MS);
  }

  #adopt(jingle: JingleSession): void {
    this.#jingle = jingle;
    void this.#read(jingle);
  }

  async #read(jingle: JingleSession): Promise<void> {
    let lost: Reason = { condition: 'gone', text: 'the session is not known any more', details: [] };
    try {
      for await (const event of jingle.events) await this.#receive(event);
    } catch (error) {
      if (!(error instanceof XmppctlError)) throw error;
      lost = { condition: 'gone', text: error.message, details: [] };
    }
    if (this.#isEnded) return;
    this.#finish('them', lost, this.#phase);
    await this.#close();
  }

  async #receive(event: SessionEvent): Promise<void> {
    switch (event.kind) {
      case 'accepted':
        return this.#receiveAccept(event.contents, event.payload);
      case 'terminated':
        this.#finish('them', event.reason, orderly.has(event.reason.condition) ? undefined : this.#phase);
        return this.#close();
      case 'transport-info':
        this.#media.receiveTransport(event.content);
        return;
      case 'info':
        this.#receiveInfo(event.payload);
        return;
      case 'content-offered':
        return this.#receiveAdded(event.contents, event.payload);
      case 'content-modified':
        this.#media.modify(event.contents, this.#role);
        return;
      case 'transport-offered':
        return this.#refuse('transport-reject', [event.content]);
      case 'content-removed':
        return this.#remove(event.contents);
      default:
    }
  }

  #receiveInfo(payload: Element | undefined): void {
    const info = payload && decodeCallInfo(payload);
    if (!info) return;
    if (info.kind === 'ringing') this.#emit({ kind: 'ringing' });
    else {
      this.#isQuiet = info.kind === 'hold' || info.kind === 'mute';
      this.#emit({ kind: 'info', info });
    }
  }

  /** What is wanted of it is accepted, and the rest refused. */
  async #receiveAdded(offered: readonly Content[], beside: readonly Element[]): Promise<void> {
    const added = this.#isAccepted ? await this.#media.add(offered, beside, this.#role) : undefined;
    const isIn = ({ name }: Content): boolean => added?.contents.some((one) => one.name === name) === true;
    const refused = offered.filter((content) => !isIn(content));
    if (refused.length > 0) await this.#refuse('content-reject', refused);
    const jingle = this.#jingle;
    if (!added || !jingle || this.#isEnded) return;
    const { contents, payload, begin } = added;
    try {
      await jingle.request(
        { action: 'content-accept', contents, payload },
        { timeoutMs: this.#context.timeoutMs },
      );
    } catch (error) {
      // It has been taken back, or the other side has gone.
      if (!(error instanceof XmppctlError) && !(error instanceof IllegalActionError)) throw error;
      await this.#media.remove(contents);
      return;
    }
    begin();
  }

  async #refuse(action: 'content-reject' | 'transport-reject', contents: readonly Content[]): Promise<void> {
    const reason: Reason = { condition: 'failed-application', details: [] };
    await this.#jingle
      ?.request(
        { action, contents, payload: [], ...(action === 'content-reject' && { reason }) },
        { timeoutMs: this.#context.timeoutMs },
      )
      .catch(() => undefined);
  }

  async #withdraw(contents: readonly Content[], text: string): Promise<void> {
    if (this.#isEnded) return;
    const reason: Reason = { condition: 'connectivity-error', text, details: [] };
    await this.#jingle
      ?.request(
        { action: 'content-remove', contents, payload: [], reason },
        { timeoutMs: this.#context.timeoutMs },
      )
      .catch(() => undefined);
  }

  async #remove(contents: readonly Content[]): Promise<void> {
    await this.#media.remove(contents);
    if (this.#media.isEmpty) await this.end({ condition: 'success' });
  }

  async #tellTransport(content: Content): Promise<void> {
    if (this.#isEnded) return;
    await this.#jingle
      ?.request(
        { action: 'transport-info', contents: [content], payload: [] },
        { timeoutMs: this.#context.timeoutMs },
      )
      .catch(() => undefined);
  }

  #receiveLink(event: LinkEvent): void {
    if (this.#isEnded) return;
    switch (event.type) {
      case 'ice-connected':
        this.#mark('ice', 'dtls');
        this.#emit({ kind: 'connected', pair: { local: event.local, remote: event.remote } });
        return;
      case 'dtls-connected':
        this.#mark('dtls', 'media');
        clearTimeout(this.#timer);
        return;
      case 'first-packet':
        this.#mark('media', 'media');
        this.#emit({ kind: 'first-packet', media: event.kind });
        return;
      case 'failed': {
        const condition = event.phase === 'dtls' ? 'security-error' : 'connectivity-error';
        void this.end({ condition, text: event.reason }, event.phase);
        return;
      }
      case 'candidate':
      case 'gathered':
      case 'closed':
    }
  }

  readonly #marked = new Set<Phase>();

  /** Each once: with several paths the first counts. */
  #mark(phase: Phase, next: Phase): void {
    if (this.#marked.has(phase)) return;
    this.#marked.add(phase);
    const now = performance.now();
    this.#emit({ kind: 'phase', phase, ms: Math.round(now - this.#markedAt) });
    this.#markedAt = now;
    this.#phase = next;
  }

  #finish(by: 'us' | 'them', reason: Reason, failed: Phase | undefined): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    clearTimeout(this.#timer);
    this.#emit({ kind: 'ended', by, reason, ...(failed && { failed }) });
  }

  async #close(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#media.close();
  }
}

/** Ends that are nobody's failure. */
const orderly: ReadonlySet<string> = new Set([
  'success',
  'cancel',
  'gone',
  'decline',
  'busy',
  'alternative-session',
]);

function reasonFrom(error: XmppctlError): Reason {
  const condition = error instanceof StanzaError ? 'general-error' : 'failed-application';
  return { condition, text: error.message, details: [] };
}
