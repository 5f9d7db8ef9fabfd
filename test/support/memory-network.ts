/**
 * Connections that reach each other through memory, each stanza serialised and parsed again, in order. What answers,
 * dispatches and matches replies is the session's own; only the stream is missing.
 */
import { DiscoInfoQuery, NS_DISCO_INFO } from '../../src/lib/disco/stanzas.js';
import { JID } from '../../src/lib/jid/jid.js';
import { Dispatcher } from '../../src/lib/session/dispatcher.js';
import { IqRequests } from '../../src/lib/session/iq-requests.js';
import { Responders, type ResponderKey } from '../../src/lib/session/responders.js';
import type {
  ConnectionInfo,
  IqHandler,
  IqRequest,
  Session,
  SessionEvents,
  StanzaFilter,
  WaitOptions,
} from '../../src/lib/session/session.js';
import { within } from '../../src/lib/session/wait.js';
import { xml, type Element } from '../../src/lib/xml/element.js';
import { parseXml } from '../../src/lib/xml/parse.js';
import { serialize } from '../../src/lib/xml/serialize.js';
import { stanzaErrorElement } from '../../src/lib/xml/stanza-error.js';

/** What a stanza becomes on its way: itself, nothing, or several. */
export type Tamper = (stanza: Element) => readonly Element[];

export class MemoryNetwork {
  readonly sessions = new Map<string, MemorySession>();
  tamper: Tamper = (stanza) => [stanza];

  connect(address: string): MemorySession {
    const session = new MemorySession(this, JID.parse(address));
    this.sessions.set(address, session);
    return session;
  }

  /** Delivers later, in the order of the calls: as on a network, both sides may have sent before either receives. */
  carry(stanza: Element): void {
    const text = serialize(stanza);
    setImmediate(() => {
      for (const arriving of this.tamper(parseXml(text))) this.#deliver(arriving);
    });
  }

  #deliver(stanza: Element): void {
    const { to, from, type, id } = stanza.attrs as Record<string, string | undefined>;
    const addressee = this.sessions.get(to ?? '');
    if (addressee) {
      addressee.receive(stanza);
    } else if (type !== 'result' && type !== 'error' && to !== undefined) {
      const error = stanzaErrorElement({ condition: 'service-unavailable' });
      this.sessions
        .get(from ?? '')
        ?.receive(xml(stanza.name, { type: 'error', from: to, to: from, id }, error));
    }
  }
}

export class MemorySession implements Pick<
  Session,
  'jid' | 'info' | 'request' | 'send' | 'respond' | 'handle' | 'stanzas' | 'on' | 'timeoutMs'
> {
  timeoutMs = 5000;
  /** On this machine, where the others may be as well. */
  info: ConnectionInfo = {
    endpoint: 'xmpp://127.0.0.1:5222',
    transport: 'tcp',
    tls: undefined,
    mechanism: undefined,
    channelBinding: undefined,
    isStreamManaged: false,
    isResumable: false,
  };
  /** Every stanza that has arrived. */
  readonly received: Element[] = [];
  /** Reading stops when a reader is slow. */
  readonly #dispatcher = new Dispatcher(() => undefined);
  readonly #requests = new IqRequests();
  readonly #responders = new Responders((message) => {
    throw new Error(message);
  });
  readonly #listeners = new Map<string, Set<(detail: never) => void>>();

  constructor(
    private readonly network: MemoryNetwork,
    readonly jid: JID,
  ) {
    this.respond({ type: 'get', name: 'query', namespace: NS_DISCO_INFO }, () =>
      DiscoInfoQuery.encode({ identities: [], features: [] }),
    );
  }

  /** Whether some reader holds back the connection. */
  get isCrowded(): boolean {
    return this.#dispatcher.isCrowded;
  }

  async request({ type, to, payload }: IqRequest, wait: WaitOptions = {}): Promise<Element> {
    const { id, reply } = this.#requests.expect(to?.toString());
    this.network.carry(xml('iq', { type, id, to: to?.toString(), from: this.jid.toString() }, payload));
    try {
      return await within(reply, { doing: 'waiting', timeoutMs: wait.timeoutMs ?? this.timeoutMs, ...wait });
    } finally {
      this.#requests.forget(id);
    }
  }

  send(stanza: Element): Promise<void> {
    stanza.attrs['from'] = this.jid.toString();
    this.network.carry(stanza);
    return Promise.resolve();
  }

  respond(key: ResponderKey, handler: IqHandler): Disposable {
    return this.#responders.respond(key, handler);
  }

  handle(filter: StanzaFilter, handler: (stanza: Element) => void): Disposable {
    return this.#dispatcher.handle(filter, handler);
  }

  stanzas(filter: StanzaFilter = {}, { signal }: { signal?: AbortSignal } = {}) {
    return this.#dispatcher.read(filter, signal);
  }

  on<K extends keyof SessionEvents>(event: K, listener: (detail: SessionEvents[K]) => void): Disposable {
    const listeners = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, listeners);
    listeners.add(listener);
    return { [Symbol.dispose]: () => void listeners.delete(listener) };
  }

  emit<K extends keyof SessionEvents>(event: K, detail: SessionEvents[K]): void {
    for (const listener of [...(this.#listeners.get(event) ?? [])]) listener(detail as never);
  }

  /** The client is gone, and says nothing. */
  vanish(): void {
    this.network.sessions.delete(this.jid.toString());
  }

  receive(stanza: Element): void {
    this.received.push(stanza);
    const type: unknown = stanza.attrs['type'];
    const isReply = stanza.name === 'iq' && (type === 'result' || type === 'error');
    if (isReply) {
      this.#requests.deliver(stanza, this.jid);
      return;
    }
    this.#dispatcher.dispatch(stanza);
    if (stanza.name === 'iq') {
      void this.#responders.answer(stanza, this.jid).then((reply) => this.send(reply));
    }
  }
}
