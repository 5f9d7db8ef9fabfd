/**
 * How one text became another: the pieces that were replaced, as a person would see them, by words.
 */
import { alignSequences } from './align-sequences.js';
import { splitsPair } from './validity.js';

/** `count` code units of the old text from `from` on became `inserted`. */
export interface Hunk {
  from: number;
  count: number;
  inserted: string;
}

/** Ideographs are words of their own; a word keeps its marks; everything else is taken by the character. */
const TOKEN =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]|[\p{L}\p{N}_][\p{L}\p{M}\p{N}_]*|[ \t]+|[^]/gu;
/** How far back the beginning of a word is looked for. */
const MAX_WORD = 100;

/**
 * The changes from one text to another, in order. A word that became another is replaced as a whole, so that the halves
 * of two are not mixed when changes are merged; one that grew or shrank is not. No hunk divides a surrogate pair.
 */
export function diffText(before: string, after: string): Hunk[] {
  const whole = trim({ from: 0, count: before.length, inserted: after }, before, true);
  if (whole.count === 0 && whole.inserted === '') return [];
  if (whole.count === 0 || whole.inserted === '') return [whole];
  const left = before.slice(whole.from, whole.from + whole.count).match(TOKEN) ?? [];
  const right = whole.inserted.match(TOKEN) ?? [];
  const hunks: Hunk[] = [];
  let from = whole.from;
  let [leftAt, rightAt] = [0, 0];
  const end = { left: left.length, right: right.length, length: 0 };
  for (const run of [...alignSequences(left, right), end]) {
    const removed = left.slice(leftAt, run.left).join('');
    const inserted = right.slice(rightAt, run.right).join('');
    const isOneWord = run.left - leftAt === 1 && run.right - rightAt === 1;
    const hunk = { from, count: removed.length, inserted };
    if (removed !== '' || inserted !== '') hunks.push(isOneWord ? withoutGrowth(hunk, before) : hunk);
    from += removed.length;
    for (let at = run.left; at < run.left + run.length; at++) from += left[at]?.length ?? 0;
    leftAt = run.left + run.length;
    rightAt = run.right + run.length;
  }
  return hunks;
}

/** The change as one piece, as small as it can be. */
export function diffOnce(before: string, after: string): Hunk {
  return trim({ from: 0, count: before.length, inserted: after }, before, false);
}

/** A word that only grew or only shrank is told as that. */
function withoutGrowth(hunk: Hunk, text: string): Hunk {
  const trimmed = trim(hunk, text, false);
  return trimmed.count === 0 || trimmed.inserted === '' ? trimmed : hunk;
}

/** Without what is the same at both ends; only whole words are taken off when asked. */
function trim({ from, count, inserted }: Hunk, text: string, byWords: boolean): Hunk {
  const max = Math.min(count, inserted.length);
  const end = from + count;
  let prefix = 0;
  while (prefix < max && text.charCodeAt(from + prefix) === inserted.charCodeAt(prefix)) prefix++;
  if (prefix < count || prefix < inserted.length) {
    if (byWords) {
      const isWhole = (at: number): boolean => !isInsideWord(text, from + at) && !isInsideWord(inserted, at);
      for (let back = 0; back < MAX_WORD && prefix > 0 && !isWhole(prefix); back++) prefix--;
    }
    if (splitsPair(text, from + prefix) || splitsPair(inserted, prefix)) prefix--;
  }
  let suffix = 0;
  while (
    suffix < max - prefix &&
    text.charCodeAt(end - 1 - suffix) === inserted.charCodeAt(inserted.length - 1 - suffix)
  )
    suffix++;
  if (byWords) {
    const isWhole = (at: number): boolean =>
      !isInsideWord(text, end - at) && !isInsideWord(inserted, inserted.length - at);
    for (let back = 0; back < MAX_WORD && suffix > 0 && !isWhole(suffix); back++) suffix--;
  }
  if (suffix > 0 && (splitsPair(text, end - suffix) || splitsPair(inserted, inserted.length - suffix)))
    suffix--;
  return {
    from: from + prefix,
    count: count - prefix - suffix,
    inserted: inserted.slice(prefix, inserted.length - suffix),
  };
}

/** Whether a cut at `at` would go through a word. */
export function isInsideWord(text: string, at: number): boolean {
  return at > 0 && at < text.length && isWordCode(text.charCodeAt(at - 1)) && isWordCode(text.charCodeAt(at));
}

/** Letters, roughly; ideographs stand alone. */
function isWordCode(code: number): boolean {
  if (code >= 0xaa) return code < 0x2000 || (code >= 0xac00 && code < 0xd7b0) || code >= 0xfb00;
  return (
    (code >= 0x61 && code <= 0x7a) ||
    (code >= 0x41 && code <= 0x5a) ||
    (code >= 0x30 && code <= 0x39) ||
    code === 0x5f
  );
}
