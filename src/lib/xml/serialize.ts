/**
 * Elements as XML text, checked on the way out: RFC 6120 §11.5 wants well-formed XML, and one bad character would end
 * the whole stream.
 */
import { UsageError } from '../errors.js';
import { findForbiddenCharacter } from './characters.js';
import type { Element } from './element.js';
import { escapeText, escapeValue } from './escape.js';
import { isQualifiedName } from './names.js';

/** Control characters and anything that could be half of a surrogate pair: the rare case, looked at closely. */
const SUSPICIOUS = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd]/;
/** Names seen to be good: there are few, and they come again and again. */
const goodNames = new Set<string>();
const MAX_GOOD_NAMES = 2000;

/**
 * The element as XML text: what XML forbids (control characters, lone surrogates, names that are none) is refused.
 *
 * @throws UsageError naming the element and the character
 */
export function serialize(element: Element): string {
  const name = checkName(element.name);
  let text = `<${name}`;
  // A tree built by hand may hold numbers, or nothing at all, as ltx allows.
  const attrs = element.attrs as Record<string, string | number | null | undefined>;
  for (const key in attrs) {
    const value = attrs[key];
    if (value === undefined || value === null) continue;
    const string = typeof value === 'string' ? value : String(value);
    if (SUSPICIOUS.test(string)) checkCharacters(string, `the attribute ${key} of <${name}/>`);
    text += ` ${checkName(key)}="${escapeValue(string)}"`;
  }
  const children = element.children as readonly (Element | string | number | null | undefined)[];
  if (children.length === 0) return `${text}/>`;
  text += '>';
  for (const child of children) {
    if (typeof child === 'object') {
      if (child) text += serialize(child);
      continue;
    }
    const string = String(child ?? '');
    if (SUSPICIOUS.test(string)) checkCharacters(string, `<${name}/>`);
    text += escapeText(string);
  }
  return `${text}</${name}>`;
}

function checkCharacters(text: string, where: string): void {
  const found = findForbiddenCharacter(text);
  if (!found) return;
  throw new UsageError(`${where} contains ${found.codePoint}, which XML cannot carry`, {
    hint: 'leave out control characters and halves of surrogate pairs',
    details: { codePoint: found.codePoint, index: found.index },
  });
}

function checkName(name: string): string {
  if (goodNames.has(name)) return name;
  if (!isQualifiedName(name))
    throw new UsageError(`${JSON.stringify(name.slice(0, 80))} is not a name in XML`);
  if (goodNames.size < MAX_GOOD_NAMES) goodNames.add(name);
  return name;
}
