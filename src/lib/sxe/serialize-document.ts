/**
 * A tree as XML text. Whatever the records say, what comes out is well-formed: prefixes are declared where they are needed,
 * and changed where they cannot stand for what they should.
 */
import { escapeText, escapeValue } from '../xml/escape.js';
import { localNameOf, NS_XML, NS_XMLNS, prefixOf } from './namespaces.js';
import type { Tree, TreeElement, TreeLeaf, TreeNode } from './tree.js';

type Scope = ReadonlyMap<string, string>;
const OUTERMOST: Scope = new Map([
  ['', ''],
  ['xml', NS_XML],
]);

/** The document with its prolog; nodes beside the root stand on lines of their own. */
export function serializeTree(tree: Tree): string {
  const lines = tree.nodes.map((node) => serializeNode(node));
  const prolog = tree.prolog === '' || tree.prolog.endsWith('\n') ? tree.prolog : `${tree.prolog}\n`;
  return `${prolog}${lines.join('\n')}\n`;
}

/** One node with everything in it. */
export function serializeNode(top: TreeNode): string {
  const pieces: string[] = [];
  /** Nodes still to be written, the next one last, and end tags between them. */
  const open: ({ node: TreeNode; scope: Scope } | string)[] = [{ node: top, scope: OUTERMOST }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next === 'string') {
      pieces.push(next);
      continue;
    }
    const { node, scope } = next;
    if (node.kind !== 'element') {
      pieces.push(serializeLeaf(node));
      continue;
    }
    const { name, attributes, inner } = nameElement(node, scope);
    const isEmpty = node.children.length === 0;
    pieces.push(`<${name}${attributes}${isEmpty ? '/>' : '>'}`);
    if (isEmpty) continue;
    open.push(`</${name}>`);
    for (let index = node.children.length - 1; index >= 0; index--) {
      const child = node.children[index];
      if (child) open.push({ node: child, scope: inner });
    }
  }
  return pieces.join('');
}

function serializeLeaf({ kind, text, target }: TreeLeaf): string {
  if (kind === 'text') return escapeText(text);
  if (kind === 'comment') return `<!--${text}-->`;
  return `<?${target}${text === '' ? '' : ` ${text}`}?>`;
}

/** The names an element and its attributes get, and the declarations they need. */
function nameElement(element: TreeElement, outer: Scope): { name: string; attributes: string; inner: Scope } {
  const declared = new Map<string, string>();
  for (const { name, ns, value } of element.attributes) {
    if (ns === NS_XMLNS) declare(declared, name === 'xmlns' ? '' : localNameOf(name), value);
  }
  const lookUp = (prefix: string): string | undefined => declared.get(prefix) ?? outer.get(prefix);
  const { ns } = element;
  let prefix = prefixOf(element.name);
  if (ns === NS_XML) prefix = 'xml';
  else if (ns === '' || prefix === 'xml') prefix = '';
  if (lookUp(prefix) !== ns) declared.set(prefix, ns);
  const local = localNameOf(element.name);
  const name = prefix === '' ? local : `${prefix}:${local}`;

  const written = new Map<string, string>();
  for (const attribute of element.attributes) {
    if (attribute.ns === NS_XMLNS) continue;
    const attributeName = nameAttribute(attribute.name, attribute.ns, prefix, declared, outer);
    // In no namespace it would be a declaration that nobody has made.
    if (attributeName === 'xmlns') continue;
    if (!written.has(attributeName)) written.set(attributeName, attribute.value);
  }
  if (declared.size === 0 && written.size === 0) return { name, attributes: '', inner: outer };
  let attributes = '';
  for (const [declaredPrefix, namespace] of declared)
    attributes += ` ${declaredPrefix === '' ? 'xmlns' : `xmlns:${declaredPrefix}`}="${escapeValue(namespace)}"`;
  for (const [attributeName, value] of written) attributes += ` ${attributeName}="${escapeValue(value)}"`;
  return { name, attributes, inner: declared.size === 0 ? outer : new Map([...outer, ...declared]) };
}

function nameAttribute(
  name: string,
  ns: string,
  elementPrefix: string,
  declared: Map<string, string>,
  outer: Scope,
): string {
  const local = localNameOf(name);
  if (ns === '') return local;
  if (ns === NS_XML) return `xml:${local}`;
  const lookUp = (candidate: string): string | undefined => declared.get(candidate) ?? outer.get(candidate);
  const own = prefixOf(name);
  const isUsable = own !== '' && own !== 'xml' && own !== 'xmlns';
  if (isUsable && lookUp(own) === ns) return name;
  if (isUsable && own !== elementPrefix && !declared.has(own)) {
    declared.set(own, ns);
    return name;
  }
  for (const [prefix, namespace] of [...declared, ...outer]) {
    if (prefix !== '' && namespace === ns && lookUp(prefix) === ns) return `${prefix}:${local}`;
  }
  let count = 0;
  while (lookUp(`ns${count}`) !== undefined) count++;
  declared.set(`ns${count}`, ns);
  return `ns${count}:${local}`;
}

/** A declaration that a record asks for, when it is one that can be made. */
function declare(declared: Map<string, string>, prefix: string, namespace: string): void {
  if (prefix === 'xml' || prefix === 'xmlns' || namespace === NS_XML || namespace === NS_XMLNS) return;
  if (prefix === '' || namespace !== '') declared.set(prefix, namespace);
}
