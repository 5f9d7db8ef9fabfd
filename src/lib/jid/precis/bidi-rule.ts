/** The Bidi Rule: texts that run from right to left keep their shape when they are put beside others (RFC 5893 §2). */
import type { Violation } from '../violation.js';
import { hasProperty } from '../unicode-property.js';

/**
 * R also stands for AL, which the rule never tells apart; ON for every class that the rule allows anywhere but at the ends.
 */
type BidiClass = 'L' | 'R' | 'EN' | 'AN' | 'NSM' | 'ON';

/** Letters whose Bidi_Class is ON (Unicode 17): modifier letters that look like accents. */
const neutralLetters = /[\u02b9\u02ba\u02c6-\u02cf\u02ec\u2e2f\ua67f\ua717-\ua71f\ua788]/u;

/**
 * The Bidi_Class, of the characters that IdentifierClass and U-labels may contain.
 *
 * JavaScript has no such property. For these characters it follows from the general category and from the
 * blocks that Unicode reserves for scripts that run from right to left (UAX #9, DerivedBidiClass.txt).
 */
function bidiClassOf(codePoint: number): BidiClass {
  if (codePoint < 0x80) {
    if (codePoint >= 0x30 && codePoint <= 0x39) return 'EN';
    return /[a-z]/i.test(String.fromCharCode(codePoint)) ? 'L' : 'ON';
  }
  if ((codePoint >= 0x5d0 && codePoint <= 0x5ea) || (codePoint >= 0x621 && codePoint <= 0x64a)) return 'R';
  const character = String.fromCodePoint(codePoint);
  if (hasProperty(character, 'Mn', 'Me')) return isSpacingMn(codePoint) ? 'L' : 'NSM';
  if (codePoint >= 0x6f0 && codePoint <= 0x6f9) return 'EN';
  if ((codePoint >= 0x660 && codePoint <= 0x669) || (codePoint >= 0x10d30 && codePoint <= 0x10d49))
    return 'AN';
  if (neutralLetters.test(character)) return 'ON';
  if (isRightToLeftBlock(codePoint)) return hasProperty(character, 'L', 'N', 'P') ? 'R' : 'ON';
  return hasProperty(character, 'L', 'N', 'Mc') ? 'L' : 'ON';
}

/** Marks of general category Mn that take room all the same. */
function isSpacingMn(codePoint: number): boolean {
  return [0xcbf, 0xcc6, 0x11a07, 0x11a08, 0x11c3f].includes(codePoint);
}

function isRightToLeftBlock(codePoint: number): boolean {
  return (
    (codePoint >= 0x590 && codePoint <= 0x8ff) ||
    (codePoint >= 0xfb1d && codePoint <= 0xfdff) ||
    (codePoint >= 0xfe70 && codePoint <= 0xfeff) ||
    (codePoint >= 0x10800 && codePoint <= 0x10fff) ||
    (codePoint >= 0x1e800 && codePoint <= 0x1efff)
  );
}

/** Has a character that runs from right to left (classes R, AL, AN), so that the rule applies (RFC 5893 §1.4). */
export function hasRightToLeft(text: string): boolean {
  for (const character of text) {
    const codePoint = character.codePointAt(0) ?? 0;
    if (!isRightToLeftBlock(codePoint)) continue;
    const bidiClass = bidiClassOf(codePoint);
    if (bidiClass === 'R' || bidiClass === 'AN') return true;
  }
  return false;
}

/** Checks the six conditions of RFC 5893 §2 on one label, or on one localpart. */
export function checkBidiRule(text: string): Violation | undefined {
  const classes = Array.from(text, (character) => bidiClassOf(character.codePointAt(0) ?? 0));
  const first = classes[0];
  const last = classes.findLast((bidiClass) => bidiClass !== 'NSM');
  const broken = (message: string): Violation => ({ rule: 'bidi', message });
  if (first === 'R') {
    if (classes.includes('L'))
      return broken('mixes letters written from right to left with letters written from left to right'); // 2
    if (last !== 'R' && last !== 'EN' && last !== 'AN')
      return broken('is written from right to left and must end in a letter or digit'); // 3
    if (classes.includes('EN') && classes.includes('AN')) return broken('mixes European and Arabic digits'); // 4
    return undefined;
  }
  if (first !== 'L')
    return broken(
      'is written from right to left, or stands beside such a label, and must begin with a letter',
    ); // 1
  if (classes.includes('R') || classes.includes('AN'))
    return broken('mixes letters written from left to right with letters written from right to left'); // 5
  if (last !== 'L' && last !== 'EN')
    return broken('stands beside a label written from right to left and must end in a letter or digit'); // 6
  return undefined;
}
