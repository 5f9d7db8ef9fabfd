/** Two connections that reach each other through memory: IQs, and the end of a presence, answered in order, each serialised and parsed again. */
import { StanzaReply } from '../../src/lib/session/stanza-reply.js';
import type { JingleStream } from '../../src/lib/jingle/jingle-session.js';
import type {
  IqHandler,
  Session,
  SessionEvents,
  StanzaFilter,
  WaitOptions,
} from '../../src/lib/session/session.js';
import { within } from '../../src/lib/session/wait.js';
import { JID } from '../../src/lib/jid/jid.js';
import { xml, type Element } from '../../src/lib/xml/element.js';
import { parseXml } from '../../src/lib/xml/parse.js';
import { stanzaErrorElement, stanzaErrorFrom } from '../../src/lib/xml/stanza-error.js';

export interface LinkedStream extends JingleStream {
  /** A request as it would arrive from `from`; resolves with the reply. */
  answer(from: JID, type: 'get' | 'set', text: string): Promise<Element>;
  /** Every request that arrived here, as text. */
  readonly received: readonly string[];
  /** The connection is lost. */
  lose(error: Error): void;
  /** Requests that match are received, and never answered. */
  ignore(matches: (request: string) => boolean): void;
  /** As when the program is killed: nothing leaves it any more, and the server answers for it. */
  kill(): void;
  /** Called for each request that arrives. */
  onRequest: () => void;
  /** From now on, the server answers for somebody who is offline. Sending still works: the last words of a program. */
  leave(): void;
  /** As `leave`, and the other side sees it. */
  leaveVisibly(): void;
  /** It looks offline to the other side, and is there. */
  becomeInvisible(): void;
}

/** For what wants a whole session, and uses only what is here. */
export function asSession(stream: LinkedStream): Session {
  return Object.assign(stream, {
    advertise: () => ({ [Symbol.dispose]: () => undefined }),
    timeoutMs: 5000,
  }) as unknown as Session;
}

export function linkStreams(
  first = 'romeo@montague.example/a',
  second = 'juliet@capulet.example/b',
): [LinkedStream, LinkedStream] {
  const left = new MemoryStream(JID.parse(first));
  const right = new MemoryStream(JID.parse(second));
  left.peer = right;
  right.peer = left;
  return [left, right];
}

class MemoryStream implements LinkedStream {
  readonly received: string[] = [];
  peer: MemoryStream | undefined;
  readonly #handlers = new Map<string, IqHandler>();
  #lost: Error | undefined;
  #isOffline = false;
  #isDead = false;
  #ignores: (request: string) => boolean = () => false;
  readonly #presence = new Set<(presence: Element) => void>();
  readonly #closed = new Set<(detail: SessionEvents['closed']) => void>();

  constructor(readonly jid: JID) {}

  async request(
    { type, payload }: { type: 'get' | 'set'; payload: Element },
    options: WaitOptions = {},
  ): Promise<Element> {
    if (this.#lost) throw this.#lost;
    if (this.#isDead) return new Promise(() => undefined);
    // As on a network, both sides may have sent before either has received.
    await new Promise((resolve) => setImmediate(resolve));
    if (!this.peer) throw new Error('not linked');
    const reply = await within(this.peer.answer(this.jid, type, payload.toString()), {
      doing: 'waiting for the other side to answer',
      ...options,
    });
    if (reply.attrs['type'] === 'error') throw stanzaErrorFrom(reply);
    return reply;
  }

  onRequest: () => void = () => undefined;

  kill(): void {
    this.#isDead = true;
  }

  leave(): void {
    this.#isOffline = true;
  }

  leaveVisibly(): void {
    this.leave();
    this.becomeInvisible();
  }

  becomeInvisible(): void {
    this.peer?.seeGone(this.jid);
  }

  seeGone(jid: JID): void {
    const presence = xml('presence', { type: 'unavailable', from: jid.toString() });
    for (const handler of [...this.#presence]) handler(presence);
  }

  handle({ name }: StanzaFilter, handler: (stanza: Element) => void): Disposable {
    if (name === 'presence') this.#presence.add(handler);
    return { [Symbol.dispose]: () => void this.#presence.delete(handler) };
  }

  ignore(matches: (request: string) => boolean): void {
    this.#ignores = matches;
  }

  respond(request: { type: 'get' | 'set'; name: string; namespace: string }, handler: IqHandler): Disposable {
    const key = `${request.type} {${request.namespace}}${request.name}`;
    this.#handlers.set(key, handler);
    return { [Symbol.dispose]: () => void this.#handlers.delete(key) };
  }

  on<K extends keyof SessionEvents>(event: K, listener: (detail: SessionEvents[K]) => void): Disposable {
    if (event !== 'closed') return { [Symbol.dispose]: () => undefined };
    const onClosed = listener as (detail: SessionEvents['closed']) => void;
    this.#closed.add(onClosed);
    return { [Symbol.dispose]: () => void this.#closed.delete(onClosed) };
  }

  lose(error: Error): void {
    this.#lost = error;
    for (const listener of [...this.#closed]) listener({ error });
  }

  async answer(from: JID, type: 'get' | 'set', text: string): Promise<Element> {
    this.received.push(text);
    this.onRequest();
    if (this.#ignores(text)) return new Promise(() => undefined);
    const payload = parseXml(text);
    const handler = this.#handlers.get(`${type} {${payload.getNS() ?? ''}}${payload.getName()}`);
    const iq = xml('iq', { type, from: from.toString(), to: this.jid.toString(), id: '1' }, payload);
    const fail = (error: Element): Element =>
      xml('iq', { type: 'error', from: this.jid.toString(), id: '1' }, error);
    if (!handler || this.#isDead || (this.#isOffline && !text.includes('session-accept')))
      return fail(stanzaErrorElement({ condition: 'service-unavailable' }));
    try {
      return xml(
        'iq',
        { type: 'result', from: this.jid.toString(), id: '1' },
        await handler({ iq, payload, from }),
      );
    } catch (error) {
      if (error instanceof StanzaReply) return fail(error.toElement());
      throw error;
    }
  }
}
