/** What is answered without the user: requests of others (RFC 6120 §8.2.3), pings (XEP-0199) and acknowledgements. */
import type { OpenStream } from '../session/open-stream.js';
import { xml, type Element } from '../xml/element.js';
import { stanzaErrorElement } from '../xml/stanza-error.js';
import { attributesOf } from './typed-stanza.js';

const NS_PING = 'urn:xmpp:ping';
const NS_SM = 'urn:xmpp:sm:3';

/** Looks at everything that comes, and says what it is answered with. */
export class Answering {
  #isManaged = false;
  #received = 0;

  constructor(private readonly stream: Pick<OpenStream, 'kind' | 'jid'>) {}

  /** @returns undefined where no answer is due */
  answerTo(element: Element): Element | undefined {
    const name = element.getName();
    if (element.getNS() === NS_SM) return this.#acknowledge(name);
    if (name !== 'message' && name !== 'presence' && name !== 'iq') return undefined;
    this.#received = (this.#received + 1) >>> 0;
    const { type, id, from, to } = attributesOf(element);
    if (name !== 'iq' || (type !== 'get' && type !== 'set')) return undefined;
    const isPing = type === 'get' && element.getChild('ping', NS_PING) !== undefined;
    return xml(
      'iq',
      // A component answers for whom was asked (XEP-0114).
      {
        type: isPing ? 'result' : 'error',
        id,
        to: from,
        from: this.stream.kind === 'component' ? to : undefined,
      },
      isPing ? undefined : stanzaErrorElement({ condition: 'service-unavailable' }),
    );
  }

  /** XEP-0198 §4: counting begins with `<enabled/>`. */
  #acknowledge(name: string): Element | undefined {
    if (name === 'enabled') {
      this.#isManaged = true;
      this.#received = 0;
    }
    return name === 'r' && this.#isManaged ? xml('a', { xmlns: NS_SM, h: this.#received }) : undefined;
  }
}
