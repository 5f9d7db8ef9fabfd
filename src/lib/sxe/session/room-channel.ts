/** A session in a room: what is said to everybody comes back to us as well, in the order in which all hear it. */
import { DecodeError, RemoteError } from '../../errors.js';
import { EventQueue } from '../../event-queue.js';
import type { JID } from '../../jid/jid.js';
import type { Session } from '../../session/session.js';
import { isDelayed } from '../../xml/delay.js';
import { xml, type Element } from '../../xml/element.js';
import type { SxeContent } from '../stanzas.js';
import type { Channel, ChannelEvent } from './channel.js';
import { eventsOf, type Dialect } from './dialect.js';

/** As many events as wait while a participant is busy. */
const MAX_EVENTS = 200_000;
/** Of those who are known to be in the session by what they say. */
const MAX_PRESENT = 1_000;

/** What the channel needs of the room. */
export interface RoomPorts {
  readonly address: JID;
  readonly nick: string;
  leave(): Promise<void>;
}

export class RoomChannel implements Channel {
  readonly isEchoing = true;
  readonly #queue = new EventQueue<ChannelEvent>(MAX_EVENTS);
  readonly #messages: Disposable;
  /** Who is here, where only what they say tells. */
  readonly #present = new Set<string>();

  constructor(
    private readonly stream: Session,
    private readonly room: RoomPorts,
    readonly session: string,
    readonly title: string | undefined,
    readonly dialect: Dialect,
  ) {
    this.#messages = stream.handle(
      { name: 'message', child: { name: 'sxe', namespace: dialect.namespace } },
      (message) => this.#onMessage(message),
    );
  }

  get name(): string {
    return this.room.nick;
  }

  get events(): AsyncIterableIterator<ChannelEvent> {
    return this.#queue;
  }

  push(event: ChannelEvent): void {
    if (!this.#queue.push(event)) this.end(new RemoteError('more edits have come than can be kept'));
  }

  end(error?: unknown): void {
    this.#messages[Symbol.dispose]();
    this.#queue.end(error);
  }

  async send(content: SxeContent, id: string): Promise<void> {
    const sxe = this.dialect.encode({ session: this.session, id, content }, undefined);
    if (sxe)
      await this.stream.send(xml('message', { to: this.room.address.toString(), type: 'groupchat' }, sxe));
  }

  async sendTo(name: string, content: SxeContent, id: string): Promise<void> {
    const sxe = this.dialect.encode({ session: this.session, id, content }, name);
    if (!sxe) return;
    const to = this.room.address.withResource(name).toString();
    // XEP-0045 §7.5: says that it is a private message of a room.
    const user = xml('x', { xmlns: 'http://jabber.org/protocol/muc#user' });
    await this.stream.send(xml('message', { to, type: 'chat' }, sxe, user));
  }

  async close(): Promise<void> {
    const goodbye = this.dialect.goodbye(this.session);
    if (goodbye && this.stream.state === 'online')
      await this.stream.send(
        xml('message', { to: this.room.address.toString(), type: 'groupchat' }, goodbye),
      );
    this.end();
    await this.room.leave();
  }

  /** Somebody has left the room. */
  left(nick: string): void {
    if (this.#present.delete(nick)) this.push({ kind: 'gone', name: nick });
  }

  /** The stream was lost, and with it what was known of the others. */
  lost(): void {
    this.#present.clear();
    this.push({ kind: 'lost' });
  }

  #onMessage(message: Element): void {
    const { from, type } = message.attrs as Record<string, string | undefined>;
    const prefix = `${this.room.address.toString()}/`;
    if (from?.startsWith(prefix) !== true || type === 'error') return;
    // What was said before we came is part of the snapshot.
    if (isDelayed(message)) return;
    const sxe = message.getChild('sxe', this.dialect.namespace);
    const sender = from.slice(prefix.length);
    try {
      if (!sxe) return;
      const isPrivate = type !== 'groupchat';
      const { session, name: own } = this;
      for (const event of eventsOf(this.dialect, sxe, { session, sender, own, isPrivate })) this.#take(event);
    } catch (error) {
      // What a peer writes badly is none of ours.
      if (!(error instanceof DecodeError)) throw error;
    }
  }

  #take(event: ChannelEvent): void {
    if (event.kind === 'gone') {
      if (event.name !== this.name) this.left(event.name);
      return;
    }
    if (event.kind === 'message') this.#notePresent(event.sender);
    this.push(event);
  }

  #notePresent(sender: string): void {
    if (this.dialect.announces || sender === this.name || this.#present.has(sender)) return;
    if (this.#present.size >= MAX_PRESENT) return;
    this.#present.add(sender);
    this.push({ kind: 'present', name: sender });
  }
}
