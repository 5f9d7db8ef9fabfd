/**
 * All in-band bytestreams of one connection: what arrives is given to the stream it belongs to, by the sender's full
 * address and the sid. A sid alone proves nothing.
 */
import { DecodeError } from '../../errors.js';
import { StanzaReply } from '../../session/stanza-reply.js';
import type { Element } from '../../xml/element.js';
import { JID } from '../../jid/jid.js';
import type { InBandSession, InBandStream } from './in-band-stream.js';
import { Data, NS_IN_BAND, Open } from './stanzas.js';

/** Somebody waits for this stream to be opened. @throws StanzaReply it is not wanted so */
export type OpenListener = (open: Open) => InBandStream;

const routers = new WeakMap<InBandSession, InBandRouter>();

/** The one of this connection; from the first call on it answers, as long as the connection lives. */
export function routerOf(session: InBandSession): InBandRouter {
  let router = routers.get(session);
  if (!router) {
    router = new InBandRouter(session);
    routers.set(session, router);
  }
  return router;
}

class InBandRouter {
  readonly #streams = new Map<string, InBandStream>();
  readonly #expected = new Map<string, OpenListener>();

  constructor(session: InBandSession) {
    // What is advertised is decided by whoever offers or accepts bytestreams.
    const request = { type: 'set', namespace: NS_IN_BAND, feature: [] } as const;
    session.respond({ ...request, name: 'open' }, ({ payload, from }) => {
      this.#open(
        from,
        decode(() => Open.decode(payload)),
      );
      return undefined;
    });
    session.respond({ ...request, name: 'data' }, ({ payload, from }) => this.#receive(from, payload));
    session.respond({ ...request, name: 'close' }, ({ payload, from }) => {
      const stream = this.#find(from, payload);
      return stream.receiveClose();
    });
    session.handle({ name: 'message', child: { name: 'data', namespace: NS_IN_BAND } }, (message) => {
      if (message.attrs['type'] === 'error') return;
      const from = senderOf(message);
      const data = message.getChild('data', NS_IN_BAND);
      if (!from || !data) return;
      // Nobody waits for an answer to a message: a refusal closes the stream, which is answer enough (XEP-0047 §2.2).
      try {
        this.#receive(from, data).catch(() => undefined);
      } catch (error) {
        if (!(error instanceof StanzaReply)) throw error;
      }
    });
  }

  /** From now on this stream gets what is for it. */
  add(peer: JID, sid: string, stream: InBandStream): void {
    this.#streams.set(keyOf(peer, sid), stream);
  }

  remove(peer: JID, sid: string): void {
    this.#streams.delete(keyOf(peer, sid));
  }

  /** `listener` is asked when this party opens this stream, once. */
  expect(peer: JID, sid: string, listener: OpenListener): Disposable {
    const key = keyOf(peer, sid);
    this.#expected.set(key, listener);
    return {
      [Symbol.dispose]: () => {
        if (this.#expected.get(key) === listener) this.#expected.delete(key);
      },
    };
  }

  #open(from: JID, open: Open): void {
    const key = keyOf(from, open.sid);
    const listener = this.#expected.get(key);
    if (!listener || this.#streams.has(key)) {
      throw new StanzaReply({ condition: 'not-acceptable', type: 'cancel' });
    }
    const stream = listener(open);
    this.#expected.delete(key);
    this.#streams.set(key, stream);
  }

  #receive(from: JID, payload: Element): Promise<undefined> {
    const stream = this.#find(from, payload);
    let data: Data;
    try {
      data = Data.decode(payload);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      throw stream.refuse({ condition: 'bad-request', type: 'cancel', text: error.reason });
    }
    return stream.receive(data);
  }

  #find(from: JID, payload: Element): InBandStream {
    const sid: unknown = payload.attrs['sid'];
    const stream = typeof sid === 'string' ? this.#streams.get(keyOf(from, sid)) : undefined;
    if (!stream) throw new StanzaReply({ condition: 'item-not-found', type: 'cancel' });
    return stream;
  }
}

function decode<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new StanzaReply({ condition: 'bad-request', type: 'cancel', text: error.reason });
  }
}

function senderOf(message: Element): JID | undefined {
  const from: unknown = message.attrs['from'];
  return typeof from === 'string' ? JID.tryParse(from) : undefined;
}

function keyOf(peer: JID, sid: string): string {
  return `${peer.toString()} ${sid}`;
}
