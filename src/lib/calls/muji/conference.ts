/**
 * A call in a room (XEP-0272): enters, announces that it prepares, waits for those who prepare already, announces its
 * contents, and calls those whose contents were there first. Whoever comes later calls us.
 */
import { EventQueue } from '../../event-queue.js';
import { StanzaError, TimeoutError, XmppctlError } from '../../errors.js';
import type { JID } from '../../jid/jid.js';
import type { JingleSession } from '../../jingle/jingle-session.js';
import type { JingleMessage } from '../../jingle/stanzas.js';
import { NS_JINGLE_ERRORS } from '../../jingle/stanzas.js';
import type { LinkStatistics } from '../../media/media-link.js';
import type { JoinOptions } from '../../muc/room.js';
import type { Session, WaitOptions } from '../../session/session.js';
import { interruption } from '../../session/wait.js';
import type { StanzaErrorFacts } from '../../xml/stanza-error.js';
import { xml } from '../../xml/element.js';
import { CallSession, type CallContext, type CallSessionEvent } from '../call-session.js';
import type { MediaKind } from '../negotiate.js';
import { CallError, type Phase } from '../phases.js';
import { MujiRoom, mujiRoomOf } from '../stanzas/muji.js';
import { NS_RTP } from '../stanzas/rtp.js';
import { watchSession } from '../watch-session.js';
import { ConferenceRoom, type Occupant, type RoomEvent } from './conference-room.js';
import {
  isTakingPart,
  newMember,
  release,
  textOf,
  type Member,
  type Participant,
  type ParticipantState,
} from './participant.js';
import { agreeOn, mujiContentOf, type AgreedContent } from './payload-map.js';

export type ConferenceEvent =
  | { kind: 'phase'; phase: Phase; ms: number; participant?: Participant }
  /** We are in the call; `present` were there already. */
  | { kind: 'joined'; nick: string; present: readonly string[]; isNewRoom: boolean }
  | { kind: 'participant'; participant: Participant }
  | { kind: 'first-packet'; participant: Participant; media: MediaKind }
  | { kind: 'warning'; text: string }
  /** The last one: what follows is the end. */
  | { kind: 'put-out'; reason: string };

export interface ConferenceOptions extends CallContext {
  session: Session;
  room: Omit<JoinOptions, 'mayRename' | 'isAlone'>;
  /** How long those who prepare may take, in milliseconds. */
  prepareMs: number;
  signal: AbortSignal;
  /** Where events go, for who wants to know what has happened also when joining fails; one of its own when left out. */
  events?: EventQueue<ConferenceEvent>;
}

/** Whoever has announced contents after us calls us; that takes the time of a few stanzas. */
const CALL_US_MS = 20_000;
export const MAX_EVENTS = 10_000;

export class Conference {
  readonly events: EventQueue<ConferenceEvent>;
  readonly #options: ConferenceOptions;
  readonly #members = new Map<string, Member>();
  readonly #waiting = new Set<string>();
  #onPrepared: () => void = () => undefined;
  #room: ConferenceRoom | undefined;
  #contents: readonly AgreedContent[] = [];
  #isJoined = false;
  #isLeft = false;
  #left: Promise<void> | undefined;
  #offers: AsyncIterableIterator<JingleSession> | undefined;

  private constructor(options: ConferenceOptions) {
    this.#options = options;
    this.events = options.events ?? new EventQueue(MAX_EVENTS);
  }

  /**
   * Resolves when we are in the call; sessions with the others are under way then.
   * @throws CallError the room, or what is announced there, does not let us @throws InterruptedError
   */
  static async join(options: ConferenceOptions): Promise<Conference> {
    const conference = new Conference(options);
    try {
      await conference.#join();
    } catch (error) {
      await conference.leave();
      throw error;
    }
    return conference;
  }

  get nick(): string {
    return this.#room?.nick ?? '';
  }

  /** `room@service/nick`, as long as we are there. */
  get occupancy(): JID | undefined {
    return this.#isLeft ? undefined : this.#room?.jid.withResource(this.nick);
  }

  /** What is sent and received, by the names of the contents. */
  get contents(): readonly AgreedContent[] {
    return this.#contents;
  }

  participants(): readonly Participant[] {
    return [...this.#members.values()];
  }

  statistics(nick: string): LinkStatistics | undefined {
    const member = this.#members.get(nick);
    return member?.session?.statistics() ?? member?.final;
  }

  /** First out of the room, so that nobody calls us any more, and then out of the sessions (§"Leaving a Conference"). */
  leave(): Promise<void> {
    this.#left ??= this.#leave();
    return this.#left;
  }

  async #leave(): Promise<void> {
    this.#isLeft = true;
    await this.#room?.leave({ timeoutMs: LEAVE_MS });
    await this.#offers?.return?.();
    const ends = [...this.#members.values()].map(async (member) => {
      release(member);
      await member.session?.end({ condition: 'success' });
    });
    await Promise.all(ends);
    this.events.end();
  }

  async #join(): Promise<void> {
    const { session, signal } = this.#options;
    const wait: WaitOptions = { signal };
    const began = performance.now();
    const room = await this.#enter(wait);
    this.#room = room;
    this.#phase('room', began);
    const announcing = performance.now();
    if (!(await room.untilNonAnonymous())) throw hiddenAddresses(room.jid);
    this.#answerOffers(room);
    const before = await room.announce({ isPreparing: true, contents: [] }, wait).catch(notTold);
    await this.#prepared(before, signal);
    this.#contents = this.#agree(room);
    const muji = { isPreparing: false, contents: this.#contents.map(mujiContentOf) };
    const present = (await room.announce(muji, wait).catch(notTold)).filter(isTakingPart);
    this.#phase('muji', announcing);
    this.#isJoined = true;
    const nicks = present.map(({ nick }) => nick);
    this.events.push({ kind: 'joined', nick: room.nick, present: nicks, isNewRoom: room.isNew });
    for (const occupant of present) this.#call(occupant);
    // Those who have announced something since then were not told of while we were not in.
    for (const occupant of room.occupants()) if (!nicks.includes(occupant.nick)) this.#changed(occupant);
    if (signal.aborted) throw interruption(signal, 'joining the call');
    session.signal?.throwIfAborted();
  }

  async #enter(wait: WaitOptions): Promise<ConferenceRoom> {
    const { session, room } = this.#options;
    try {
      return await ConferenceRoom.enter(
        session,
        { ...room, mayRename: true, isAlone: true },
        (event) => this.#receive(event),
        wait,
      );
    } catch (error) {
      if (!(error instanceof StanzaError) && !(error instanceof TimeoutError) && !isMissingRoom(error))
        throw error;
      const hint = error.hint === undefined ? {} : { hint: error.hint };
      throw new CallError('room', `${room.room.toString()} could not be entered: ${error.message}`, {
        ...hint,
        cause: error,
        details: error.details,
      });
    }
  }

  /** Waits for those who were preparing before us; whoever comes after us waits for us. */
  async #prepared(before: readonly Occupant[], signal: AbortSignal): Promise<void> {
    for (const { nick, muji } of before) if (muji?.isPreparing === true) this.#waiting.add(nick);
    const { prepareMs } = this.#options;
    if (this.#waiting.size === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, prepareMs);
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        resolve();
      };
      this.#onPrepared = done;
      signal.addEventListener('abort', done);
      if (signal.aborted || this.#stillPreparing().length === 0) done();
    });
    if (signal.aborted) throw interruption(signal, 'waiting for the others to prepare');
    for (const nick of this.#stillPreparing())
      this.#warn(
        `${nick} has not finished preparing in ${prepareMs / 1000} s, and is not waited for any longer`,
      );
    this.#waiting.clear();
  }

  #stillPreparing(): string[] {
    const preparing = this.#room?.occupants().filter(({ muji }) => muji?.isPreparing === true) ?? [];
    return preparing.map(({ nick }) => nick).filter((nick) => this.#waiting.has(nick));
  }

  /** @throws CallError nothing that we speak is spoken there */
  #agree(room: ConferenceRoom): AgreedContent[] {
    const { video } = this.#options;
    const others = room
      .occupants()
      .filter(isTakingPart)
      .map(({ nick, muji }) => ({ nick, contents: muji?.contents ?? [] }));
    const audio = agreeOn('audio', others);
    if (!audio)
      throw new CallError('muji', `nobody in ${room.jid.toString()} has a codec in common with us`, {
        hint: 'Opus is spoken here',
      });
    const hasPictures = others.some(({ contents }) =>
      contents.some(({ description }) => description.media === 'video'),
    );
    const wantsVideo = video.isSent || (video.isReceived && hasPictures);
    const pictures = wantsVideo ? agreeOn('video', others) : undefined;
    const contents = pictures ? [audio, pictures] : [audio];
    for (const { kind, without } of contents)
      for (const nick of without)
        this.#warn(`${nick} has other payload types for ${kind} than the others in the room`);
    return contents;
  }

  #answerOffers(room: ConferenceRoom): void {
    const { endpoint } = this.#options;
    const offers = endpoint.incoming({
      application: NS_RTP,
      refuse: (from, message) => this.#refusal(room, from, message),
    });
    this.#offers = offers;
    void (async () => {
      for await (const jingle of offers) this.#answer(room, jingle);
    })().catch(() => undefined);
  }

  /** Only those who are in the room under that very address, for this room; and of two offers that cross, one. */
  #refusal(room: ConferenceRoom, from: JID, { sid, payload }: JingleMessage): StanzaErrorFacts | undefined {
    const occupant = room.byJid(from);
    if (mujiRoomOf(payload)?.equals(room.jid) !== true || !occupant?.muji)
      return { condition: 'service-unavailable' };
    const member = this.#members.get(occupant.nick);
    const isCrossing =
      member?.isOurs === true &&
      member.session !== undefined &&
      !member.session.isEnded &&
      !member.session.isAccepted;
    // XEP-0166 §7.2.16: the lower session id stands.
    if (isCrossing && Buffer.compare(Buffer.from(member.session?.sid ?? ''), Buffer.from(sid)) <= 0)
      return { condition: 'conflict', application: xml('tie-break', { xmlns: NS_JINGLE_ERRORS }) };
    return undefined;
  }

  #answer(room: ConferenceRoom, jingle: JingleSession): void {
    const occupant = room.byJid(jingle.peer);
    if (!occupant || this.#isLeft) {
      void jingle.terminate({ condition: 'gone' });
      return;
    }
    const member = this.#memberOf(occupant);
    const replaced = member.session;
    release(member);
    member.isOurs = false;
    const session = CallSession.incoming(this.#options, jingle, member.nick, (event) =>
      this.#receiveSession(member, session, event),
    );
    member.session = session;
    // It has begun anew, or its offer has overruled ours.
    if (replaced) void replaced.end({ condition: 'alternative-session', alternativeSid: jingle.sid });
    this.#state(member, 'connecting');
    void session.accept();
  }

  #call(occupant: Occupant): void {
    const member = this.#memberOf(occupant);
    if (!occupant.jid) {
      this.#fail(member, 'muji', 'the room hides its real address');
      return;
    }
    if (member.session && !member.session.isEnded) return;
    const media = this.#mediaWith(occupant);
    if (media.length === 0) {
      this.#fail(member, 'muji', 'no codec in common');
      return;
    }
    member.isOurs = true;
    this.#state(member, 'calling');
    void this.#offer(member, occupant.jid, media);
  }

  async #offer(member: Member, peer: JID, media: readonly AgreedContent[]): Promise<void> {
    const payload = [MujiRoom.encode({ room: this.#options.room.room })];
    // The session may end before it is known here.
    const early: CallSessionEvent[] = [];
    let offered: CallSession | undefined;
    try {
      offered = await CallSession.offer(
        this.#options,
        { peer, name: member.nick },
        media,
        (event) => {
          if (offered) this.#receiveSession(member, offered, event);
          else early.push(event);
        },
        payload,
      );
    } catch (error) {
      if (!(error instanceof XmppctlError)) throw error;
      // The other's offer stands, and has been answered.
      if (member.isOurs && !this.#isLeft) this.#fail(member, 'session', error.message);
      return;
    }
    if (!member.isOurs || member.state === 'left' || this.#isLeft) {
      await offered.end({ condition: 'cancel' });
      return;
    }
    member.session = offered;
    for (const event of early) this.#receiveSession(member, offered, event);
  }

  /** Those of our contents that it has, too, with a codec in common. */
  #mediaWith({ muji }: Occupant): AgreedContent[] {
    return this.#contents.filter(({ name, kind, codecs }) =>
      muji?.contents.some(
        (content) =>
          content.name === name &&
          content.description.media === kind &&
          content.description.payloadTypes.some(({ name: codec }) =>
            codecs.some((own) => own.name.toLowerCase() === codec.toLowerCase()),
          ),
      ),
    );
  }

  #receive(event: RoomEvent): void {
    if (this.#isLeft) return;
    switch (event.kind) {
      case 'changed':
        this.#changed(event.occupant);
        return;
      case 'gone':
        this.#gone(event.occupant, event.isTemporary);
        return;
      case 'removed':
        // A service that goes down for a while lets us in again when the stream is back.
        if (event.removal.isTemporary) return;
        this.events.push({ kind: 'put-out', reason: event.removal.reason });
        this.events.end();
        return;
      case 'back':
        this.#warn('the connection was lost, and is back');
        for (const occupant of this.#room?.occupants() ?? []) this.#changed(occupant);
    }
  }

  #changed(occupant: Occupant): void {
    const { nick, muji, jid } = occupant;
    if (this.#waiting.has(nick) && muji?.isPreparing !== true && this.#stillPreparing().length === 0)
      this.#onPrepared();
    const known = this.#members.get(nick);
    if (!muji) {
      if (known && known.state !== 'left') this.#gone(occupant, false);
      return;
    }
    // Under another address it is another one.
    const isOther = known?.jid !== undefined && jid !== undefined && !known.jid.equals(jid);
    if (isOther) this.#gone(occupant, false);
    const member = this.#memberOf(occupant);
    if (member.state === 'left') this.#state(member, 'preparing');
    if (!this.#isJoined || !isTakingPart(occupant) || member.session || member.timer) return;
    if (!jid) {
      this.#fail(member, 'muji', 'the room hides its real address');
      return;
    }
    if (member.state !== 'preparing') return;
    this.#state(member, 'calling');
    member.timer = setTimeout(() => this.#fail(member, 'session', 'it has not called us'), CALL_US_MS);
  }

  #gone({ nick }: Occupant, isTemporary: boolean): void {
    if (this.#waiting.has(nick) && this.#stillPreparing().length === 0) this.#onPrepared();
    const member = this.#members.get(nick);
    // With its service down it is out of the room, and perhaps still there.
    if (!member || isTemporary) return;
    release(member);
    const { session } = member;
    member.final = session?.statistics() ?? member.final;
    member.session = undefined;
    void session?.end({ condition: 'cancel', text: 'Peer left the MUJI MUC' });
    if (member.state !== 'failed') this.#state(member, 'left');
  }

  #receiveSession(member: Member, session: CallSession, event: CallSessionEvent): void {
    if (member.session !== session) return;
    switch (event.kind) {
      case 'phase':
        member.phaseMs[event.phase] = event.ms;
        if (event.phase === 'session') this.#state(member, 'connecting');
        this.events.push({ kind: 'phase', phase: event.phase, ms: event.ms, participant: { ...member } });
        if (event.phase === 'dtls') member.watch = watchSession(session);
        return;
      case 'connected':
        member.pair = event.pair;
        return;
      case 'first-packet':
        if (event.media === 'audio') this.#state(member, 'connected');
        this.events.push({ kind: 'first-packet', participant: { ...member }, media: event.media });
        return;
      case 'info':
        member.isMuted = session.isQuiet;
        this.events.push({ kind: 'participant', participant: { ...member } });
        return;
      case 'ended':
        release(member);
        member.final = session.statistics() ?? member.final;
        member.session = undefined;
        if (event.failed) this.#fail(member, event.failed, textOf(event));
        else this.#state(member, 'left');
        return;
      case 'ringing':
    }
  }

  #memberOf({ nick, jid }: Occupant): Member {
    const known = this.#members.get(nick);
    if (known) {
      known.jid = jid ?? known.jid;
      return known;
    }
    const member = newMember({ nick, jid, muji: undefined });
    this.#members.set(nick, member);
    this.events.push({ kind: 'participant', participant: { ...member } });
    return member;
  }

  #state(member: Member, state: ParticipantState): void {
    if (member.state === state) return;
    member.state = state;
    if (state !== 'failed') member.failure = undefined;
    this.events.push({ kind: 'participant', participant: { ...member } });
  }

  #fail(member: Member, phase: Phase, reason: string): void {
    release(member);
    member.failure = { phase, reason };
    this.#state(member, 'failed');
  }

  #phase(phase: Phase, since: number): void {
    this.events.push({ kind: 'phase', phase, ms: Math.round(performance.now() - since) });
  }

  #warn(text: string): void {
    this.events.push({ kind: 'warning', text });
  }
}

const LEAVE_MS = 3000;

function hiddenAddresses(room: JID): CallError {
  return new CallError('muji', `${room.toString()} hides the real addresses of those in it`, {
    hint: 'calls need a room that is not anonymous (muc#roomconfig_whois = anyone); one that is made with --create is',
  });
}

function isMissingRoom(error: unknown): error is XmppctlError {
  return error instanceof XmppctlError && error.name === 'RemoteError';
}

function notTold(error: unknown): never {
  if (!(error instanceof TimeoutError)) throw error;
  throw new CallError('muji', 'the room has not told the others what was announced', { cause: error });
}
