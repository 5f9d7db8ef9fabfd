/**
 * Accounts that reach each other through memory, and rooms: IQs, messages and presence, each serialised and parsed again,
 * in the order they were sent. For whoever wants a whole session and uses only what is here.
 */
import { JID } from '../../src/lib/jid/jid.js';
import { StanzaReply } from '../../src/lib/session/stanza-reply.js';
import type {
  IqHandler,
  IqRequest,
  Session,
  SessionEvents,
  StanzaFilter,
  WaitOptions,
} from '../../src/lib/session/session.js';
import { Deferred, within } from '../../src/lib/session/wait.js';
import { xml, type Element } from '../../src/lib/xml/element.js';
import { parseXml } from '../../src/lib/xml/parse.js';
import { stanzaErrorElement, stanzaErrorFrom } from '../../src/lib/xml/stanza-error.js';

const NS_MUC_USER = 'http://jabber.org/protocol/muc#user';

export interface RoomRules {
  /** Real addresses are hidden. */
  isAnonymous?: boolean;
  /** Whoever enters is refused with this condition. */
  refuses?: string;
}

interface Occupant {
  nick: string;
  stream: WorldStream;
  /** What is in the last presence. */
  payload: readonly Element[];
}

export class World {
  readonly #streams = new Map<string, WorldStream>();
  readonly #rooms = new Map<string, { rules: RoomRules; occupants: Occupant[] }>();

  /** @param jid with a resource */
  stream(jid: string): WorldStream {
    const stream = new WorldStream(this, JID.parse(jid));
    this.#streams.set(jid, stream);
    return stream;
  }

  room(jid: string, rules: RoomRules = {}): JID {
    this.#rooms.set(jid, { rules, occupants: [] });
    return JID.parse(jid);
  }

  /** The stream is gone; the server says so in its rooms. */
  drop(stream: WorldStream): void {
    this.#streams.delete(stream.jid.toString());
    for (const address of this.#rooms.keys()) this.#leave(address, stream);
  }

  /** The program is gone, and the server does not know yet: nothing is answered. */
  silence(stream: WorldStream): void {
    stream.isSilent = true;
  }

  route(from: WorldStream, text: string): void {
    const stanza = parseXml(text);
    const to = JID.parse(String(stanza.attrs['to']));
    stanza.attrs['from'] = from.jid.toString();
    const room = this.#rooms.get(to.bare.toString());
    if (room && stanza.getName() === 'presence') {
      if (stanza.attrs['type'] === 'unavailable') this.#leave(to.bare.toString(), from);
      else this.#present(to, from, stanza);
      return;
    }
    const exact = this.#streams.get(to.toString());
    const some = to.isBare
      ? [...this.#streams.values()].filter((stream) => stream.jid.bare.equals(to))
      : exact
        ? [exact]
        : [];
    for (const stream of some) stream.deliver(stanza.toString());
    if (some.length > 0 || stanza.attrs['type'] === 'error' || stanza.attrs['type'] === 'result') return;
    const error = stanzaErrorElement({ condition: 'service-unavailable' });
    const { id } = stanza.attrs as Record<string, string>;
    from.deliver(xml(stanza.getName(), { type: 'error', from: to.toString(), id }, error).toString());
  }

  #present(to: JID, stream: WorldStream, stanza: Element): void {
    const address = to.bare.toString();
    const room = this.#rooms.get(address);
    if (!room) return;
    const { rules, occupants } = room;
    const nick = to.resource ?? '';
    let self = occupants.find((occupant) => occupant.stream === stream);
    const isTaken = occupants.some((occupant) => occupant.nick === nick && occupant.stream !== stream);
    const refusal = rules.refuses ?? (isTaken ? 'conflict' : undefined);
    if (!self && refusal !== undefined) {
      const error = stanzaErrorElement({ condition: refusal });
      stream.deliver(xml('presence', { type: 'error', from: to.toString() }, error).toString());
      return;
    }
    const payload = stanza.getChildElements();
    if (self) self.payload = payload;
    else {
      for (const other of occupants) this.#tell(address, stream, other, rules);
      self = { nick, stream, payload };
      occupants.push(self);
    }
    for (const other of occupants) this.#tell(address, other.stream, self, rules);
  }

  #tell(room: string, reader: WorldStream, occupant: Occupant, rules: RoomRules, type?: string): void {
    const isSelf = reader === occupant.stream;
    const jid = rules.isAnonymous === true && !isSelf ? undefined : occupant.stream.jid.toString();
    const user = xml(
      'x',
      { xmlns: NS_MUC_USER },
      xml('item', { affiliation: 'none', role: type === undefined ? 'participant' : 'none', jid }),
      isSelf ? xml('status', { code: 110 }) : undefined,
      isSelf && rules.isAnonymous !== true ? xml('status', { code: 100 }) : undefined,
    );
    const payload = type === undefined ? occupant.payload.map((child) => parseXml(child.toString())) : [];
    reader.deliver(xml('presence', { from: `${room}/${occupant.nick}`, type }, ...payload, user).toString());
  }

  #leave(address: string, stream: WorldStream): void {
    const room = this.#rooms.get(address);
    const self = room?.occupants.find((occupant) => occupant.stream === stream);
    if (!room || !self) return;
    for (const { stream: reader } of room.occupants)
      this.#tell(address, reader, self, room.rules, 'unavailable');
    room.occupants = room.occupants.filter((occupant) => occupant !== self);
  }
}

export class WorldStream {
  readonly kind = 'client';
  readonly state = 'online';
  readonly signal = undefined;
  readonly timeoutMs = 5000;
  isSilent = false;
  /** Everything that arrived. */
  readonly received: Element[] = [];
  readonly #world: World;
  readonly #handlers = new Set<{ filter: StanzaFilter; handler: (stanza: Element) => void }>();
  readonly #responders = new Map<string, IqHandler>();
  readonly #pending = new Map<string, Deferred<Element>>();
  readonly #listeners = new Map<string, Set<(detail: never) => void>>();
  #nextId = 0;
  #wakers: (() => void)[] = [];

  constructor(
    world: World,
    readonly jid: JID,
  ) {
    this.#world = world;
  }

  get session(): Session {
    return this as unknown as Session;
  }

  send(stanza: Element): Promise<void> {
    const text = stanza.toString();
    setImmediate(() => this.#world.route(this, text));
    return Promise.resolve();
  }

  /** A stanza as text. */
  say(text: string): void {
    void this.send(parseXml(text));
  }

  async request({ type, to, payload }: IqRequest, options: WaitOptions = {}): Promise<Element> {
    this.#nextId += 1;
    const id = `r${this.#nextId}`;
    const answer = new Deferred<Element>();
    this.#pending.set(id, answer);
    await this.send(xml('iq', { type, id, to: String(to ?? this.jid.bare) }, payload));
    const { timeoutMs = this.timeoutMs, signal } = options;
    const reply = await within(answer.promise, { doing: 'waiting for an answer', timeoutMs, signal });
    if (reply.attrs['type'] === 'error') throw stanzaErrorFrom(reply);
    return reply;
  }

  respond(key: { type: 'get' | 'set'; name: string; namespace: string }, handler: IqHandler): Disposable {
    const name = `${key.type} {${key.namespace}}${key.name}`;
    this.#responders.set(name, handler);
    return { [Symbol.dispose]: () => void this.#responders.delete(name) };
  }

  handle(filter: StanzaFilter, handler: (stanza: Element) => void): Disposable {
    const entry = { filter, handler };
    this.#handlers.add(entry);
    return { [Symbol.dispose]: () => void this.#handlers.delete(entry) };
  }

  on<K extends keyof SessionEvents>(event: K, listener: (detail: SessionEvents[K]) => void): Disposable {
    const listeners = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, listeners);
    listeners.add(listener);
    return { [Symbol.dispose]: () => void listeners.delete(listener) };
  }

  emit<K extends keyof SessionEvents>(event: K, detail: SessionEvents[K]): void {
    for (const listener of this.#listeners.get(event) ?? [])
      (listener as (given: typeof detail) => void)(detail);
  }

  advertise(): Disposable {
    return { [Symbol.dispose]: () => undefined };
  }

  capabilities(): Promise<Element> {
    return Promise.resolve(
      xml('c', { xmlns: 'http://jabber.org/protocol/caps', node: 'n', ver: 'v', hash: 'sha-1' }),
    );
  }

  deliver(text: string): void {
    if (this.isSilent) return;
    const stanza = parseXml(text);
    this.received.push(stanza);
    for (const wake of this.#wakers.splice(0)) wake();
    const { type, id, from } = stanza.attrs as Record<string, string | undefined>;
    if (stanza.getName() === 'iq') {
      if (type === 'result' || type === 'error') this.#pending.get(id ?? '')?.resolve(stanza);
      else void this.#answer(stanza);
      return;
    }
    for (const { filter, handler } of [...this.#handlers]) {
      if (filter.name !== undefined && filter.name !== stanza.getName()) continue;
      const sender = from === undefined ? undefined : JID.parse(from);
      if (filter.from && sender?.equals(filter.from) !== true && sender?.bare.equals(filter.from) !== true)
        continue;
      const types = filter.type === undefined ? undefined : [filter.type].flat();
      if (types && !types.includes(type ?? '')) continue;
      handler(stanza);
    }
  }

  /** The first stanza that has arrived, or arrives, and fits. */
  async next(fits: (stanza: Element) => boolean, doing: string): Promise<Element> {
    for (;;) {
      const found = this.received.find(fits);
      if (found) {
        this.received.splice(this.received.indexOf(found), 1);
        return found;
      }
      await within(new Promise<void>((resolve) => this.#wakers.push(resolve)), {
        doing: `${doing}; there is ${this.received.map(String).join('\n')}`,
        timeoutMs: 5000,
      });
    }
  }

  async #answer(iq: Element): Promise<void> {
    const { from = '', id, type } = iq.attrs as Record<string, string>;
    const [payload] = iq.getChildElements();
    if (!payload) return;
    const handler = this.#responders.get(`${type ?? ''} {${payload.getNS() ?? ''}}${payload.getName()}`);
    try {
      if (!handler) throw new StanzaReply({ condition: 'service-unavailable' });
      const result = await handler({ iq, payload, from: JID.parse(from) });
      await this.send(xml('iq', { type: 'result', id, to: from }, result));
    } catch (error) {
      if (!(error instanceof StanzaReply)) throw error;
      await this.send(xml('iq', { type: 'error', id, to: from }, error.toElement()));
    }
  }
}
