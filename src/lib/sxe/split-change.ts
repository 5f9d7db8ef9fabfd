/**
 * Texts that are too long for one stanza: created with their beginning, and continued by edits that add to the end
 * (XEP-0284 §10.6.2 has `replacefrom` and `replacen` for that).
 */
import type { Change, SetChange } from './edits.js';
import { splitsPair } from './validity.js';

/** Of one text in an edit, in UTF-8 with escapes. Servers take stanzas of 64 KiB at least, and there is more in one. */
export const MAX_PIECE_BYTES = 24_000;

/** A change, or several that do the same one after the other. */
export function splitChange<T extends Change>(change: T, maxBytes = MAX_PIECE_BYTES): [T, ...SetChange[]] {
  if (change.kind === 'remove' || change.chdata === undefined) return [change];
  if (change.chdata.length * 6 <= maxBytes) return [change];
  const [first = '', ...others] = cutText(change.chdata, maxBytes);
  const target = change.kind === 'new' ? change.rid : change.target;
  let at = (change.kind === 'set' ? (change.replaceFrom ?? 0) : 0) + first.length;
  const sets = others.map((chdata): SetChange => {
    const set: SetChange = { kind: 'set', target, chdata, replaceFrom: at, replaceCount: 0 };
    at += chdata.length;
    return set;
  });
  return [{ ...change, chdata: first }, ...sets];
}

/** Divides no character, and no `--`, which a comment may neither have nor end in. */
function cutText(text: string, maxBytes: number): string[] {
  const pieces: string[] = [];
  let start = 0;
  let bytes = 0;
  for (let index = 0; index < text.length; index++) {
    const own = bytesOf(text.charCodeAt(index));
    if (bytes + own > maxBytes && index > start) {
      let end = index;
      if (end - 1 > start && (splitsPair(text, end) || text[end - 1] === '-')) end--;
      pieces.push(text.slice(start, end));
      bytes = bytesIn(text.slice(end, index));
      start = end;
    }
    bytes += own;
  }
  pieces.push(text.slice(start));
  return pieces;
}

/** How long a text is as an attribute, in UTF-8 with escapes. */
export function bytesIn(text: string): number {
  let bytes = 0;
  for (let index = 0; index < text.length; index++) bytes += bytesOf(text.charCodeAt(index));
  return bytes;
}

function bytesOf(code: number): number {
  // & < > " ' and white space have names or numbers.
  if (code < 0x20 || code === 0x22 || code === 0x26 || code === 0x27 || code === 0x3c || code === 0x3e)
    return 6;
  if (code < 0x80) return 1;
  // Half of a pair is half of four bytes.
  return code < 0x800 || (code >= 0xd800 && code < 0xe000) ? 2 : 3;
}
