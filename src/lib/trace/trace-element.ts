/**
 * A light element tree of recorded XML, for looking at and selecting from; never for acting on.
 *
 * The live stream's parser refuses what RFC 6120 forbids. A trace must be shown even so, therefore this one reads
 * what it can and says `undefined` only when there is no element at all.
 */
import { readPlainElement } from './plain-element.js';

export interface TraceElement {
  /** Local name, without prefix. */
  name: string;
  namespace: string;
  /** By name as written, with namespace declarations. */
  attributes: Readonly<Record<string, string>>;
  children: (TraceElement | string)[];
}

/** Namespaces in force: prefix → namespace; the default one under `''`. */
export type NamespaceScope = Readonly<Record<string, string>>;

export const NS_STREAM = 'http://etherx.jabber.org/streams';
export const NS_CLIENT = 'jabber:client';

/** What holds where a stream's header was not recorded. */
export const defaultScope: NamespaceScope = {
  '': NS_CLIENT,
  stream: NS_STREAM,
  xml: 'http://www.w3.org/XML/1998/namespace',
};

export interface OpenElement {
  element: TraceElement;
  scope: NamespaceScope;
}

/** The pieces of XML text; of a tag: whether it ends an element, its name, and what is behind that. */
export const markup =
  /<!--[\s\S]*?(?:-->|$)|<!\[CDATA\[([\s\S]*?)(?:\]\]>|$)|<\?[\s\S]*?(?:\?>|$)|<!(?:[^>[]|\[[^\]]*(?:\]|$))*(?:>|$)|<(\/?)([^\s<>/='"]+)([^<>"']*(?:(?:"[^"]*"|'[^']*')[^<>"']*)*)>|[^<]+|</g;
const attribute = /([^\s=<>"'/]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g;

/** Reads the first element of a text. A start tag alone (a stream header) is an element without children. */
export function parseTraceElement(
  text: string,
  scope: NamespaceScope = defaultScope,
): TraceElement | undefined {
  return readPlainElement(text, scope, false) ?? readAnyElement(text, scope);
}

/** The long way, which bears whatever was recorded. */
export function readAnyElement(text: string, scope: NamespaceScope): TraceElement | undefined {
  let root: TraceElement | undefined;
  const open: OpenElement[] = [];
  for (const [whole, cdata, slash, name, rest = ''] of text.matchAll(markup)) {
    const parent = open.at(-1);
    if (name === undefined) {
      if (cdata !== undefined) parent?.element.children.push(cdata);
      else if (!whole.startsWith('<') || whole === '<') parent?.element.children.push(decodeEntities(whole));
      continue;
    }
    if (slash === '/') {
      open.pop();
      if (open.length === 0) break;
      continue;
    }
    const { element, scope: own } = readStartTag(name, rest, parent?.scope ?? scope);
    if (root === undefined) root = element;
    else parent?.element.children.push(element);
    if (rest.endsWith('/')) {
      if (open.length === 0) break;
    } else open.push({ element, scope: own });
  }
  return root;
}

/** The namespaces that a stream header puts in force for its stanzas. */
export function scopeOfHeader(text: string): NamespaceScope {
  const header = /<([^\s<>/='"?!]+)([^<>"']*(?:(?:"[^"]*"|'[^']*')[^<>"']*)*)>/.exec(text);
  return header?.[1] === undefined
    ? defaultScope
    : readStartTag(header[1], header[2] ?? '', defaultScope).scope;
}

/** Reads a start tag, given its name and what is behind that. */
export function readStartTag(qualifiedName: string, rest: string, outer: NamespaceScope): OpenElement {
  const attributes: Record<string, string> = {};
  let own: Record<string, string> | undefined;
  for (const [, name = '', double, single] of rest.matchAll(attribute)) {
    const value = decodeEntities(double ?? single ?? '');
    attributes[name] = value;
    if (name !== 'xmlns' && !name.startsWith('xmlns:')) continue;
    // Copied once, however many it declares.
    own ??= { ...outer };
    own[name.slice(6)] = value;
  }
  const scope: NamespaceScope = own ?? outer;
  const colon = qualifiedName.indexOf(':');
  return {
    element: {
      name: qualifiedName.slice(colon + 1),
      namespace: namespaceOf(scope, colon < 0 ? '' : qualifiedName.slice(0, colon)),
      attributes,
      children: [],
    },
    scope,
  };
}

const entities: ReadonlyMap<string, string> = new Map([
  ['lt', '<'],
  ['gt', '>'],
  ['amp', '&'],
  ['quot', '"'],
  ['apos', "'"],
]);

/** Text as it is meant; references that are none stay. */
export function decodeEntities(text: string): string {
  if (!text.includes('&')) return text;
  return text.replace(
    /&(?:#(\d+)|#x([\da-f]+)|(\w+));/gi,
    (whole, decimal, hex, name: string | undefined) => {
      if (name !== undefined) return entities.get(name) ?? whole;
      const code = decimal === undefined ? parseInt(String(hex), 16) : Number(decimal);
      return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
    },
  );
}

/** What a prefix means; nothing for one that is not declared, be it called `constructor`, as every object has it. */
export function namespaceOf(scope: NamespaceScope, prefix: string): string {
  return prefix === '' || Object.hasOwn(scope, prefix) ? (scope[prefix] ?? '') : '';
}

/** The value of an attribute of whatever name: what every object has, as `constructor`, is none. */
export function attributeOf(
  { attributes }: Pick<TraceElement, 'attributes'>,
  name: string,
): string | undefined {
  return Object.hasOwn(attributes, name) ? attributes[name] : undefined;
}

/** The child elements, without text. */
export function elementsOf(element: TraceElement): TraceElement[] {
  return element.children.filter((child): child is TraceElement => typeof child !== 'string');
}

/** All the text inside of an element, however deep: what was recorded may be nested to hurt. */
export function textOf(element: TraceElement): string {
  let text = '';
  const open = [{ children: element.children, next: 0 }];
  for (let level = open.at(-1); level !== undefined; level = open.at(-1)) {
    const child = level.children[level.next];
    level.next += 1;
    if (child === undefined) open.pop();
    else if (typeof child === 'string') text += child;
    else open.push({ children: child.children, next: 0 });
  }
  return text;
}

/** An element and those inside of it, in the order of the document. */
export function* walkElements(element: TraceElement): Generator<TraceElement, void, undefined> {
  const waiting = [element];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    yield next;
    const { children } = next;
    for (let index = children.length - 1; index >= 0; index -= 1) {
      const child = children[index];
      if (typeof child === 'object') waiting.push(child);
    }
  }
}
