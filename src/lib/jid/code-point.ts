/** How a code point is shown to people who have to find it. */
import { hasProperty } from './unicode-property.js';

/** Names of the characters that cannot be seen, or are not what they look like. */
const names: Readonly<Record<number, string>> = {
  0x09: 'TAB',
  0x0a: 'LINE FEED',
  0x0d: 'CARRIAGE RETURN',
  0x20: 'SPACE',
  0xa0: 'NO-BREAK SPACE',
  0xad: 'SOFT HYPHEN',
  0x34f: 'COMBINING GRAPHEME JOINER',
  0x61c: 'ARABIC LETTER MARK',
  0x115f: 'HANGUL CHOSEONG FILLER',
  0x1160: 'HANGUL JUNGSEONG FILLER',
  0x1680: 'OGHAM SPACE MARK',
  0x180e: 'MONGOLIAN VOWEL SEPARATOR',
  0x200b: 'ZERO WIDTH SPACE',
  0x200c: 'ZERO WIDTH NON-JOINER',
  0x200d: 'ZERO WIDTH JOINER',
  0x200e: 'LEFT-TO-RIGHT MARK',
  0x200f: 'RIGHT-TO-LEFT MARK',
  0x2028: 'LINE SEPARATOR',
  0x2029: 'PARAGRAPH SEPARATOR',
  0x202a: 'LEFT-TO-RIGHT EMBEDDING',
  0x202b: 'RIGHT-TO-LEFT EMBEDDING',
  0x202c: 'POP DIRECTIONAL FORMATTING',
  0x202d: 'LEFT-TO-RIGHT OVERRIDE',
  0x202e: 'RIGHT-TO-LEFT OVERRIDE',
  0x202f: 'NARROW NO-BREAK SPACE',
  0x2060: 'WORD JOINER',
  0x2066: 'LEFT-TO-RIGHT ISOLATE',
  0x2067: 'RIGHT-TO-LEFT ISOLATE',
  0x2068: 'FIRST STRONG ISOLATE',
  0x2069: 'POP DIRECTIONAL ISOLATE',
  0x3000: 'IDEOGRAPHIC SPACE',
  0x3164: 'HANGUL FILLER',
  0xfeff: 'ZERO WIDTH NO-BREAK SPACE',
  0xffa0: 'HALFWIDTH HANGUL FILLER',
};

/** `U+0020` */
export function formatCodePoint(codePoint: number): string {
  return `U+${codePoint.toString(16).toUpperCase().padStart(4, '0')}`;
}

/** `U+0020 SPACE`, or `U+00E9 “é”` for a character that can be shown. */
export function describeCodePoint(codePoint: number): string {
  const name = names[codePoint];
  const format = formatCodePoint(codePoint);
  if (name !== undefined) return `${format} ${name}`;
  const character = String.fromCodePoint(codePoint);
  if (isInvisible(character)) return format;
  return hasProperty(character, 'M') ? `${format} “\u25cc${character}”` : `${format} “${character}”`;
}

/** No glyph of its own, or a change of direction: controls, format characters, spaces but U+0020, private use, surrogates. */
export function isInvisible(character: string): boolean {
  if (/^[ -~]/.test(character)) return false;
  return hasProperty(character, 'C', 'Z', 'Default_Ignorable_Code_Point');
}

/** A text as one line for an error message: what cannot be seen is written as `<U+200B>`, and long texts are cut. Safe for a terminal. */
export function showText(text: string, maxLength = 1000): string {
  let shown = '';
  for (const character of text) {
    if (shown.length >= maxLength) return `${shown}…`;
    shown += isInvisible(character) ? `<${formatCodePoint(character.codePointAt(0) ?? 0)}>` : character;
  }
  return shown;
}
