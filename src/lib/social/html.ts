/** HTML from elsewhere (Atom `type="html"`, RSS): tag soup in, XHTML that can do nothing out. */
import sanitizeHtml from 'sanitize-html';
import { ProtocolError } from '../errors.js';
import { xml, type Element } from '../xml/element.js';
import { parseXml } from '../xml/parse.js';
import { allowedElements, NS_XHTML, sanitizeXhtml } from './xhtml.js';

/** A `div`. What cannot be made sense of becomes its text. */
export function htmlToXhtml(html: string): Element {
  const tidy = sanitizeHtml(html, {
    allowedTags: [...allowedElements],
    allowedAttributes: {
      '*': ['href', 'src', 'alt', 'title', 'cite', 'width', 'height', 'start', 'colspan', 'rowspan', 'lang'],
    },
    allowedSchemes: ['http', 'https', 'xmpp', 'mailto', 'geo', 'tel'],
    nestingLimit: 100,
  });
  try {
    return sanitizeXhtml(parseXml(`<div xmlns="${NS_XHTML}">${tidy}</div>`));
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return xml('div', { xmlns: NS_XHTML }, xml('p', {}, html.replace(/<[^>]*>/g, ' ')));
  }
}
