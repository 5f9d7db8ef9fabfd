/**
 * Answers to incoming IQ requests (RFC 6120 §8.2.3): each get or set is answered exactly once.
 */
import { StanzaError } from '../errors.js';
import { JID } from '../jid/jid.js';
import { childElements, xml, type Element } from '../xml/element.js';
import { stanzaErrorElement } from '../xml/stanza-error.js';
import type { IqHandler } from './session.js';
import { StanzaReply } from './stanza-reply.js';
import { stringAttribute } from './stream.js';

export interface ResponderKey {
  type: 'get' | 'set';
  name: string;
  namespace: string;
  feature?: string | readonly string[];
}

export class Responders {
  readonly #handlers = new Map<string, { handler: IqHandler; features: readonly string[] }>();
  readonly #advertised = new Map<object, readonly string[]>();
  readonly #warn: (message: string) => void;

  constructor(warn: (message: string) => void) {
    this.#warn = warn;
  }

  /** A later handler takes the place of an earlier one, until it is disposed. */
  respond({ type, name, namespace, feature = namespace }: ResponderKey, handler: IqHandler): Disposable {
    const key = keyOf(type, name, namespace);
    const features = typeof feature === 'string' ? [feature] : feature;
    const previous = this.#handlers.get(key);
    const entry = { handler, features };
    this.#handlers.set(key, entry);
    return {
      [Symbol.dispose]: () => {
        if (this.#handlers.get(key) !== entry) return;
        if (previous) this.#handlers.set(key, previous);
        else this.#handlers.delete(key);
      },
    };
  }

  advertise(features: readonly string[]): Disposable {
    const key = {};
    this.#advertised.set(key, features);
    return {
      [Symbol.dispose]: () => {
        this.#advertised.delete(key);
      },
    };
  }

  /** Everything registered, sorted and without duplicates: what service discovery tells. */
  features(): string[] {
    const all = [
      ...[...this.#handlers.values()].flatMap(({ features }) => features),
      ...[...this.#advertised.values()].flat(),
    ];
    return [...new Set(all)].sort();
  }

  /** The reply to a request. Never throws. */
  async answer(iq: Element, own: JID): Promise<Element> {
    const reply = (type: 'result' | 'error', ...children: (Element | undefined)[]): Element =>
      xml(
        'iq',
        {
          type,
          id: stringAttribute(iq, 'id'),
          to: stringAttribute(iq, 'from'),
          // A component answers for the address that was asked; for a client the server puts it in.
          from: own.local === undefined ? stringAttribute(iq, 'to') : undefined,
        },
        ...children,
      );
    const payloads = childElements(iq);
    const [payload] = payloads;
    const sender = stringAttribute(iq, 'from');
    const from = sender === undefined ? own.bare : JID.fromServer(sender);
    if (payload === undefined || payloads.length > 1) {
      return reply('error', stanzaErrorElement({ condition: 'bad-request' }));
    }
    const type = stringAttribute(iq, 'type') ?? '';
    const entry = this.#handlers.get(keyOf(type, payload.getName(), payload.getNS() ?? ''));
    if (!entry) return reply('error', stanzaErrorElement({ condition: 'service-unavailable' }));
    try {
      return reply('result', await entry.handler({ iq, payload, from }));
    } catch (error) {
      return reply('error', this.#refusal(error));
    }
  }

  #refusal(error: unknown): Element {
    if (error instanceof StanzaReply) return error.toElement();
    if (error instanceof StanzaError) {
      const { condition, type, text } = error;
      return stanzaErrorElement({ condition, ...(type && { type }), text });
    }
    this.#warn(`answering a request failed: ${error instanceof Error ? error.message : String(error)}`);
    return stanzaErrorElement({ condition: 'internal-server-error' });
  }
}

function keyOf(type: string, name: string, namespace: string): string {
  return `${type} ${name} ${namespace}`;
}
