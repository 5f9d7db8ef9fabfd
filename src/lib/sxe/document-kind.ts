/** What is said about a document before it is shared. */
import { NS_SVG } from './session/psi-peer.js';
import { NS_XHTML_EDITING, NS_XML_EDITING } from './stanzas.js';
import { parseDocument } from './parse-document.js';

export interface DocumentKind {
  /** The application type of Jingle (XEP-0284 §4.1). */
  application: string;
  /** Something that Psi takes part in as well. */
  isDrawing: boolean;
}

export const drawing: DocumentKind = { application: NS_XML_EDITING, isDrawing: true };

/** @throws ProtocolError it is not well-formed */
export function kindOfDocument(text: string): DocumentKind {
  const root = parseDocument(text).nodes.find((node) => node.kind === 'element');
  const ns = root?.kind === 'element' ? root.ns : '';
  if (ns === NS_SVG) return drawing;
  const application = ns === 'http://www.w3.org/1999/xhtml' ? NS_XHTML_EDITING : NS_XML_EDITING;
  return { application, isDrawing: false };
}
