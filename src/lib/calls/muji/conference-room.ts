/** Being in the room of a conference: who is there, under which real address, and what each announces (XEP-0045, XEP-0272). */
import { ConnectionLostError, StanzaError } from '../../errors.js';
import { JID } from '../../jid/jid.js';
import {
  joinRoom,
  leaveRoom,
  readRoomUser,
  removalFrom,
  type JoinOptions,
  type Occupancy,
  type Removal,
} from '../../muc/room.js';
import { RoomStatus } from '../../muc/stanzas.js';
import type { Session, WaitOptions } from '../../session/session.js';
import { Deferred, within } from '../../session/wait.js';
import { xml, type Element } from '../../xml/element.js';
import { findFreeNick } from './free-nick.js';
import { encodeMujiPresence, readMujiPresence, type MujiPresence } from '../stanzas/muji.js';

export interface Occupant {
  nick: string;
  /** The real address, where the room tells it. */
  jid: JID | undefined;
  muji: MujiPresence | undefined;
}

export type RoomEvent =
  /** Somebody else has come, or announces something else. */
  | { kind: 'changed'; occupant: Occupant; before: Occupant | undefined }
  /** `isTemporary`: the service goes down, and whoever it was may still be there. */
  | { kind: 'gone'; occupant: Occupant; isTemporary: boolean }
  | { kind: 'removed'; removal: Removal }
  /** In the room again, on a new stream. */
  | { kind: 'back' };

/** As many as a service lets into one room, and more than a call can have. */
const MAX_OCCUPANTS = 5000;
const RETRY_MS = 300;
const MAX_ATTEMPTS = 30;
const CONFIGURE_MS = 5000;

export class ConferenceRoom {
  readonly #session: Session;
  readonly #options: JoinOptions;
  readonly #emit: (event: RoomEvent) => void;
  readonly #occupants = new Map<string, Occupant>();
  readonly #subscriptions: Disposable[];
  #occupancy: Occupancy | undefined;
  #announced: MujiPresence | undefined;
  #reflection: { deferred: Deferred<Occupant[]>; isPreparing: boolean } | undefined;
  #isLeaving = false;
  /** It has become a room that is not anonymous. */
  #isConfigured = false;
  readonly #configured = new Deferred<undefined>();

  private constructor(session: Session, options: JoinOptions, emit: (event: RoomEvent) => void) {
    this.#session = session;
    this.#options = options;
    this.#emit = emit;
    this.#subscriptions = [
      session.handle({ name: 'presence', from: options.room }, (presence) => this.#receive(presence)),
      session.handle({ name: 'message', from: options.room, type: 'groupchat' }, (message) =>
        this.#receiveMessage(message),
      ),
      session.on('reconnected', () => void this.#return()),
    ];
  }

  /** @throws StanzaError the room refuses @throws RemoteError it does not exist @throws TimeoutError */
  static async enter(
    session: Session,
    options: JoinOptions,
    emit: (event: RoomEvent) => void,
    wait: WaitOptions,
  ): Promise<ConferenceRoom> {
    const { isAlone, nick: wanted } = options;
    const nick = isAlone === true ? await findFreeNick(session, options.room, wanted, wait) : wanted;
    const room = new ConferenceRoom(session, { ...options, nick }, emit);
    try {
      room.#occupancy = await room.#join(wait);
    } catch (error) {
      room.#dispose();
      throw error;
    }
    return room;
  }

  get jid(): JID {
    return this.#options.room;
  }

  get nick(): string {
    return this.#occupancy?.occupant.resource ?? this.#options.nick;
  }

  get isNonAnonymous(): boolean {
    return this.#occupancy?.isNonAnonymous === true || this.#isConfigured;
  }

  /** COMPAT(ejabberd 23.01): others are let into a new room while whoever makes it still configures it. */
  async untilNonAnonymous(): Promise<boolean> {
    if (this.isNonAnonymous) return true;
    if (this.#options.create !== true) return false;
    const configured = within(this.#configured.promise, { doing: 'waiting', timeoutMs: CONFIGURE_MS });
    return await configured.then(
      () => true,
      () => false,
    );
  }

  get isNew(): boolean {
    return this.#occupancy?.isNew === true;
  }

  /** All but ourselves. */
  occupants(): Occupant[] {
    return [...this.#occupants.values()].filter(({ nick }) => nick !== this.nick);
  }

  byJid(jid: JID): Occupant | undefined {
    return this.occupants().find((occupant) => occupant.jid?.equals(jid) === true);
  }

  /**
   * Announces, and resolves when the room has told everybody, with the others as they were at that moment: the room puts
   * what everybody announces into one order.
   * @throws TimeoutError
   */
  async announce(muji: MujiPresence, wait: WaitOptions): Promise<Occupant[]> {
    this.#announced = muji;
    const deferred = new Deferred<Occupant[]>();
    this.#reflection = { deferred, isPreparing: muji.isPreparing };
    await this.#send(muji);
    return await within(deferred.promise, {
      doing: 'waiting for the room to tell everybody',
      timeoutMs: wait.timeoutMs ?? this.#session.timeoutMs,
      signal: wait.signal,
    });
  }

  /** Out of the room, which also takes back what was announced. */
  async leave(wait: WaitOptions = {}): Promise<void> {
    this.#isLeaving = true;
    this.#dispose();
    if (this.#session.state !== 'online' || !this.#occupancy) return;
    await leaveRoom(this.#session, this.#occupancy, wait).catch(() => undefined);
  }

  #dispose(): void {
    for (const subscription of this.#subscriptions.splice(0)) subscription[Symbol.dispose]();
  }

  async #send(muji: MujiPresence): Promise<void> {
    const to = this.jid.withResource(this.nick).toString();
    const caps = await this.#session.capabilities();
    await this.#session.send(xml('presence', { to }, caps, encodeMujiPresence(muji)));
  }

  #receive(presence: Element): void {
    const { from, type } = presence.attrs as Record<string, unknown>;
    const nick = typeof from === 'string' ? JID.fromServer(from).resource : undefined;
    if (nick === undefined) return;
    const removal = this.#occupancy && removalFrom(presence, this.#occupancy);
    if (removal) {
      if (!this.#isLeaving) this.#emit({ kind: 'removed', removal });
      return;
    }
    if (type === undefined) this.#receiveAvailable(presence, nick);
    else if (type === 'unavailable') this.#receiveUnavailable(presence, nick);
  }

  #receiveMessage(message: Element): void {
    const codes = readRoomUser(message)?.statuses.map(({ code }) => code) ?? [];
    if (!codes.includes(RoomStatus.nonAnonymousFromNow)) return;
    this.#isConfigured = true;
    this.#configured.resolve(undefined);
  }

  #receiveAvailable(presence: Element, nick: string): void {
    if (this.#occupants.size >= MAX_OCCUPANTS && !this.#occupants.has(nick)) return;
    const before = this.#occupants.get(nick);
    const jid = readRoomUser(presence)?.item?.jid;
    const occupant: Occupant = { nick, jid, muji: readMujiPresence(presence) };
    this.#occupants.set(nick, occupant);
    if (nick === this.nick) this.#reflected(occupant);
    else this.#emit({ kind: 'changed', occupant, before });
  }

  #reflected({ muji }: Occupant): void {
    const reflection = this.#reflection;
    if (!reflection || muji?.isPreparing !== reflection.isPreparing) return;
    this.#reflection = undefined;
    reflection.deferred.resolve(this.occupants());
  }

  #receiveUnavailable(presence: Element, nick: string): void {
    const occupant = this.#occupants.get(nick);
    const statuses = readRoomUser(presence)?.statuses.map(({ code }) => code) ?? [];
    // A new nickname comes with a presence of its own.
    this.#occupants.delete(nick);
    if (!occupant || nick === this.nick) return;
    const isTemporary = statuses.includes(RoomStatus.shutdown);
    this.#emit({ kind: 'gone', occupant, isTemporary });
  }

  /** When several come at once, one makes the room, and the others find it locked until it is configured (§10.1). */
  async #join(wait: WaitOptions, options = this.#options): Promise<Occupancy> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await joinRoom(this.#session, options, wait);
      } catch (error) {
        const isLocked = error instanceof StanzaError && error.condition === 'item-not-found';
        if (!isLocked || options.create !== true || attempt >= MAX_ATTEMPTS || wait.signal?.aborted === true)
          throw error;
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }

  async #return(): Promise<void> {
    this.#occupants.clear();
    this.#isConfigured = false;
    try {
      // What is announced is there from the first presence on: without it we would seem to have left the call.
      const payload = this.#announced ? [encodeMujiPresence(this.#announced)] : [];
      this.#occupancy = await this.#join(
        {},
        { ...this.#options, payload, create: true, mayRename: true, isAlone: false },
      );
      this.#emit({ kind: 'back' });
    } catch (error) {
      // Another stream has come in the meantime, and with it another attempt.
      if (error instanceof ConnectionLostError || this.#isLeaving) return;
      const reason = error instanceof Error ? error.message : String(error);
      this.#emit({ kind: 'removed', removal: { reason, isTemporary: false } });
    }
  }
}
