/**
 * The derived property of a code point in PRECIS (RFC 8264 §8 and §9) and in IDNA2008 (RFC 5892 §2 and §3).
 *
 * The tables are those of the JavaScript engine (`\p{…}`), so the version of Unicode is that of the Node that runs.
 */

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

function digitsFrom(zero: number): (readonly [number, Property])[] {
  return Array.from({ length: 10 }, (_, digit) => [zero + digit, 'CONTEXTO'] as const);
}

/** RFC 8264 §8, in its order. The set of backward-compatible code points (§9.7) is empty. */
export function precisProperty(codePoint: number): Property {
  if (codePoint >= 0x21 && codePoint <= 0x7e) return 'PVALID';
  const exception = exceptions.get(codePoint);
  if (exception) return exception;
  const character = String.fromCodePoint(codePoint);
  if (/\p{Cn}/u.test(character) && !/\p{Noncharacter_Code_Point}/u.test(character)) return 'UNASSIGNED';
  if (codePoint === 0x200c || codePoint === 0x200d) return 'CONTEXTJ';
  if (isOldHangulJamo(codePoint)) return 'DISALLOWED';
  if (/[\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}\p{Cc}]/u.test(character))
    return 'DISALLOWED';
  if (character.normalize('NFKC') !== character) return 'FREE_PVAL';
  if (/[\p{Ll}\p{Lu}\p{Lo}\p{Nd}\p{Lm}\p{Mn}\p{Mc}]/u.test(character)) return 'PVALID';
  if (/[\p{Lt}\p{Nl}\p{No}\p{Me}\p{Zs}\p{S}\p{P}]/u.test(character)) return 'FREE_PVAL';
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
  const exception = exceptions.get(codePoint);
  if (exception) return exception;
  const character = String.fromCodePoint(codePoint);
  if (/\p{Cn}/u.test(character) && !/\p{Noncharacter_Code_Point}/u.test(character)) return 'UNASSIGNED';
  if (codePoint === 0x200c || codePoint === 0x200d) return 'CONTEXTJ';
  // "Unstable" (§2.2): changed by folding case and compatibility, which is what this property says.
  if (/[\p{Changes_When_NFKC_Casefolded}\p{Default_Ignorable_Code_Point}\p{White_Space}]/u.test(character))
    return 'DISALLOWED';
  if (isIgnorableBlock(codePoint) || isOldHangulJamo(codePoint)) return 'DISALLOWED';
  return /[\p{Ll}\p{Lu}\p{Lo}\p{Nd}\p{Lm}\p{Mn}\p{Mc}]/u.test(character) ? 'PVALID' : 'DISALLOWED';
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
  if (/\p{Zs}/u.test(character)) return 'a space';
  if (/\p{Cc}/u.test(character)) return 'a control character';
  if (/[\p{Cf}\p{Default_Ignorable_Code_Point}]/u.test(character)) return 'an invisible character';
  if (/\p{Cs}/u.test(character)) return 'half of a surrogate pair';
  if (/\p{Co}/u.test(character)) return 'a private-use character';
  if (/\p{Noncharacter_Code_Point}/u.test(character)) return 'a noncharacter';
  if (/\p{Cn}/u.test(character)) return 'an unassigned code point';
  if (isOldHangulJamo(codePoint)) return 'a conjoining Hangul letter';
  if (/\p{S}/u.test(character)) return 'a symbol';
  if (/\p{P}/u.test(character)) return 'punctuation';
  if (character.normalize('NFKC') !== character) return 'a compatibility character';
  if (/\p{Lu}/u.test(character)) return 'an upper-case letter';
  return 'a character';
}
