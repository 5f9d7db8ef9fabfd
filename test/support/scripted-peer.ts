/** The other party of a Jingle session, which does what a test says: clients in the field have habits of their own. */
import { randomUUID } from 'node:crypto';
import type { Duplex } from 'node:stream';
import type { JID } from '../../src/lib/jid/jid.js';
import { NS_JINGLE } from '../../src/lib/jingle/stanzas.js';
import type { Bytestream } from '../../src/lib/jingle/transport.js';
import { StanzaReply } from '../../src/lib/session/stanza-reply.js';
import { within } from '../../src/lib/session/wait.js';
import { type Element } from '../../src/lib/xml/element.js';
import { parseXml } from '../../src/lib/xml/parse.js';
import { asSession, type LinkedStream } from './linked-streams.js';
import type { MemoryTransport } from './memory-transport.js';

export class ScriptedPeer {
  readonly #stream: LinkedStream;
  readonly #other: JID;
  readonly #arrived: Element[] = [];
  readonly #refused = new Map<string, string>();
  #wake: (() => void) | undefined;
  sid: string = randomUUID();

  constructor(stream: LinkedStream, other: JID) {
    this.#stream = stream;
    this.#other = other;
    stream.respond({ type: 'set', name: 'jingle', namespace: NS_JINGLE }, ({ payload }) => {
      const action = String(payload.attrs['action']);
      if (action === 'session-initiate') this.sid = String(payload.attrs['sid']);
      const condition = this.#refused.get(action);
      if (condition !== undefined) throw new StanzaReply({ condition });
      this.#arrived.push(payload);
      this.#wake?.();
      return undefined;
    });
  }

  /** Requests of this kind are answered with an error. */
  refuse(action: string, condition: string): void {
    this.#refused.set(action, condition);
  }

  /** The next request of this kind; others before it stay for later. */
  async next(action: string): Promise<Element> {
    for (;;) {
      const index = this.#arrived.findIndex(({ attrs }) => attrs['action'] === action);
      if (index >= 0) return this.#arrived.splice(index, 1)[0] ?? this.next(action);
      await within(new Promise<void>((resolve) => (this.#wake = resolve)), {
        doing: `waiting for ${action}; there is ${this.#arrived.map(String).join(', ')}`,
        timeoutMs: 5000,
      });
    }
  }

  /** Sends an action, and waits for the acknowledgement. */
  async send(action: string, inner = '', attributes = ''): Promise<void> {
    const text = `<jingle xmlns='${NS_JINGLE}' action='${action}' sid='${this.sid}' ${attributes}>${inner}</jingle>`;
    await this.#stream.request({ type: 'set', to: this.#other, payload: parseXml(text) });
  }

  /** The stream for an offer of the other side, which names its transport in `<transport/>`. */
  async connectTo(offer: Element, transport: MemoryTransport): Promise<Duplex> {
    const theirs = offer.getChild('content')?.getChild('transport');
    if (!theirs) throw new Error('nothing to connect to');
    const negotiation = this.#begin(transport);
    await negotiation.answer(theirs);
    return streamOf(await negotiation.connect());
  }

  /** A `<transport/>` of our own, and the stream once the other side connects. */
  async offer(transport: MemoryTransport): Promise<{ element: string; connect: () => Promise<Duplex> }> {
    const negotiation = this.#begin(transport);
    const element = (await negotiation.offer()).toString();
    return { element, connect: async () => streamOf(await negotiation.connect()) };
  }

  #begin(transport: MemoryTransport): ReturnType<MemoryTransport['begin']> {
    return transport.begin({
      session: asSession(this.#stream),
      peer: this.#other,
      role: 'responder',
      sendInfo: () => Promise.resolve(),
      timeoutMs: 2000,
    });
  }
}

/** That it breaks is what some tests are about. */
function streamOf({ stream }: Bytestream): Duplex {
  return stream.on('error', () => undefined);
}
