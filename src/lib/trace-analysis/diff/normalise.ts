/** A stanza without what differs from one login to the next: ids, times, nonces, resources, whose account it was and where. */
import { elementsOf, NS_STREAM, type TraceElement } from '../../trace/trace-element.js';
import { isDate } from '../anonymise/vocabulary.js';
import { NS_SASL, NS_SASL2 } from '../namespaces.js';

/** An element as it is compared. */
export interface Normal {
  name: string;
  namespace: string;
  attributes: Readonly<Record<string, string>>;
  text: string;
  children: Normal[];
  /** Equal for equal elements. */
  canonical: string;
}

/** Whose stream it was. */
export interface Self {
  bare: string | undefined;
  domain: string | undefined;
}

/** Attributes that name something within one login. */
export const idAttributes: ReadonlySet<string> = new Set([
  'id',
  'sid',
  'previd',
  'cid',
  'uid',
  'rid',
  'tid',
  'h',
  'dstaddr',
  'sessionid',
]);
export const jidAttributes: ReadonlySet<string> = new Set([
  'from',
  'to',
  'jid',
  'by',
  'initiator',
  'responder',
]);
const unorderedQueries = new Set([
  'http://jabber.org/protocol/disco#info',
  'http://jabber.org/protocol/disco#items',
  'jabber:iq:roster',
]);

/** What is nested deeper is not compared. */
const maxDepth = 200;

export function normalise(element: TraceElement, self: Self, depth = 0): Normal {
  const { name, namespace } = element;
  const attributes: Record<string, string> = {};
  for (const [key, value] of Object.entries(element.attributes)) {
    if (key !== 'xmlns' && !key.startsWith('xmlns:')) attributes[key] = normaliseAttribute(key, value, self);
  }
  const children =
    depth < maxDepth ? elementsOf(element).map((child) => normalise(child, self, depth + 1)) : [];
  if (isUnordered(element)) children.sort((a, b) => compareText(a.canonical, b.canonical));
  const text = normaliseText(element, self);
  const sorted = Object.entries(attributes).sort(([a], [b]) => compareText(a, b));
  const canonical = JSON.stringify([namespace, name, sorted, text, children.map((child) => child.canonical)]);
  return {
    name,
    namespace,
    attributes,
    text,
    children,
    // Nested quotes would double with each level.
    canonical: canonical.length > 200 ? `${canonical.length} ${hashText(canonical)}` : canonical,
  };
}

function normaliseAttribute(key: string, value: string, self: Self): string {
  if (idAttributes.has(key)) return '{id}';
  const plain = normaliseValue(value, self);
  return jidAttributes.has(key) ? plain.replace(/\/.*$/s, '/{resource}') : plain;
}

function normaliseText(element: TraceElement, self: Self): string {
  const own = element.children.filter((child) => typeof child === 'string').join('');
  const text = own.trim();
  if (text === '') return '';
  const { namespace, name } = element;
  if (name !== 'mechanism' && (namespace === NS_SASL || namespace === NS_SASL2)) return '{sasl}';
  const plain = normaliseValue(text, self);
  return /^(\{self\}|[^\s/]*\{domain\})\/\S+$/.test(plain) ? plain.replace(/\/.*$/s, '/{resource}') : plain;
}

function normaliseValue(value: string, { bare, domain }: Self): string {
  if (value.length > 9 && isDate(value)) return '{time}';
  let plain = value;
  if (bare !== undefined) plain = plain.replaceAll(bare, '{self}');
  if (domain !== undefined) plain = plain.replaceAll(domain, '{domain}');
  return plain;
}

/** Where order means nothing. */
function isUnordered({ name, namespace }: TraceElement): boolean {
  return (
    (namespace === NS_STREAM && name === 'features') ||
    name === 'mechanisms' ||
    name === 'authentication' ||
    name === 'inline' ||
    (name === 'query' && unorderedQueries.has(namespace))
  );
}

export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** 53 bits are enough to tell the elements of two files apart. */
function hashText(text: string): string {
  let [high, low] = [0xdeadbeef, 0x41c6ce57];
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    high = Math.imul(high ^ code, 2654435761);
    low = Math.imul(low ^ code, 1597334677);
  }
  return `${(high >>> 0).toString(36)}${(low >>> 0).toString(36)}`;
}
