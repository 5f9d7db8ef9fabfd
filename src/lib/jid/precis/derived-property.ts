/**
 * The derived property of a code point in PRECIS (RFC 8264 §8 and §9) and in IDNA2008 (RFC 5892 §2 and §3).
 *
 * The tables are those of the JavaScript engine (`\p{…}`), so the version of Unicode is that of the Node that runs.
 */
import { hasProperty } from '../unicode-property.js';

/** FREE_PVAL: valid in the FreeformClass, disallowed in the IdentifierClass. */
export type Property = 'PVALID' | 'FREE_PVAL' | 'CONTEXTJ' | 'CONTEXTO' | 'DISALLOWED' | 'UNASSIGNED';

/** RFC 5892 §2.6, which RFC 8264 §9.6 repeats. */
const exceptions = new Map<number, Property>([
  ...[0xdf, 0x3c2, 0x6fd, 0x6fe, 0xf0b, 0x3007].map((code) => [code, 'PVALID'] as const),
  ...[0xb7, 0x375, 0x5f3, 0x5f4, 0x30fb].map((code) => [code, 'CONTEXTO'] as const),
  ...digitsFrom(0x660),
  ...digitsFrom(0x6f0),
  ...[0x640, 0x7fa, 0x302e, 0x302f, 0x3031, 0x3032, 0x3033, 0x3034, 0x3035, 0x303b].map(
    (code) => [code, 'DISALLOWED'] as const,
  ),
]);

/**
 * Letters of the scripts met most, all valid unless they are capitals in a U-label: compiling a `\p{…}` costs about a
 * millisecond, once, and most addresses need none.
 */
const commonLetters: readonly (readonly [number, number])[] = [
  [0xc0, 0xd6],
  [0xd8, 0xf6],
  [0xf8, 0x131],
  [0x134, 0x13e],
  [0x141, 0x148],
  [0x14a, 0x17e],
  [0x391, 0x3a1],
  [0x3a3, 0x3c9],
  [0x400, 0x481],
  [0x5d0, 0x5ea],
  [0x621, 0x63f],
  [0x641, 0x64a],
  [0x3041, 0x3096],
  [0x30a1, 0x30fa],
  [0x4e00, 0x9fff],
  [0xac00, 0xd7a3],
];

const precisProperties = new Map<number, Property>();
const idnaProperties = new Map<number, Property>();

/** Remembers what has been derived; bounded by the number of code points, and in practice by what is used. */
function remember(
  memory: Map<number, Property>,
  codePoint: number,
  derive: (codePoint: number) => Property,
): Property {
  let property = memory.get(codePoint);
  if (property === undefined) {
    property = derive(codePoint);
    memory.set(codePoint, property);
  }
  return property;
}

function isCommonLetter(codePoint: number): boolean {
  return commonLetters.some(([first, last]) => codePoint >= first && codePoint <= last);
}

function digitsFrom(zero: number): (readonly [number, Property])[] {
  return Array.from({ length: 10 }, (_, digit) => [zero + digit, 'CONTEXTO'] as const);
}

/** RFC 8264 §8, in its order. The set of backward-compatible code points (§9.7) is empty. */
export function precisProperty(codePoint: number): Property {
  if (codePoint >= 0x21 && codePoint <= 0x7e) return 'PVALID';
  return remember(precisProperties, codePoint, derivePrecisProperty);
}

function derivePrecisProperty(codePoint: number): Property {
  const exception = exceptions.get(codePoint);
  if (exception) return exception;
  if (isCommonLetter(codePoint)) return 'PVALID';
  const character = String.fromCodePoint(codePoint);
  if (hasProperty(character, 'Cn') && !hasProperty(character, 'Noncharacter_Code_Point')) return 'UNASSIGNED';
  if (codePoint === 0x200c || codePoint === 0x200d) return 'CONTEXTJ';
  if (isOldHangulJamo(codePoint)) return 'DISALLOWED';
  if (hasProperty(character, 'Default_Ignorable_Code_Point', 'Noncharacter_Code_Point', 'Cc'))
    return 'DISALLOWED';
  if (character.normalize('NFKC') !== character) return 'FREE_PVAL';
  if (hasProperty(character, 'Ll', 'Lu', 'Lo', 'Nd', 'Lm', 'Mn', 'Mc')) return 'PVALID';
  if (hasProperty(character, 'Lt', 'Nl', 'No', 'Me', 'Zs', 'S', 'P')) return 'FREE_PVAL';
  return 'DISALLOWED';
}

/** RFC 5892 §3, in its order: valid in a U-label or not. Never FREE_PVAL. */
export function idnaProperty(codePoint: number): Property {
  if (codePoint < 0x80) {
    const isLdh =
      codePoint === 0x2d ||
      (codePoint >= 0x30 && codePoint <= 0x39) ||
      (codePoint >= 0x61 && codePoint <= 0x7a);
    return isLdh ? 'PVALID' : 'DISALLOWED';
  }
  return remember(idnaProperties, codePoint, deriveIdnaProperty);
}

function deriveIdnaProperty(codePoint: number): Property {
  const exception = exceptions.get(codePoint);
  if (exception) return exception;
  const character = String.fromCodePoint(codePoint);
  if (isCommonLetter(codePoint)) return character.toLowerCase() === character ? 'PVALID' : 'DISALLOWED';
  if (hasProperty(character, 'Cn') && !hasProperty(character, 'Noncharacter_Code_Point')) return 'UNASSIGNED';
  if (codePoint === 0x200c || codePoint === 0x200d) return 'CONTEXTJ';
  // "Unstable" (§2.2): changed by folding case and compatibility, which is what this property says.
  if (hasProperty(character, 'Changes_When_NFKC_Casefolded', 'Default_Ignorable_Code_Point', 'White_Space'))
    return 'DISALLOWED';
  if (isIgnorableBlock(codePoint) || isOldHangulJamo(codePoint)) return 'DISALLOWED';
  return hasProperty(character, 'Ll', 'Lu', 'Lo', 'Nd', 'Lm', 'Mn', 'Mc') ? 'PVALID' : 'DISALLOWED';
}

/** Combining marks for symbols, and the two blocks of musical symbols (RFC 5892 §2.4). */
function isIgnorableBlock(codePoint: number): boolean {
  return (codePoint >= 0x20d0 && codePoint <= 0x20ff) || (codePoint >= 0x1d100 && codePoint <= 0x1d24f);
}

/** Hangul_Syllable_Type L, V or T (RFC 8264 §9.9). */
function isOldHangulJamo(codePoint: number): boolean {
  return (
    (codePoint >= 0x1100 && codePoint <= 0x11ff) ||
    (codePoint >= 0xa960 && codePoint <= 0xa97c) ||
    (codePoint >= 0xd7b0 && codePoint <= 0xd7c6) ||
    (codePoint >= 0xd7cb && codePoint <= 0xd7fb)
  );
}

/** What kind of character it is that may not be there: `a symbol`. */
export function describeKind(codePoint: number): string {
  const character = String.fromCodePoint(codePoint);
  if (hasProperty(character, 'Zs')) return 'a space';
  if (hasProperty(character, 'Cc')) return 'a control character';
  if (hasProperty(character, 'Cf', 'Default_Ignorable_Code_Point')) return 'an invisible character';
  if (hasProperty(character, 'Cs')) return 'half of a surrogate pair';
  if (hasProperty(character, 'Co')) return 'a private-use character';
  if (hasProperty(character, 'Noncharacter_Code_Point')) return 'a noncharacter';
  if (hasProperty(character, 'Cn')) return 'an unassigned code point';
  if (isOldHangulJamo(codePoint)) return 'a conjoining Hangul letter';
  if (hasProperty(character, 'S')) return 'a symbol';
  if (hasProperty(character, 'P')) return 'punctuation';
  if (character.normalize('NFKC') !== character) return 'a compatibility character';
  if (hasProperty(character, 'Lu')) return 'an upper-case letter';
  return 'a character';
}
