/** Stanzas that say that they were kept before they were delivered (XEP-0203). */
import type { Element } from './element.js';

export const NS_DELAY = 'urn:xmpp:delay';

export function isDelayed(stanza: Element): boolean {
  return stanza.getChild('delay', NS_DELAY) !== undefined;
}
