import { stanzaErrorElement, type StanzaErrorFacts } from '../xml/stanza-error.js';
import type { Element } from '../xml/element.js';

/** Thrown by an IQ handler to refuse a request with a stanza error. */
export class StanzaReply extends Error {
  override readonly name = 'StanzaReply';

  constructor(readonly facts: StanzaErrorFacts) {
    super(`refused with ${facts.condition}`);
  }

  toElement(): Element {
    return stanzaErrorElement(this.facts);
  }
}
