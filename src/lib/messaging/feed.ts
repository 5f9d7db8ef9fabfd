/**
 * Messages as they come in, for weeks: what an archive has since the last time first, then what arrives. After a gap in
 * the connection presence is sent again, rooms are entered again, and what was missed is fetched. No message comes twice.
 *
 * XEP-0280: Message Carbons, version 1.0.1 · XEP-0313: Message Archive Management, version 1.1.3 · XEP-0045: Multi-User Chat, version 1.35.5.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { ConnectionLostError, DecodeError, RemoteError, StanzaError } from '../errors.js';
import type { JID } from '../jid/jid.js';
import { joinRoom, removalFrom, type JoinOptions, type Occupancy } from '../muc/room.js';
import type { Session } from '../session/session.js';
import { xml, type Element } from '../xml/element.js';
import { lastArchiveId, readArchive } from './archive.js';
import { readMessage, type Message } from './message.js';
import { RecentIds } from './recent-ids.js';
import { NS_CARBONS } from './stanzas.js';

export interface FeedOptions {
  /** Rooms to enter. */
  rooms: readonly Omit<JoinOptions, 'since'>[];
  /** Our own account's messages too, when there are rooms; always when there are none. */
  isOwnWanted: boolean;
  /** Also copies of what our other clients receive and send. */
  carbons: boolean;
  priority: number | undefined;
  /** Where to start in the archive: after a message, at a time, at its end (so that `position` is known), or not at all. */
  since: { after: string } | { start: Date } | 'end' | undefined;
  /** Nothing from the archive that is newer. */
  until: Date | undefined;
  signal: AbortSignal;
  now: () => number;
  /** One line for the user: the connection was lost, is back. */
  note: (text: string) => void;
  warn: (text: string) => void;
}

/** How far the clocks of the server and of this machine may be apart. */
const clockSkewMs = 60_000;
/** How long a chat service may take to come back. */
const reentryMs = 10_000;

/** The next stanza, or a sign that something else has changed. */
type Wake = IteratorResult<Element> | 'changed';

export class MessageFeed {
  readonly #session: Session;
  readonly #options: FeedOptions;
  /** What arrives is kept from the start on, so that nothing falls between archive and live. */
  readonly #live: AsyncIterator<Element>;
  readonly #recent = new RecentIds(50_000);
  readonly #positions = new Map<string, string>();
  readonly #occupancies = new Map<string, Occupancy>();
  /** Rooms whose subject, which is sent to everybody who enters, has not come yet. */
  readonly #awaitingSubject = new Set<string>();
  readonly #subscriptions: Disposable[];
  #onlineUntil: number | undefined;
  #isReconnected = false;
  #failure: Error | undefined;
  #wake: ((event: Wake) => void) | undefined;

  constructor(session: Session, options: FeedOptions) {
    this.#session = session;
    this.#options = options;
    this.#live = session.stanzas({ name: 'message' }, { signal: options.signal });
    this.#subscriptions = [
      session.on('disconnected', ({ error, willRetry }) => {
        this.#onlineUntil ??= options.now();
        if (willRetry) options.note(`connection lost, trying again: ${error.message}`);
      }),
      session.on('resumed', () => {
        this.#onlineUntil = undefined;
        options.note('connected again; nothing was lost');
      }),
      session.on('reconnected', () => {
        this.#isReconnected = true;
        this.#wake?.('changed');
      }),
    ];
  }

  /** The archive's id of the last message that was read: where another feed can go on. */
  get position(): string | undefined {
    return this.#positions.get(this.#archives[0]?.toString() ?? '');
  }

  /** Sends presence, enters rooms. @throws StanzaError a room refused */
  async start(): Promise<void> {
    await this.#goOnline();
    if (this.#options.since !== 'end') return;
    for (const archive of this.#archives) {
      const last = await lastArchiveId(this.#session, archive, this.#wait);
      if (last !== undefined) this.#positions.set(archive?.toString() ?? '', last);
    }
  }

  /** @param deadline ends the wait for new messages; what is in the archive is read to its end */
  async *messages(deadline?: AbortSignal): AsyncGenerator<Message, void, undefined> {
    const { since } = this.#options;
    if (since !== undefined && since !== 'end') yield* this.#readArchives(since);
    const onDeadline = (): void => this.#wake?.('changed');
    deadline?.addEventListener('abort', onDeadline);
    try {
      let next = this.#live.next();
      while (deadline?.aborted !== true) {
        if (this.#failure) throw this.#failure;
        if (this.#isReconnected) yield* this.#recover();
        const event = await this.#nextEvent(next);
        if (event === 'changed') continue;
        if (event.done === true) return;
        next = this.#live.next();
        const message = this.#read(event.value);
        if (message && this.#isNew(message)) yield message;
      }
    } finally {
      deadline?.removeEventListener('abort', onDeadline);
      for (const subscription of this.#subscriptions) subscription[Symbol.dispose]();
      await this.#live.return?.();
    }
  }

  /** The next stanza, or what comes before it. A promise of its own each time: racing a long-lived one leaks. */
  #nextEvent(next: Promise<IteratorResult<Element>>): Promise<Wake> {
    if (this.#isReconnected || this.#failure) return Promise.resolve('changed');
    return new Promise((resolve, reject) => {
      this.#wake = resolve;
      next.then(resolve, reject);
    });
  }

  get #wait(): { signal: AbortSignal } {
    return { signal: this.#options.signal };
  }

  /** Whose archives are read; undefined is our own. */
  get #archives(): readonly (JID | undefined)[] {
    const { rooms, isOwnWanted } = this.#options;
    const own = isOwnWanted || rooms.length === 0 ? [undefined] : [];
    return [...own, ...rooms.map(({ room }) => room)];
  }

  async #goOnline(since?: Date): Promise<void> {
    const session = this.#session;
    const { priority, carbons, rooms, warn } = this.#options;
    if (session.kind === 'client') {
      await session.send(
        xml(
          'presence',
          {},
          priority === undefined ? undefined : xml('priority', {}, String(priority)),
          await session.capabilities(),
        ),
        this.#wait,
      );
      if (carbons) {
        try {
          await session.request({ type: 'set', payload: xml('enable', { xmlns: NS_CARBONS }) }, this.#wait);
        } catch (error) {
          if (!(error instanceof StanzaError)) throw error;
          warn(`no copies of what other clients receive and send: ${error.message}`);
        }
      }
    }
    for (const join of rooms) {
      const address = join.room.toString();
      this.#awaitingSubject.add(address);
      const isBack = this.#occupancies.has(address);
      this.#occupancies.set(
        address,
        // Our own ghost may still hold the nickname.
        await joinRoom(session, { ...join, since, mayRename: isBack || join.mayRename === true }, this.#wait),
      );
      if (!isBack) this.#watchRemoval(join);
    }
  }

  /** Being put out of a room ends the feed: a listener that hears nothing must not look healthy. */
  #watchRemoval(join: JoinOptions): void {
    const { room } = join;
    this.#subscriptions.push(
      this.#session.handle({ name: 'presence', from: room, type: 'unavailable' }, (presence) => {
        const occupancy = this.#occupancies.get(room.toString());
        const removal = occupancy && removalFrom(presence, occupancy);
        if (removal?.isTemporary === true) void this.#enterAgain(join, removal.reason);
        else if (removal) this.#fail(new RemoteError(`put out of ${room.toString()}: ${removal.reason}`));
      }),
    );
  }

  /** The service restarts. When the server does, too, the new stream enters the room anyway. */
  async #enterAgain(join: JoinOptions, reason: string): Promise<void> {
    const { note, signal, now } = this.#options;
    const lost = new Date(now());
    note(`left ${join.room.toString()}: ${reason}; entering again in ${reentryMs / 1000} s`);
    try {
      await sleep(reentryMs, undefined, { signal });
      if (this.#session.state !== 'online' || this.#onlineUntil !== undefined) return;
      this.#awaitingSubject.add(join.room.toString());
      this.#occupancies.set(
        join.room.toString(),
        await joinRoom(this.#session, { ...join, since: lost, mayRename: true }, this.#wait),
      );
      note(`back in ${join.room.toString()}`);
    } catch (error) {
      if (!signal.aborted && this.#session.state === 'online') this.#fail(error as Error);
    }
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#wake?.('changed');
  }

  /** After a gap. A stream that is lost again meanwhile leads to another recovery. */
  async *#recover(): AsyncGenerator<Message, void, undefined> {
    this.#isReconnected = false;
    const lostMs = this.#onlineUntil ?? this.#options.now();
    try {
      // Rooms send their history; what the account missed is in its archive.
      await this.#goOnline(new Date(lostMs));
      this.#options.note('connected again');
      if (this.#archives.includes(undefined) && this.#session.kind === 'client')
        yield* this.#readMissed(lostMs);
      this.#onlineUntil = undefined;
    } catch (error) {
      if (!(error instanceof ConnectionLostError) || this.#session.state === 'closed') throw error;
    }
  }

  async *#readMissed(lostMs: number): AsyncGenerator<Message, void, undefined> {
    // Clocks differ; what comes twice is dropped.
    const range = { start: new Date(lostMs - clockSkewMs) };
    try {
      yield* this.#readArchive(undefined, range);
    } catch (error) {
      if (!(error instanceof StanzaError)) throw error;
      // The archive may have expired the message to go on after, or lost it with the server's memory.
      const isForgotten = error.condition === 'item-not-found' && this.#positions.delete('');
      if (isForgotten) yield* this.#readMissed(lostMs);
      else this.#options.warn(`what was missed cannot be fetched: ${error.message}`);
    }
  }

  /** From where the user wants to start. */
  async *#readArchives(since: { after: string } | { start: Date }): AsyncGenerator<Message, void, undefined> {
    try {
      for (const archive of this.#archives) yield* this.#readArchive(archive, since);
    } catch (error) {
      if (!(error instanceof StanzaError)) throw error;
      throw new RemoteError(`cannot read the archive: ${error.message}`, {
        cause: error,
        details: error.details,
        hint:
          error.condition === 'item-not-found'
            ? 'the archive does not have the message to go on after; start from a time instead'
            : 'the server may keep no archive for this address',
      });
    }
  }

  async *#readArchive(
    archive: JID | undefined,
    since: { after: string } | { start: Date },
  ): AsyncGenerator<Message, void, undefined> {
    const known = this.#positions.get(archive?.toString() ?? '');
    const range = { archive, ...(known === undefined ? since : { after: known }), end: this.#options.until };
    for await (const message of readArchive(this.#session, range, this.#wait)) {
      if (this.#isNew(message) && !this.#isOwnCopy(message)) yield message;
    }
  }

  /** What we sent ourselves is in our archive, too; it is shown where copies of it would be. */
  #isOwnCopy(message: Message): boolean {
    const me = this.#session.jid.bare.toString();
    return !this.#options.carbons && message.type !== 'groupchat' && message.from?.split('/', 1)[0] === me;
  }

  #read(stanza: Element): Message | undefined {
    try {
      const message = readMessage(stanza, { me: this.#session.jid, now: this.#options.now() });
      return message && this.#isFirstSubject(message) ? undefined : message;
    } catch (error) {
      if (error instanceof DecodeError) return undefined;
      throw error;
    }
  }

  #isFirstSubject({ type, from, subject, body }: Message): boolean {
    if (type !== 'groupchat' || subject === undefined || body !== undefined) return false;
    return this.#awaitingSubject.delete(from?.split('/', 1)[0] ?? '');
  }

  /** Remembers the message; false when it came before. */
  #isNew(message: Message): boolean {
    const { stanzaId, type, from } = message;
    if (stanzaId === undefined) return true;
    const archive = type === 'groupchat' ? (from?.split('/', 1)[0] ?? '') : '';
    if (!this.#recent.add(`${archive} ${stanzaId}`)) return false;
    this.#positions.set(archive, stanzaId);
    return true;
  }
}
