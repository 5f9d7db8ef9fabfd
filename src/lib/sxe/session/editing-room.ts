/** An editing session in a room (XEP-0284 §5): everybody hears everything, and the room keeps the order. */
import { ConnectionLostError, DecodeError, RemoteError, StanzaError, TimeoutError } from '../../errors.js';
import type { JID } from '../../jid/jid.js';
import { joinRoom, leaveRoom, removalFrom, type Occupancy } from '../../muc/room.js';
import { RoomUser } from '../../muc/stanzas.js';
import type { Session, WaitOptions } from '../../session/session.js';
import { xml, type Element } from '../../xml/element.js';

import { NS_PSI_SXE } from '../psi-stanzas.js';
import { decodeSxe, NS_SXE } from '../stanzas.js';
import type { Channel } from './channel.js';
import { standardDialect, type Dialect } from './dialect.js';
import { RoomChannel } from './room-channel.js';

/** A session that somebody in a room says that it is in. */
export interface AnnouncedSession {
  session: string;
  name: string | undefined;
  /** Nicknames. */
  participants: string[];
  /** It is spoken in the dialect of Psi. */
  isPsi: boolean;
}

interface Announcement {
  name: string | undefined;
  isPsi: boolean;
}

export interface RoomOptions {
  room: JID;
  nick: string;
  password?: string | undefined;
  /** A room that does not exist is made. */
  create: boolean;
}

/** After a restart of the server rooms may take their time. */
const RETRY_MS = 300;
const MAX_ATTEMPTS = 200;
/** So long one waits for the answer of a room that one comes back to. */
const ANSWER_MS = 10_000;
/** Refusals that will not change by themselves. */
const FINAL_CONDITIONS: readonly string[] = [
  'not-authorized',
  'registration-required',
  'forbidden',
  'conflict',
  'not-allowed',
  'jid-malformed',
];

/** Being in a room, before it is known which session is meant. */
export class EditingRoom {
  readonly #session: Session;
  readonly #options: RoomOptions;
  #occupancy: Occupancy;
  /** Of each occupant: the sessions that it announces. */
  readonly #announced = new Map<string, Map<string, Announcement>>();
  readonly #subscriptions: Disposable[] = [];
  #channel: RoomChannel | undefined;
  #isInside = false;
  #attempt = 0;

  private constructor(session: Session, options: RoomOptions) {
    this.#session = session;
    this.#options = options;
    this.#occupancy = {
      room: options.room,
      occupant: options.room.withResource(options.nick),
      affiliation: undefined,
      role: undefined,
      isNew: false,
      isNonAnonymous: false,
    };
    this.#subscriptions.push(
      session.handle({ name: 'presence', from: options.room }, (presence) => this.#onPresence(presence)),
      session.on('disconnected', () => this.#channel?.push({ kind: 'cut' })),
      session.on('resumed', () => this.#channel?.push({ kind: 'resumed' })),
      session.on('reconnected', () => void this.#reenter()),
    );
  }

  /** @throws StanzaError the room refuses @throws RemoteError it does not exist @throws TimeoutError */
  static async enter(session: Session, options: RoomOptions, wait: WaitOptions): Promise<EditingRoom> {
    const room = new EditingRoom(session, options);
    try {
      room.#occupancy = await joinRoom(session, { ...options, mayRename: true }, wait);
      room.#isInside = true;
    } catch (error) {
      room.#dispose();
      throw error;
    }
    return room;
  }

  get address(): JID {
    return this.#options.room;
  }

  get nick(): string {
    return this.#occupancy.occupant.resource ?? '';
  }

  /** Without a voice nothing that is sent comes through (XEP-0045 §5.1). */
  get hasVoice(): boolean {
    return this.#occupancy.role !== 'visitor';
  }

  /** Everybody's presence comes before the room lets us in. */
  sessions(): AnnouncedSession[] {
    const found = new Map<string, AnnouncedSession>();
    for (const [nick, sessions] of this.#announced) {
      for (const [session, announcement] of sessions) {
        const one = found.get(session) ?? { session, ...announcement, participants: [] };
        one.participants.push(nick);
        found.set(session, one);
      }
    }
    return [...found.values()];
  }

  /** Who else is in the room. */
  get others(): string[] {
    return [...this.#announced.keys()].filter((nick) => nick !== this.nick);
  }

  /** Takes part in a session, and says so. */
  async open(
    session: string,
    name: string | undefined,
    dialect: Dialect = standardDialect,
  ): Promise<Channel> {
    this.#channel = new RoomChannel(this.#session, this, session, name, dialect);
    await this.announce(this.#channel);
    if (dialect.announces)
      for (const [nick, sessions] of this.#announced)
        if (nick !== this.nick && sessions.has(session)) this.#channel.push({ kind: 'present', name: nick });
    return this.#channel;
  }

  async announce({ session, title: name, dialect }: RoomChannel): Promise<void> {
    const sxe = dialect.encode({ session, id: '', name, content: { kind: 'advertisement' } }, undefined);
    await this.#session.send(xml('presence', { to: this.#occupancy.occupant.toString() }, sxe));
  }

  async leave(): Promise<void> {
    this.#dispose();
    if (this.#session.state !== 'online' || !this.#isInside) return;
    await leaveRoom(this.#session, this.#occupancy).catch(() => undefined);
  }

  #dispose(): void {
    for (const subscription of this.#subscriptions.splice(0)) subscription[Symbol.dispose]();
  }

  /** After another attempt has begun, this one is nobody's any more. */
  async #reenter(): Promise<void> {
    const attempt = ++this.#attempt;
    this.#announced.clear();
    this.#isInside = false;
    this.#channel?.lost();
    try {
      const occupancy = await this.#enterAgain(attempt);
      const channel = this.#channel;
      if (!occupancy || !channel) return;
      this.#occupancy = occupancy;
      this.#isInside = true;
      if (!this.hasVoice) throw this.#silenced();
      await this.announce(channel);
      channel.push({ kind: 'gap' });
    } catch (error) {
      // Another stream will come, and with it another attempt.
      if (attempt === this.#attempt && !(error instanceof ConnectionLostError)) this.#channel?.end(error);
    }
  }

  /** When all come back at once, one makes the room anew, and the others find it locked until it is configured (§10.1). */
  async #enterAgain(attempt: number): Promise<Occupancy | undefined> {
    for (let tries = 1; attempt === this.#attempt; tries += 1) {
      try {
        const options = { ...this.#options, mayRename: true, create: true };
        return await joinRoom(this.#session, options, { timeoutMs: ANSWER_MS });
      } catch (error) {
        const isFinal = error instanceof StanzaError && FINAL_CONDITIONS.includes(error.condition);
        const mayChange = error instanceof StanzaError || error instanceof TimeoutError;
        if (isFinal || !mayChange || tries >= MAX_ATTEMPTS) throw error;
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
    return undefined;
  }

  #silenced(): RemoteError {
    return new RemoteError(`this account may not speak in ${this.#options.room.toString()} any more`);
  }

  #onPresence(presence: Element): void {
    const from: unknown = presence.attrs['from'];
    const slash = typeof from === 'string' ? from.indexOf('/') : -1;
    if (typeof from !== 'string' || slash < 0) return;
    const nick = from.slice(slash + 1);
    const removal = this.#isInside ? removalFrom(presence, this.#occupancy) : undefined;
    if (removal?.isTemporary === true) {
      // The service goes down without the stream: it is the same as a new stream.
      void this.#reenter();
      return;
    }
    if (removal) {
      this.#channel?.end(new RemoteError(`${this.#options.room.toString()}: ${removal.reason}`));
      return;
    }
    if (this.#isInside && nick === this.nick && roleIn(presence) === 'visitor') {
      this.#channel?.end(this.#silenced());
      return;
    }
    const isGone = presence.attrs['type'] === 'unavailable' || presence.attrs['type'] === 'error';
    const sessions = isGone ? new Map<string, Announcement>() : announcements(presence);
    const before = this.#announced.get(nick);
    if (isGone) this.#announced.delete(nick);
    else this.#announced.set(nick, sessions);
    const channel = this.#channel;
    if (!channel || nick === this.nick) return;
    if (!channel.dialect.announces) {
      if (isGone) channel.left(nick);
      return;
    }
    const [was, is] = [before?.has(channel.session) === true, sessions.has(channel.session)];
    if (is && !was) channel.push({ kind: 'present', name: nick });
    if (was && !is) channel.push({ kind: 'gone', name: nick });
  }
}

function roleIn(presence: Element): string | undefined {
  try {
    return RoomUser.find(presence)?.item?.role;
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

function announcements(presence: Element): Map<string, Announcement> {
  const found = new Map<string, Announcement>();
  for (const child of presence.getChildren('sxe', NS_SXE)) {
    try {
      const { session, name } = decodeSxe(child);
      found.set(session, { name, isPsi: false });
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
    }
  }
  // Psi says nothing in its presence; who speaks as it does says it in this way.
  for (const child of presence.getChildren('sxe', NS_PSI_SXE)) {
    const { session, name } = child.attrs as Record<string, string | undefined>;
    if (session !== undefined && session !== '') found.set(session, { name, isPsi: true });
  }
  return found;
}
