/**
 * One Jingle session of a call with its media: offers or answers, connects, and ends, telling each step as it happens.
 *
 * Without BUNDLE each content has a path of its own; with it, all travel on that of the first.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { StanzaError, XmppctlError } from '../errors.js';
import type { JID } from '../jid/jid.js';
import type { JingleEndpoint } from '../jingle/endpoint.js';
import type { JingleSession } from '../jingle/jingle-session.js';
import type { SessionEvent } from '../jingle/session-state.js';
import type { Content, Reason, Role } from '../jingle/stanzas.js';
import type {
  CandidatePair,
  IceServer,
  LinkEvent,
  LinkStatistics,
  MediaEngine,
} from '../media/media-link.js';
import type { Element } from '../xml/element.js';
import { MediaPath } from './media-path.js';
import type { MediaKind, OurContent } from './negotiate.js';
import {
  answerOffer,
  contentOf,
  offerOf,
  readAnswer,
  transportOf,
  type OfferedMedia,
  type PathPlan,
  type Problem,
  type VideoWishes,
} from './offer-answer.js';
import type { Phase } from './phases.js';
import { answeredSetup } from './security.js';
import { bundleOf } from './stanzas/grouping.js';
import { decodeCallInfo, encodeCallInfo, type CallInfo } from './stanzas/rtp.js';

/** What all sessions of a call have in common. */
export interface CallContext {
  endpoint: JingleEndpoint;
  engine: MediaEngine;
  servers: readonly IceServer[];
  isRelayOnly: boolean;
  interfaces: readonly string[];
  video: VideoWishes;
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

interface Track {
  ours: OurContent;
  path: MediaPath;
}

/** Longer than the first candidates of a machine take, and not noticed by a person. */
const GATHER_MS = 60;
/** Finding a path and securing it. */
const CONNECT_MS = 30_000;
const PING_MS = 10_000;
const KEPT_INFOS = 256;

export class CallSession {
  readonly name: string;
  readonly #context: CallContext;
  readonly #emit: (event: CallSessionEvent) => void;
  readonly #cname = randomUUID();
  #jingle: JingleSession | undefined;
  #role: Role = 'initiator';
  #tracks: Track[] = [];
  #early: Content[] = [];
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
    const track = this.#tracks.find(({ ours }) => ours.kind === 'audio') ?? this.#tracks[0];
    return track?.path.link.statistics();
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
      const problem = await this.#answer(jingle);
      if (problem) await this.end(problem.reason, problem.phase);
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
    await Promise.all(this.#paths().map((path) => path.restart()));
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
    payload: readonly Element[],
  ): Promise<void> {
    for (const ours of offerOf(media, this.#context.video, this.#cname))
      this.#tracks.push({ ours, path: await this.#openPath(ours) });
    await Promise.all(this.#paths().map((path) => path.gathered(GATHER_MS)));
    const contents = this.#tracks.map(({ ours, path }) => contentOf(ours, path.describe('actpass')));
    const group = media.length > 1 ? [bundleOf(media.map(({ name }) => name))] : [];
    const jingle = await this.#context.endpoint.initiate(peer, contents, {
      payload: [...payload, ...group],
      timeoutMs: this.#context.timeoutMs,
      ...(sid !== undefined && { sid }),
    });
    this.#adopt(jingle);
    for (const path of this.#paths()) path.trickle();
  }

  async #answer(jingle: JingleSession): Promise<Problem | undefined> {
    const { video, timeoutMs } = this.#context;
    const plans = answerOffer(jingle.offered, jingle.offeredPayload, video, this.#cname);
    if ('reason' in plans) return plans;
    const paths: { plan: PathPlan; path: MediaPath }[] = [];
    for (const plan of plans) {
      const [first] = plan.contents;
      if (!first) continue;
      const path = await this.#openPath(first);
      paths.push({ plan, path });
      for (const ours of plan.contents) this.#tracks.push({ ours, path });
    }
    await Promise.all(paths.map(({ path }) => path.gathered(GATHER_MS)));
    if (this.#isEnded) {
      await this.#close();
      return undefined;
    }
    const contents = paths.flatMap(({ plan, path }) =>
      plan.contents.map((ours, index) =>
        contentOf(ours, path.describe(answeredSetup(plan.setup), index === 0)),
      ),
    );
    const shared = plans.find((plan) => plan.contents.length > 1);
    const payload = shared ? [bundleOf(shared.contents.map(({ name }) => name))] : [];
    await jingle.accept(contents, { payload, timeoutMs });
    this.#connect(paths);
    for (const { path } of paths) path.trickle();
    return undefined;
  }

  /** Our offer was accepted. */
  async #receiveAccept(contents: readonly Content[], payload: readonly Element[]): Promise<void> {
    const offer = this.#tracks.map(({ ours }) => ours);
    const plans = readAnswer(offer, contents, payload);
    if ('reason' in plans) return this.end(plans.reason, plans.phase);
    const paths = plans.flatMap((plan) => {
      const path = this.#tracks.find(({ ours }) => ours.name === plan.contents[0]?.name)?.path;
      return path ? [{ plan, path }] : [];
    });
    const unused = this.#paths().filter((path) => !paths.some((used) => used.path === path));
    this.#tracks = paths.flatMap(({ plan, path }) => plan.contents.map((ours) => ({ ours, path })));
    await Promise.all(unused.map((path) => path.link.close()));
    this.#connect(paths);
  }

  #connect(paths: readonly { plan: PathPlan; path: MediaPath }[]): void {
    this.#connecting();
    for (const { plan, path } of paths) path.connect(plan.transport, plan.setup, plan.plans);
    for (const content of this.#early.splice(0)) this.#receiveTransport(content);
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
        this.#receiveTransport(event.content);
        return;
      case 'info':
        this.#receiveInfo(event.payload);
        return;
      case 'content-offered':
        return this.#refuse('content-reject', event.contents);
      case 'transport-offered':
        return this.#refuse('transport-reject', [event.content]);
      case 'content-removed':
        return this.#remove(event.contents);
      default:
    }
  }

  #receiveTransport(content: Content): void {
    const track = this.#tracks.find(({ ours }) => ours.name === content.name);
    if (!this.#isAccepted) {
      if (this.#early.length < KEPT_INFOS) this.#early.push(content);
      return;
    }
    const transport = transportOf(content);
    if (transport) track?.path.receive(transport);
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

  /** Nothing is added to a call that is under way. */
  async #refuse(action: 'content-reject' | 'transport-reject', contents: readonly Content[]): Promise<void> {
    const reason: Reason = { condition: 'failed-application', details: [] };
    await this.#jingle
      ?.request(
        { action, contents, payload: [], ...(action === 'content-reject' && { reason }) },
        { timeoutMs: this.#context.timeoutMs },
      )
      .catch(() => undefined);
  }

  async #remove(contents: readonly Content[]): Promise<void> {
    const names = contents.map(({ name }) => name);
    this.#tracks = this.#tracks.filter(({ ours }) => !names.includes(ours.name));
    if (this.#tracks.length === 0) await this.end({ condition: 'success' });
  }

  async #openPath(ours: OurContent): Promise<MediaPath> {
    const { engine, servers, isRelayOnly, interfaces } = this.#context;
    const link = await engine.openLink({
      name: this.name,
      isInitiator: this.#role === 'initiator',
      servers,
      isRelayOnly,
      interfaces,
    });
    return new MediaPath({
      link,
      content: { creator: ours.creator, name: ours.name },
      newId: () => randomBytes(6).toString('hex'),
      sendInfo: ({ creator, name }, transport) =>
        this.#sendTransport({ creator, name, senders: 'both', transport }),
      onEvent: (event) => this.#receiveLink(event),
    });
  }

  async #sendTransport(content: Content): Promise<void> {
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

  #paths(): MediaPath[] {
    return [...new Set(this.#tracks.map(({ path }) => path))];
  }

  async #close(): Promise<void> {
    clearTimeout(this.#timer);
    await Promise.all(this.#paths().map((path) => path.link.close()));
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
