/**
 * XEP-0106: JID Escaping, version 1.1.1.
 *
 * Not here: the decoding of foreign addresses (mailto:, sip:, LDAP), and the service discovery feature, which is for
 * gateways. Nothing in this program escapes or unescapes on its own: two addresses are compared as they are (§4.1).
 */
import { UsageError } from '../errors.js';

/** The characters that a localpart may not contain; the backslash is escaped only where it would be misread. */
const escapes: Readonly<Record<string, string>> = {
  ' ': '\\20',
  '"': '\\22',
  '&': '\\26',
  "'": '\\27',
  '/': '\\2f',
  ':': '\\3a',
  '<': '\\3c',
  '>': '\\3e',
  '@': '\\40',
  '\\': '\\5c',
};

const characters: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(escapes).map(([character, escape]) => [escape, character]),
);

const toEscape = /[ "&'/:<>@]|\\(?=20|22|26|27|2f|3a|3c|3e|40|5c)/g;
const toUnescape = /\\(?:20|22|26|27|2f|3a|3c|3e|40|5c)/g;

/**
 * A name from elsewhere as a localpart: `d'artagnan` becomes `d\27artagnan`.
 * @throws UsageError for a space at the beginning or the end, which XEP-0106 §4.1 does not allow to be escaped
 */
export function escapeLocalpart(name: string): string {
  if (name.startsWith(' ') || name.endsWith(' '))
    throw new UsageError('a localpart can have no space at its beginning or end, not even an escaped one', {
      hint: 'leave the space out',
    });
  return name.replace(toEscape, (character) => escapes[character] ?? character);
}

/**
 * An escaped localpart as people read it: `d\27artagnan` becomes `d'artagnan`. For display, never for comparing or sending.
 * Sequences that escape nothing, and a `\20` at the beginning or end, which no conforming sender writes, stay as they are.
 */
export function unescapeLocalpart(localpart: string): string {
  return localpart.replace(toUnescape, (escape, offset: number) => {
    const isAtEdge = offset === 0 || offset + escape.length === localpart.length;
    return escape === '\\20' && isAtEdge ? escape : (characters[escape] ?? escape);
  });
}
