/**
 * A whole XML document as a tree: strict and bounded. Entities but the five are refused, and so are document type
 * declarations with anything in them; one that only names a DTD is kept as it is and never followed (CLARIFICATIONS 17).
 */
import { SaxesParser } from 'saxes';
import { ProtocolError } from '../errors.js';
import { localNameOf, NS_XML, NS_XMLNS, prefixOf } from './namespaces.js';
import { bytesIn, MAX_PIECE_BYTES } from './split-change.js';
import type { Tree, TreeAttribute, TreeElement, TreeNode } from './tree.js';

export interface DocumentLimits {
  /** Characters of the whole text; 64 Mi unless given. */
  maxLength?: number;
  /** 1,000,000 unless given: nothing here is recursive. */
  maxDepth?: number;
}

type Scope = ReadonlyMap<string, string>;
const OUTERMOST: Scope = new Map([
  ['', ''],
  ['xml', NS_XML],
]);

/** @throws ProtocolError it is not well-formed, or has what is refused */
export function parseDocument(text: string, limits: DocumentLimits = {}): Tree {
  const { maxLength = 64 * 1024 * 1024, maxDepth = 1_000_000 } = limits;
  if (text.length > maxLength) throw new ProtocolError(`the document is longer than ${maxLength} characters`);
  const tree: Tree = { prolog: '', nodes: [] };
  const open: { element: TreeElement; scope: Scope }[] = [];
  const siblings = (): TreeNode[] => open.at(-1)?.element.children ?? tree.nodes;
  const parser = new SaxesParser({ xmlns: false });
  parser.on('error', (error) => {
    throw new ProtocolError(`not well-formed XML: ${error.message}`);
  });
  parser.on('xmldecl', ({ version, standalone }) => {
    const more = standalone === undefined ? '' : ` standalone="${standalone}"`;
    tree.prolog = `<?xml version="${version ?? '1.0'}" encoding="UTF-8"${more}?>\n`;
  });
  parser.on('doctype', (doctype) => {
    if (doctype.includes('['))
      throw new ProtocolError('a document type declaration with declarations of its own is refused');
    tree.prolog += `<!DOCTYPE${doctype}>\n`;
  });
  parser.on('opentag', ({ name, attributes }) => {
    checkLength(name, 'a name');
    if (open.length >= maxDepth) throw new ProtocolError(`elements are nested deeper than ${maxDepth}`);
    const { element, scope } = resolve(name, attributes, open.at(-1)?.scope ?? OUTERMOST);
    siblings().push(element);
    open.push({ element, scope });
  });
  parser.on('closetag', () => {
    open.pop();
  });
  const addText = (data: string): void => {
    if (open.length === 0) return;
    const list = siblings();
    const last = list.at(-1);
    if (last?.kind === 'text') last.text += data;
    else if (data !== '') list.push({ kind: 'text', text: data, target: '' });
  };
  parser.on('text', addText);
  parser.on('cdata', addText);
  parser.on('comment', (data) => siblings().push({ kind: 'comment', text: data, target: '' }));
  parser.on('processinginstruction', ({ target, body }) => {
    checkLength(target + body, 'a processing instruction');
    siblings().push({ kind: 'processinginstruction', text: body, target });
  });
  parser.write(text).close();
  return tree;
}

function resolve(
  name: string,
  given: Readonly<Record<string, string>>,
  outer: Scope,
): { element: TreeElement; scope: Scope } {
  let scope = outer;
  for (const key in given) {
    if (key !== 'xmlns' && !key.startsWith('xmlns:')) continue;
    const prefix = key === 'xmlns' ? '' : localNameOf(key);
    const namespace = given[key] ?? '';
    checkDeclaration(prefix, namespace);
    checkLength(namespace, 'a namespace');
    if (scope === outer) scope = new Map(outer);
    (scope as Map<string, string>).set(prefix, namespace);
  }
  const attributes: TreeAttribute[] = [];
  let hasPrefixes = false;
  for (const key in given) {
    const prefix = prefixOf(key);
    const ns = key === 'xmlns' || prefix === 'xmlns' ? NS_XMLNS : prefix === '' ? '' : lookUp(scope, prefix);
    checkLength(key, 'a name');
    hasPrefixes ||= prefix !== '';
    attributes.push({ name: key, ns, value: given[key] ?? '' });
  }
  // Two of the same name as they are written the parser has refused.
  if (hasPrefixes) refuseTwins(attributes);
  const ns = lookUp(scope, prefixOf(name));
  return { element: { kind: 'element', name, ns, attributes, children: [] }, scope };
}

function lookUp(scope: Scope, prefix: string): string {
  const namespace = scope.get(prefix);
  if (namespace === undefined)
    throw new ProtocolError(`not well-formed XML: the prefix ${prefix}, which nothing declares`);
  return namespace;
}

/** With two prefixes for one namespace (Namespaces in XML 1.0 §6.3). */
function refuseTwins(attributes: readonly TreeAttribute[]): void {
  const seen = new Set<string>();
  for (const { name, ns } of attributes) {
    const expanded = `{${ns}}${ns === NS_XMLNS ? name : localNameOf(name)}`;
    if (seen.has(expanded)) throw new ProtocolError(`not well-formed XML: the attribute ${name} twice`);
    seen.add(expanded);
  }
}

/** What cannot be sent in pieces, as texts can. */
function checkLength(text: string, what: string): void {
  if (bytesIn(text) > MAX_PIECE_BYTES)
    throw new ProtocolError(`${what} is too long to be sent: it has more than ${MAX_PIECE_BYTES} bytes`);
}

/** Namespaces in XML 1.0 §3, §5. */
function checkDeclaration(prefix: string, namespace: string): void {
  if (prefix === 'xml' && namespace === NS_XML) return;
  const isReserved = prefix === 'xml' || prefix === 'xmlns' || namespace === NS_XML || namespace === NS_XMLNS;
  if (isReserved || (prefix !== '' && namespace === ''))
    throw new ProtocolError(`not well-formed XML: a namespace that the prefix ${prefix} may not stand for`);
}
