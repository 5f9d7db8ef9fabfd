/** What is said about a document before it is shared. */
import { NS_XHTML_EDITING, NS_XML_EDITING } from './stanzas.js';
import { parseDocument } from './parse-document.js';

/** The application type of Jingle (XEP-0284 §4.1). @throws ProtocolError it is not well-formed */
export function applicationOf(text: string): string {
  const root = parseDocument(text).nodes.find((node) => node.kind === 'element');
  return root?.kind === 'element' && root.ns === 'http://www.w3.org/1999/xhtml'
    ? NS_XHTML_EDITING
    : NS_XML_EDITING;
}
