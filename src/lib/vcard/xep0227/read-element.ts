/**
 * An element tree from bytes whose well-formedness `DocumentScanner` has checked. As with `parseXml`, names have no
 * prefixes afterwards: an element says its namespace where it differs from its parent's.
 */
import { isAscii } from 'node:buffer';
import { ProtocolError } from '../../errors.js';
import { Element } from '../../xml/element.js';
import { APOSTROPHE, decodeReferences, EQUALS, GREATER, isSpace, LESS, QUOTATION, SLASH } from './markup.js';
import type { Scope } from './namespace-scope.js';

/** What is written from trees calls itself for each level. */
const MAX_DEPTH = 200;
const NS_XML = 'http://www.w3.org/XML/1998/namespace';

interface Open {
  element: Element;
  scope: Scope;
  namespace: string;
}

/**
 * @param scope what is declared outside; an element's namespace is always declared when it is not `inherited`
 * @param inherited the namespace of the element it is going to be put into
 * @throws ProtocolError it is nested too deeply
 */
export function readElement(
  bytes: Buffer,
  start: number,
  end: number,
  scope: Scope,
  inherited: string,
): Element {
  const open: Open[] = [];
  let top: Element | undefined;
  let at = start;
  while (at < end) {
    const current = open.at(-1);
    if (bytes[at] !== LESS) {
      let less = bytes.indexOf(LESS, at);
      if (less < 0 || less > end) less = end;
      if (current) addText(current.element, readText(bytes, at, less));
      at = less;
      continue;
    }
    const next = bytes[at + 1];
    if (next === SLASH) {
      open.pop();
      at = bytes.indexOf(GREATER, at) + 1;
    } else if (next === 0x21 && bytes[at + 2] === 0x5b) {
      const close = bytes.indexOf(']]>', at);
      if (current) addText(current.element, normalizeLines(bytes.toString('utf8', at + 9, close)));
      at = close + 3;
    } else if (next === 0x21) {
      at = bytes.indexOf('-->', at) + 3;
    } else if (next === 0x3f) {
      at = bytes.indexOf('?>', at) + 2;
    } else {
      const tag = readTag(bytes, at);
      const opened = openElement(tag, current?.scope ?? scope, current?.namespace ?? inherited);
      if (current) current.element.cnode(opened.element);
      else top = opened.element;
      if (!tag.isEmpty) open.push(opened);
      if (open.length > MAX_DEPTH) throw new ProtocolError(`elements are nested deeper than ${MAX_DEPTH}`);
      at = tag.end;
    }
  }
  if (!top) throw new ProtocolError('there is no element');
  return top;
}

/** What the tag at `start` declares. */
export function readDeclarations(bytes: Buffer, start: number): Scope {
  return Object.fromEntries(
    readTag(bytes, start).attributes.flatMap(([name, value]) =>
      name === 'xmlns' ? [['', value]] : name.startsWith('xmlns:') ? [[name.slice(6), value]] : [],
    ),
  );
}

interface Tag {
  name: string;
  attributes: [name: string, value: string][];
  isEmpty: boolean;
  end: number;
}

function readTag(bytes: Buffer, start: number): Tag {
  let at = start + 1;
  const nameEnd = skipName(bytes, at);
  const name = bytes.toString('utf8', at, nameEnd);
  const attributes: [string, string][] = [];
  at = nameEnd;
  for (;;) {
    while (isSpace(bytes[at])) at++;
    if (bytes[at] === GREATER) return { name, attributes, isEmpty: false, end: at + 1 };
    if (bytes[at] === SLASH) return { name, attributes, isEmpty: true, end: at + 2 };
    const attributeEnd = skipName(bytes, at);
    const attribute = bytes.toString('utf8', at, attributeEnd);
    at = attributeEnd;
    while (bytes[at] !== QUOTATION && bytes[at] !== APOSTROPHE) at++;
    const quote = bytes[at] ?? 0;
    const close = bytes.indexOf(quote, at + 1);
    const raw = bytes.toString('utf8', at + 1, close);
    const value = /[\t\n\r]/.test(raw) ? raw.replace(/\r\n|[\t\n\r]/g, ' ') : raw;
    attributes.push([attribute, value.includes('&') ? decodeReferences(value) : value]);
    at = close + 1;
  }
}

function skipName(bytes: Buffer, start: number): number {
  let at = start;
  for (;;) {
    const byte = bytes[at];
    if (byte === EQUALS || byte === GREATER || byte === SLASH || byte === undefined || isSpace(byte))
      return at;
    at++;
  }
}

function openElement(tag: Tag, outer: Scope, inherited: string): Open {
  let scope = outer;
  for (const [name, value] of tag.attributes) {
    if (name === 'xmlns') scope = { ...scope, '': value };
    else if (name.startsWith('xmlns:')) scope = { ...scope, [name.slice(6)]: value };
  }
  const colon = tag.name.indexOf(':');
  const namespace = scope[colon < 0 ? '' : tag.name.slice(0, colon)] ?? '';
  const element = new Element(tag.name.slice(colon + 1));
  if (namespace !== inherited) element.attrs['xmlns'] = namespace;
  for (const [name, value] of tag.attributes) {
    if (name === 'xmlns' || name.startsWith('xmlns:')) continue;
    const at = name.indexOf(':');
    const prefix = name.slice(0, Math.max(at, 0));
    const uri = scope[prefix];
    if (at > 0 && prefix !== 'xml' && uri !== undefined && uri !== NS_XML)
      element.attrs[`xmlns:${prefix}`] = uri;
    element.attrs[name] = value;
  }
  return { element, scope, namespace };
}

/** Long text is base64, nearly always, and that is copied faster as ASCII than it is decoded. */
const LONG_TEXT = 256;

function readText(bytes: Buffer, start: number, end: number): string {
  const raw =
    end - start > LONG_TEXT && isAscii(bytes.subarray(start, end))
      ? bytes.toString('latin1', start, end)
      : bytes.toString('utf8', start, end);
  const text = raw.includes('\r') ? normalizeLines(raw) : raw;
  return text.includes('&') ? decodeReferences(text) : text;
}

function normalizeLines(text: string): string {
  return text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text;
}

/** One text for text in several pieces: a tree with one is easier to work with. */
function addText(element: Element, text: string): void {
  if (text === '') return;
  const last = element.children.at(-1);
  if (typeof last === 'string') element.children[element.children.length - 1] = last + text;
  else element.t(text);
}
