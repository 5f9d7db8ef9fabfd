/**
 * XML from a user or a file, as an element tree. Strict and bounded: no DTD, no entities but the five, no processing
 * instructions, limits on size, depth and attributes.
 */
import { SaxesParser, type SaxesTagNS } from 'saxes';
import { DecodeError, ProtocolError, UsageError } from '../errors.js';
import { Element } from './element.js';

export interface ParseLimits {
  /** Characters of the whole text; 16 Mi unless given. */
  maxLength?: number;
  /** 200 unless given; saxes takes quadratic time in depth. */
  maxDepth?: number;
  /** Of one element; 200 unless given. */
  maxAttributes?: number;
  /** The namespace of elements that declare none; a stanza typed by hand is in `jabber:client`. */
  defaultNamespace?: string;
}

/**
 * The elements of a text that may hold several, one after the other, with white space between them.
 *
 * Prefixes are resolved: names have none, and an element says its namespace by an `xmlns` attribute where it differs
 * from its parent's.
 * @throws ProtocolError it is not well-formed, or beyond the limits
 */
export function parseXmlFragments(text: string, limits: ParseLimits = {}): Element[] {
  const { maxLength = 16 * 1024 * 1024, maxDepth = 200, maxAttributes = 200, defaultNamespace } = limits;
  if (text.length > maxLength) throw new ProtocolError(`the XML is longer than ${maxLength} characters`);
  const tops: Element[] = [];
  let current: Element | undefined;
  let depth = 0;
  const add = (data: string): void => {
    if (current) appendText(current, data);
    else if (data.trim() !== '')
      throw new ProtocolError(`text outside of an element: ${data.trim().slice(0, 40)}`);
  };
  const parser = new SaxesParser({
    xmlns: true,
    // A document type declaration is an error inside a fragment, so there are no entities but the five.
    fragment: true,
    ...(defaultNamespace !== undefined && { additionalNamespaces: { '': defaultNamespace } }),
  });
  parser.on('error', (error) => {
    // saxes says `1:7: text`, with an undefined position in a fragment now and then.
    throw new ProtocolError(`not well-formed XML: ${error.message.replace(/^undefined:/, '')}`);
  });
  parser.on('processinginstruction', () => {
    throw new ProtocolError('a processing instruction is not allowed in XMPP (RFC 6120 §11.1)');
  });
  parser.on('opentag', (tag) => {
    depth += 1;
    if (depth > maxDepth) throw new ProtocolError(`elements are nested deeper than ${maxDepth}`);
    if (Object.keys(tag.attributes).length > maxAttributes)
      throw new ProtocolError(`<${tag.local}/> has more than ${maxAttributes} attributes`);
    const element = elementFromTag(tag, current?.getNS());
    if (current) current.cnode(element);
    else tops.push(element);
    current = element;
  });
  parser.on('text', add);
  parser.on('cdata', add);
  parser.on('closetag', () => {
    depth -= 1;
    current = current?.parent ?? undefined;
  });
  parser.write(text).close();
  if (current) throw new ProtocolError(`not well-formed XML: <${current.getName()}> is never closed`);
  return tops;
}

/**
 * Exactly one element.
 * @throws ProtocolError it is not well-formed, beyond the limits, or not exactly one element
 */
export function parseXml(text: string, limits: ParseLimits = {}): Element {
  const [first, second] = parseXmlFragments(text, limits);
  if (!first) throw new ProtocolError('there is no XML element in it');
  if (second) throw new ProtocolError(`one element is expected, and <${second.getName()}/> follows it`);
  return first;
}

/** What a user typed: the same complaints, as a UsageError. */
export function parseTypedXml(text: string, limits: ParseLimits = {}): Element[] {
  try {
    return parseXmlFragments(text, limits);
  } catch (error) {
    if (!(error instanceof ProtocolError) || error instanceof DecodeError) throw error;
    throw new UsageError(error.message, { cause: error });
  }
}

function elementFromTag(tag: SaxesTagNS, inheritedNamespace: string | undefined): Element {
  const element = new Element(tag.local);
  if (tag.uri !== (inheritedNamespace ?? '')) element.attrs['xmlns'] = tag.uri;
  for (const { name, prefix, local, uri, value } of Object.values(tag.attributes)) {
    if (prefix === 'xmlns' || name === 'xmlns') continue;
    if (prefix !== '' && prefix !== 'xml') element.attrs[`xmlns:${prefix}`] = uri;
    element.attrs[prefix === '' ? local : `${prefix}:${local}`] = value;
  }
  return element;
}

/** saxes hands out text in pieces; a tree with one piece is easier to work with. */
function appendText(element: Element, data: string): void {
  const last = element.children.at(-1);
  if (typeof last === 'string') element.children[element.children.length - 1] = last + data;
  else element.t(data);
}
