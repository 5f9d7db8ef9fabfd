/**
 * What the scanner of whole files and the reader of single elements share: names, references and white space of XML
 * 1.0, looked at as bytes of UTF-8.
 */
import { resolveReference } from '../../xml/characters.js';
import { isQualifiedName } from '../../xml/names.js';

export const LESS = 0x3c;
export const GREATER = 0x3e;
export const SLASH = 0x2f;
export const EQUALS = 0x3d;
export const QUOTATION = 0x22;
export const APOSTROPHE = 0x27;
export const AMPERSAND = 0x26;
export const SEMICOLON = 0x3b;
export const COLON = 0x3a;
export const EXCLAMATION = 0x21;
export const QUESTION = 0x3f;

const NOT_A_NAME = 0;
const LATER_IN_NAME = 1;
const ANYWHERE_IN_NAME = 2;
const LOOK_CLOSELY = 3;

/** What each byte may be in a name: letters and `_` anywhere, digits, `-` and `.` later, colons and the rest looked at closely. */
const nameBytes = new Uint8Array(256).fill(NOT_A_NAME);
for (let code = 0x80; code < 0x100; code++) nameBytes[code] = LOOK_CLOSELY;
for (const character of 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_')
  nameBytes[character.charCodeAt(0)] = ANYWHERE_IN_NAME;
for (const character of '0123456789-.') nameBytes[character.charCodeAt(0)] = LATER_IN_NAME;
nameBytes[COLON] = LOOK_CLOSELY;

export function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

/** Returns where the name that begins at `start` ends, `end` when it may go on there; -1 when there is none. */
export function findNameEnd(bytes: Buffer, start: number, end: number): number {
  let at = start;
  let isPlain = true;
  for (; at < end; at++) {
    const kind = nameBytes[bytes[at] ?? 0];
    if (kind === ANYWHERE_IN_NAME || (kind === LATER_IN_NAME && at > start)) continue;
    if (kind !== LOOK_CLOSELY) break;
    isPlain = false;
  }
  if (at === end) return end;
  if (at === start) return -1;
  return isPlain || isQualifiedName(bytes.toString('utf8', start, at)) ? at : -1;
}

/** `&#x0010FFFF;` is as long as a reference gets without being silly. */
export const MAX_REFERENCE_LENGTH = 14;

/** Text whose references have been checked already. */
export function decodeReferences(raw: string): string {
  return raw.replace(/&([^;]*);/g, (reference, name: string) => resolveReference(name) ?? reference);
}
