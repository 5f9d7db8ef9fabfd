/** Whether recorded XML is well-formed, and has nothing in it that RFC 6120 §11.1 forbids. The reader of traces bears both. */
import { findForbiddenCharacter } from '../xml/characters.js';

export interface XmlFault {
  code: 'xml.malformed' | 'xml.restricted';
  what: string;
}

const token =
  /<!--[\s\S]*?(?:-->|$)|<!\[CDATA\[[\s\S]*?(?:\]\]>|$)|<\?[\s\S]*?(?:\?>|$)|<!(?:[^>[]|\[[^\]]*(?:\]|$))*(?:>|$)|<(\/?)([^\s<>/='"]+)([^<>"']*(?:(?:"[^"]*"|'[^']*')[^<>"']*)*)>|[^<]+|</g;
const attribute = /\s+([^\s=<>"'/]+)\s*=\s*(?:"([^"<]*)"|'([^'<]*)')/gy;
const reference = /&(?!(?:lt|gt|amp|quot|apos|#\d+|#x[\da-fA-F]+);)/;
const name = /^[\p{L}_][\p{L}\p{N}\p{M}_.·-]*(?::[\p{L}_][\p{L}\p{N}\p{M}_.·-]*)?$/u;
const plainName = /^[a-zA-Z_][a-zA-Z0-9_.-]*(?::[a-zA-Z_][a-zA-Z0-9_.-]*)?$/;

/**
 * The first fault of a unit, or undefined.
 * @param prefixes those that its stream declared
 * @param isOpen the unit is a stream header: a start tag that ends later, behind an XML declaration
 */
export function findXmlFault(
  text: string,
  prefixes: ReadonlySet<string>,
  isOpen = false,
): XmlFault | undefined {
  const open: { name: string; declares: ReadonlySet<string> }[] = [];
  /** How often a prefix is declared by what is open. */
  const declared = new Map<string, number>();
  const malformed = (what: string): XmlFault => ({ code: 'xml.malformed', what });
  const bad = findForbiddenCharacter(text);
  if (bad) return malformed(`the character ${bad.codePoint}`);
  for (const [whole, slash, tagName, rest = ''] of text.matchAll(token)) {
    if (tagName === undefined) {
      if (whole === '<') return malformed('a tag that is none');
      if (whole.startsWith('<?xml ') && isOpen) continue;
      if (whole.startsWith('<![CDATA[')) continue;
      if (whole.startsWith('<')) return { code: 'xml.restricted', what: kindOfMarkup(whole) };
      if (reference.test(whole)) return restrictedEntity(whole);
      if (whole.includes(']]>')) return malformed(']]> in text');
      continue;
    }
    if (slash === '/') {
      const top = open.pop();
      if (top?.name !== tagName)
        return malformed(`</${tagName}> where ${top ? `</${top.name}>` : 'nothing'} is open`);
      for (const prefix of top.declares) declared.set(prefix, (declared.get(prefix) ?? 1) - 1);
      continue;
    }
    if (!plainName.test(tagName) && !name.test(tagName)) return malformed(`the name ${tagName}`);
    const tag = readAttributes(tagName, rest);
    if ('what' in tag) return malformed(tag.what);
    const isKnown = (prefix: string): boolean =>
      tag.declares.has(prefix) || prefixes.has(prefix) || (declared.get(prefix) ?? 0) > 0;
    const unknown = [...tag.prefixes].find((prefix) => !isKnown(prefix));
    if (unknown !== undefined) return malformed(`the prefix ${unknown} is not declared`);
    if (tag.entity !== undefined) return restrictedEntity(tag.entity);
    if (rest.endsWith('/')) continue;
    open.push({ name: tagName, declares: tag.declares });
    for (const prefix of tag.declares) declared.set(prefix, (declared.get(prefix) ?? 0) + 1);
  }
  const left = open.at(-1);
  return left !== undefined && !isOpen ? malformed(`<${left.name}> is not closed`) : undefined;
}

interface TagParts {
  /** Prefixes it uses. */
  prefixes: Set<string>;
  declares: Set<string>;
  /** A value with a reference that is none of the five. */
  entity: string | undefined;
}

function readAttributes(tagName: string, rest: string): TagParts | { what: string } {
  const parts: TagParts = { prefixes: new Set(), declares: new Set(), entity: undefined };
  notePrefix(tagName, parts);
  if (!rest.includes('=')) return /^\s*\/?$/.test(rest) ? parts : { what: `the attributes of <${tagName}>` };
  const names = new Set<string>();
  let end = 0;
  for (const [whole, key = '', double, single] of rest.matchAll(attribute)) {
    end += whole.length;
    if (names.has(key)) return { what: `the attribute ${key} twice in <${tagName}>` };
    names.add(key);
    if (!plainName.test(key) && !name.test(key)) return { what: `the name ${key}` };
    const value = double ?? single ?? '';
    if (value.includes('&') && reference.test(value)) parts.entity = value;
    if (key.startsWith('xmlns:')) parts.declares.add(key.slice(6));
    else notePrefix(key, parts);
  }
  return /^\s*\/?$/.test(rest.slice(end)) ? parts : { what: `the attributes of <${tagName}>` };
}

function notePrefix(qualified: string, parts: TagParts): void {
  const colon = qualified.indexOf(':');
  if (colon <= 0) return;
  const prefix = qualified.slice(0, colon);
  if (prefix !== 'xml') parts.prefixes.add(prefix);
}

function restrictedEntity(text: string): XmlFault {
  const entity = /&[^\s;&]{1,40};/.exec(text.slice(text.search(reference)))?.[0];
  return entity === undefined
    ? { code: 'xml.malformed', what: 'an & that begins no reference' }
    : { code: 'xml.restricted', what: `the entity ${entity}` };
}

function kindOfMarkup(text: string): string {
  if (text.startsWith('<!--')) return 'a comment';
  return text.startsWith('<?') ? 'a processing instruction' : 'a document type declaration';
}
