/**
 * What every session answers about itself, by what is registered on it:
 * XEP-0030: Service Discovery, version 2.5.0 · XEP-0115: Entity Capabilities, version 1.6.0 ·
 * XEP-0092: Software Version, version 1.1 · XEP-0199: XMPP Ping, version 2.0.1 · XEP-0202: Entity Time, version 2.0.
 * Not there: items (there are none), and the operating system in XEP-0092, which is nobody's business.
 */
import { xml, type Element } from '../xml/element.js';
import { NS_PING } from './namespaces.js';
import type { Responders } from './responders.js';
import type { IqHandler } from './session.js';
import { StanzaReply } from './stanza-reply.js';

const NS_DISCO_INFO = 'http://jabber.org/protocol/disco#info';
const NS_DISCO_ITEMS = 'http://jabber.org/protocol/disco#items';
const NS_CAPS = 'http://jabber.org/protocol/caps';
const NS_VERSION = 'jabber:iq:version';
const NS_TIME = 'urn:xmpp:time';

/** The `node` of our capabilities: a name, not a page that anybody fetches (XEP-0115 §4). */
const CAPS_NODE = 'https://xmppctl.org/';

const software = {
  name: 'xmppctl',
  // Tests run from source, where the build has not filled it in.
  version: typeof XMPPCTL_VERSION === 'string' ? XMPPCTL_VERSION : 'development',
};

export class Discovery {
  readonly #responders: Responders;
  readonly #identity: { category: string; type: string; name: string };
  readonly #now: () => number;

  constructor(responders: Responders, kind: 'client' | 'component', now: () => number) {
    this.#responders = responders;
    this.#identity =
      kind === 'client'
        ? { category: 'client', type: 'console', name: software.name }
        : { category: 'component', type: 'generic', name: software.name };
    this.#now = now;
    const answers: readonly [string, string, IqHandler][] = [
      ['query', NS_DISCO_INFO, ({ payload }) => this.#info(payload)],
      ['query', NS_DISCO_ITEMS, ({ payload }) => this.#items(payload)],
      ['ping', NS_PING, () => undefined],
      ['query', NS_VERSION, () => version()],
      ['time', NS_TIME, () => this.#time()],
    ];
    for (const [name, namespace, handler] of answers) {
      responders.respond({ type: 'get', name, namespace }, handler);
    }
    responders.advertise([NS_CAPS]);
  }

  /** `<c/>` for a presence (XEP-0115 §4). Changes when handlers are registered or disposed. */
  async capabilities(): Promise<Element> {
    return xml('c', { xmlns: NS_CAPS, hash: 'sha-1', node: CAPS_NODE, ver: await this.#verification() });
  }

  async #verification(): Promise<string> {
    // Only a command that sends presence, or is asked by node, needs it.
    const { capsVerification } = await import('../disco/caps.js');
    const features = this.#responders.features();
    return capsVerification({ identities: [this.#identity], features, forms: [] }) ?? '';
  }

  async #info(query: Element): Promise<Element> {
    const node: unknown = query.attrs['node'];
    if (typeof node === 'string' && node !== `${CAPS_NODE}#${await this.#verification()}`) {
      throw new StanzaReply({ condition: 'item-not-found' });
    }
    return xml(
      'query',
      { xmlns: NS_DISCO_INFO, ...(typeof node === 'string' && { node }) },
      xml('identity', this.#identity),
      ...this.#responders.features().map((feature) => xml('feature', { var: feature })),
    );
  }

  #items(query: Element): Element {
    if (query.attrs['node'] !== undefined) throw new StanzaReply({ condition: 'item-not-found' });
    return xml('query', { xmlns: NS_DISCO_ITEMS });
  }

  #time(): Element {
    const now = new Date(this.#now());
    const minutes = -now.getTimezoneOffset();
    const pad = (value: number): string => String(Math.floor(Math.abs(value))).padStart(2, '0');
    const offset = `${minutes < 0 ? '-' : '+'}${pad(minutes / 60)}:${pad(minutes % 60)}`;
    return xml('time', { xmlns: NS_TIME }, xml('tzo', {}, offset), xml('utc', {}, now.toISOString()));
  }
}

function version(): Element {
  return xml(
    'query',
    { xmlns: NS_VERSION },
    xml('name', {}, software.name),
    xml('version', {}, software.version),
  );
}
