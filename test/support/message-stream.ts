/** One end of a stream for what sends and handles messages and presence: what is sent is kept, what arrives is given. */
import { JID } from '../../src/lib/jid/jid.js';
import type { Session, SessionEvents, StanzaFilter } from '../../src/lib/session/session.js';
import type { Element } from '../../src/lib/xml/element.js';
import { parseXml } from '../../src/lib/xml/parse.js';

export class MessageStream {
  readonly jid: JID;
  readonly kind = 'client';
  readonly timeoutMs = 1000;
  readonly sent: Element[] = [];
  /** What discovery says of a full address; nobody answers for others. */
  readonly features = new Map<string, readonly string[] | 'silent'>();
  readonly #handlers = new Set<{ filter: StanzaFilter; handler: (stanza: Element) => void }>();
  readonly #closed = new Set<(detail: SessionEvents['closed']) => void>();
  #onSend: (stanza: Element) => void = () => undefined;

  constructor(jid: string) {
    this.jid = JID.parse(jid);
  }

  /** For what wants a whole session, and uses only what is here. */
  get session(): Session {
    return this as unknown as Session;
  }

  whenSent(onSend: (stanza: Element) => void): void {
    this.#onSend = onSend;
  }

  send(stanza: Element): Promise<void> {
    this.sent.push(stanza);
    setImmediate(() => this.#onSend(stanza));
    return Promise.resolve();
  }

  deliver(text: string): void {
    const stanza = parseXml(text);
    for (const { filter, handler } of [...this.#handlers])
      if (filter.name === undefined || filter.name === stanza.getName()) handler(stanza);
  }

  handle(filter: StanzaFilter, handler: (stanza: Element) => void): Disposable {
    const entry = { filter, handler };
    this.#handlers.add(entry);
    return { [Symbol.dispose]: () => void this.#handlers.delete(entry) };
  }

  on<K extends keyof SessionEvents>(event: K, listener: (detail: SessionEvents[K]) => void): Disposable {
    if (event === 'closed') this.#closed.add(listener as (detail: SessionEvents['closed']) => void);
    return { [Symbol.dispose]: () => undefined };
  }

  close(error: Error): void {
    for (const listener of this.#closed) listener({ error });
  }

  capabilities(): Promise<Element> {
    return Promise.resolve(
      parseXml('<c xmlns="http://jabber.org/protocol/caps" node="n" ver="v" hash="sha-1"/>'),
    );
  }

  request({ to }: { to?: JID | string }): Promise<Element> {
    const features = this.features.get(String(to)) ?? [];
    if (features === 'silent') return new Promise(() => undefined);
    if (features.length === 0) return Promise.reject(new Error('nobody is there'));
    const list = features.map((feature) => `<feature var="${feature}"/>`).join('');
    return Promise.resolve(
      parseXml(`<iq type="result"><query xmlns="http://jabber.org/protocol/disco#info">${list}</query></iq>`),
    );
  }
}
