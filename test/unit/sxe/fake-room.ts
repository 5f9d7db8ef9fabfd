/**
 * A room and the connections to it, which take their time, keep the order, and are lost together with what is on its way.
 */
import { ConnectionLostError } from '../../../src/lib/errors.js';
import { EventQueue } from '../../../src/lib/event-queue.js';
import type { Channel, ChannelEvent } from '../../../src/lib/sxe/session/channel.js';
import { standardDialect } from '../../../src/lib/sxe/session/dialect.js';
import type { SxeContent } from '../../../src/lib/sxe/stanzas.js';
import type { VirtualClock } from './virtual-clock.js';

export class FakeRoom {
  /** By nickname; those whose connection is lost are here until the room finds out. */
  readonly #occupants = new Map<string, FakeChannel>();

  constructor(
    readonly clock: VirtualClock,
    readonly random: () => number,
  ) {}

  enter(nick: string): FakeChannel {
    const channel = new FakeChannel(this, nick);
    channel.comeIn();
    return channel;
  }

  /** As a restart of the server: everybody is out, and nobody is told. */
  restart(): void {
    for (const channel of this.#occupants.values()) channel.cut();
    this.#occupants.clear();
  }

  /** @returns the nickname it gets */
  admit(channel: FakeChannel, wanted: string): string {
    const ghost = this.#occupants.get(wanted);
    if (ghost && this.random() < 0.3) return this.admit(channel, `${wanted}_`);
    if (ghost) this.remove(wanted, ghost);
    for (const [nick, other] of this.#occupants) {
      channel.deliver({ kind: 'present', name: nick });
      other.deliver({ kind: 'present', name: wanted });
    }
    this.#occupants.set(wanted, channel);
    return wanted;
  }

  remove(nick: string, channel: FakeChannel): void {
    if (this.#occupants.get(nick) !== channel) return;
    this.#occupants.delete(nick);
    for (const other of this.#occupants.values()) other.deliver({ kind: 'gone', name: nick });
  }

  pass(from: FakeChannel, to: string | undefined, content: SxeContent, id: string): void {
    if (this.#occupants.get(from.name) !== from) return;
    const event: ChannelEvent = {
      kind: 'message',
      sender: from.name,
      message: { session: 's', id, content },
      isPrivate: to !== undefined,
    };
    if (to !== undefined) this.#occupants.get(to)?.deliver(event);
    else for (const one of this.#occupants.values()) one.deliver(event);
  }
}

export class FakeChannel implements Channel {
  readonly session = 's';
  readonly isEchoing = true;
  readonly dialect = standardDialect;
  readonly events = new EventQueue<ChannelEvent>(100_000);
  #name: string;
  /** Counts the connections; 0: none. */
  #connection = 0;
  #connections = 0;
  #upMs = 0;
  #downMs = 0;

  constructor(
    private readonly room: FakeRoom,
    private readonly nick: string,
  ) {
    this.#name = nick;
  }

  get name(): string {
    return this.#name;
  }

  get isOnline(): boolean {
    return this.#connection > 0;
  }

  comeIn(): void {
    this.#connection = ++this.#connections;
    const isAgain = this.#connections > 1;
    if (isAgain) this.events.push({ kind: 'lost' });
    this.#upMs = this.#downMs = 0;
    this.#name = this.room.admit(this, this.nick);
    if (isAgain) this.deliver({ kind: 'gap' });
  }

  /** What is under way is lost. */
  cut(): void {
    this.#connection = 0;
    // Sometimes it is not noticed until there is another one.
    if (this.room.random() < 0.7) this.events.push({ kind: 'cut' });
  }

  /** As `cut`; the room finds out later. */
  lose(): void {
    this.cut();
    const name = this.#name;
    this.room.clock.after(this.room.random() * 60_000, () => {
      if (!this.isOnline || this.#name !== name) this.room.remove(name, this);
    });
  }

  deliver(event: ChannelEvent): void {
    const connection = this.#connection;
    if (connection === 0) return;
    this.#downMs = Math.max(this.#downMs, this.room.clock.nowMs + this.#delay());
    this.room.clock.after(this.#downMs - this.room.clock.nowMs, () => {
      if (connection === this.#connection) this.events.push(event);
    });
  }

  send(content: SxeContent, id: string): Promise<void> {
    return this.#send(undefined, content, id);
  }

  sendTo(name: string, content: SxeContent, id: string): Promise<void> {
    return this.#send(name, content, id);
  }

  close(): Promise<void> {
    const name = this.#name;
    this.#up(() => this.room.remove(name, this));
    this.events.end();
    return Promise.resolve();
  }

  #send(to: string | undefined, content: SxeContent, id: string): Promise<void> {
    if (!this.isOnline) {
      return this.room.random() < 0.5
        ? Promise.resolve()
        : Promise.reject(new ConnectionLostError('the connection is lost'));
    }
    this.#up(() => this.room.pass(this, to, content, id));
    return Promise.resolve();
  }

  #up(act: () => void): void {
    const connection = this.#connection;
    this.#upMs = Math.max(this.#upMs, this.room.clock.nowMs + this.#delay());
    this.room.clock.after(this.#upMs - this.room.clock.nowMs, () => {
      if (connection === this.#connection) act();
    });
  }

  /** Mostly short. */
  #delay(): number {
    return this.room.random() ** 4 * 2_000;
  }
}
