/** Stanzas that came in, as `raw` and `console` print them. */
import { attributesOf } from '../lib/console/typed-stanza.js';
import type { Style } from '../lib/output/output.js';
import { safeText } from '../lib/output/safe-text.js';
import type { XmlPaint } from '../lib/xml/canonical.js';
import type { Element } from '../lib/xml/element.js';

/** A stanza as an object of `--json`. */
export function stanzaToJson(stanza: Element): Record<string, string> {
  const { type, id, from } = attributesOf(stanza);
  return {
    name: stanza.getName(),
    ...(type !== undefined && { type }),
    ...(id !== undefined && { id }),
    ...(from !== undefined && { from }),
    xml: stanza.toString(),
  };
}

/** What came from the network is neutralised piece by piece, before colours are added. */
export function paintFor(style: Style): XmlPaint {
  return {
    name: (text) => style.name(safeText(text, { singleLine: true })),
    attribute: (text) => style.dim(safeText(text, { singleLine: true })),
    value: (text) => style.good(safeText(text, { singleLine: true })),
    text: (text) => safeText(text),
  };
}
