/**
 * A light element tree of recorded XML, for looking at and selecting from; never for acting on.
 *
 * The live stream's parser refuses what RFC 6120 forbids. A trace must be shown even so, therefore this one reads
 * what it can and says `undefined` only when there is no element at all.
 */

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

interface OpenElement {
  element: TraceElement;
  scope: NamespaceScope;
}

const markup =
  /<!--[\s\S]*?-->|<!\[CDATA\[([\s\S]*?)\]\]>|<\?[\s\S]*?\?>|<!(?:[^>[]|\[[^\]]*\])*>|<(\/?)([^\s<>/='"]+)([^<>"']*(?:(?:"[^"]*"|'[^']*')[^<>"']*)*)>|[^<]+|</g;
const attribute = /([^\s=<>"'/]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g;

/** Reads the first element of a text. A start tag alone (a stream header) is an element without children. */
export function parseTraceElement(
  text: string,
  scope: NamespaceScope = defaultScope,
): TraceElement | undefined {
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

function readStartTag(qualifiedName: string, rest: string, outer: NamespaceScope): OpenElement {
  const attributes: Record<string, string> = {};
  let scope = outer;
  for (const [, name = '', double, single] of rest.matchAll(attribute)) {
    const value = decodeEntities(double ?? single ?? '');
    attributes[name] = value;
    if (name === 'xmlns') scope = { ...scope, '': value };
    else if (name.startsWith('xmlns:')) scope = { ...scope, [name.slice(6)]: value };
  }
  const colon = qualifiedName.indexOf(':');
  return {
    element: {
      name: qualifiedName.slice(colon + 1),
      namespace: scope[colon < 0 ? '' : qualifiedName.slice(0, colon)] ?? '',
      attributes,
      children: [],
    },
    scope,
  };
}

const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

function decodeEntities(text: string): string {
  if (!text.includes('&')) return text;
  return text.replace(
    /&(?:#(\d+)|#x([\da-f]+)|(\w+));/gi,
    (whole, decimal, hex, name: string | undefined) => {
      if (name !== undefined) return entities[name] ?? whole;
      const code = decimal === undefined ? parseInt(String(hex), 16) : Number(decimal);
      return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
    },
  );
}

/** The child elements, without text. */
export function elementsOf(element: TraceElement): TraceElement[] {
  return element.children.filter((child): child is TraceElement => typeof child !== 'string');
}

/** All the text inside of an element. */
export function textOf(element: TraceElement): string {
  return element.children.map((child) => (typeof child === 'string' ? child : textOf(child))).join('');
}
