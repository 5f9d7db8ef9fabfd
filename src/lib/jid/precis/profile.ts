/**
 * PRECIS: preparation, enforcement and comparison of internationalised strings (RFC 8264), and the profiles
 * that XMPP uses (RFC 8265, RFC 8266). Pure functions; nothing is loaded for them.
 */
import { prepared, refused, type Prepared, type Violation } from '../violation.js';
import { checkBidiRule, hasRightToLeft } from './bidi-rule.js';
import { checkCharacters, composeCharacters } from './characters.js';
import { precisProperty } from './derived-property.js';

/** The choices a profile makes where the framework leaves them open (RFC 8264 §5.2). */
export interface Profile {
  name: string;
  /** IdentifierClass has letters, digits and what ASCII can print; FreeformClass also spaces, symbols and punctuation. */
  stringClass: 'identifier' | 'freeform';
  mapsWidth: boolean;
  /** Additional mapping rule. */
  mapsSpaces: 'no' | 'to-ascii' | 'collapsed';
  lowerCase: 'no' | 'always' | 'for-comparison';
  normalization: 'NFC' | 'NFKC';
  appliesBidiRule: boolean;
}

/** RFC 8265 §3.3: localparts of addresses. */
export const usernameCaseMapped: Profile = {
  name: 'UsernameCaseMapped',
  stringClass: 'identifier',
  mapsWidth: true,
  mapsSpaces: 'no',
  lowerCase: 'always',
  normalization: 'NFC',
  appliesBidiRule: true,
};

/** RFC 8265 §3.4: user names whose case counts, for SASL mechanisms that want them so. */
export const usernameCasePreserved: Profile = {
  ...usernameCaseMapped,
  name: 'UsernameCasePreserved',
  lowerCase: 'no',
};

/** RFC 8265 §4.2: resourceparts and passwords. */
export const opaqueString: Profile = {
  name: 'OpaqueString',
  stringClass: 'freeform',
  mapsWidth: false,
  mapsSpaces: 'to-ascii',
  lowerCase: 'no',
  normalization: 'NFC',
  appliesBidiRule: false,
};

/** RFC 8266 §2: nicknames in rooms and rosters. */
export const nickname: Profile = {
  name: 'Nickname',
  stringClass: 'freeform',
  mapsWidth: false,
  mapsSpaces: 'collapsed',
  lowerCase: 'for-comparison',
  normalization: 'NFKC',
  appliesBidiRule: false,
};

/** General category Zs but for U+0020. */
const nonAsciiSpaces = /[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]/g;

/** How often the rules are applied again to a result that is not stable yet (RFC 8264 §7). */
const maxReapplications = 3;

/** The text in the form that the profile prescribes for storing and sending it, or all that is wrong with it. */
export function enforce(profile: Profile, text: string): Prepared {
  return applyUntilStable(profile, text, profile.lowerCase === 'always');
}

/** The text in the form in which two of them are compared; only for Nickname is it another one. */
export function enforceForComparison(profile: Profile, text: string): Prepared {
  return applyUntilStable(profile, text, profile.lowerCase !== 'no');
}

/** True when both are valid and name the same thing. */
export function isSame(profile: Profile, first: string, second: string): boolean {
  const one = enforceForComparison(profile, first);
  const other = enforceForComparison(profile, second);
  return one.ok && other.ok && one.text === other.text;
}

function applyUntilStable(profile: Profile, text: string, lower: boolean): Prepared {
  const isPlain = profile.stringClass === 'identifier' ? /^[!-~]+$/ : /^[ -~]+$/;
  if (profile.mapsSpaces !== 'collapsed' && isPlain.test(text))
    return prepared(lower ? text.toLowerCase() : text);
  const first = applyOnce(profile, text, lower);
  if (!first.ok || first.text === text) return first;
  let current = first.text;
  for (let round = 0; round < maxReapplications; round += 1) {
    const next = applyOnce(profile, current, lower);
    // What the mappings made of the text is not valid: indexes would point into a text that nobody typed.
    if (!next.ok) return withoutIndexes(next.violations);
    if (next.text === current) return next;
    current = next.text;
  }
  return refused({ rule: 'unstable', message: 'changes each time it is normalised' });
}

function withoutIndexes([first, ...others]: readonly [Violation, ...Violation[]]): Prepared {
  const strip = ({ rule, message, codePoint }: Violation): Violation => ({
    rule,
    message,
    ...(codePoint !== undefined && { codePoint }),
  });
  return refused(strip(first), others.map(strip));
}

/**
 * The rules in the order of RFC 8264 §7: a character is valid when what becomes of it is.
 * Case is mapped one character at a time, so a final Σ becomes σ: as in RFC 8265 §3.5, and on servers that still use Nodeprep.
 */
function applyOnce(profile: Profile, text: string, lower: boolean): Prepared {
  const typed = Array.from(text);
  const mapped = typed.map((character) => {
    const narrow = profile.mapsWidth ? mapWidth(character) : character;
    return lower ? narrow.toLowerCase() : narrow;
  });
  const [violation, ...others] = checkCharacters(composeCharacters(mapped), typed, (codePoint) => {
    const property = precisProperty(codePoint);
    return property === 'FREE_PVAL' && profile.stringClass === 'freeform' ? 'PVALID' : property;
  });
  if (violation) return refused(violation, others);

  const result = mapSpaces(profile, mapped.join('')).normalize(profile.normalization);
  if (result === '') return refused({ rule: 'empty', message: 'may not be empty' });
  const bidi = profile.appliesBidiRule && hasRightToLeft(result) ? checkBidiRule(result) : undefined;
  return bidi ? refused(bidi) : prepared(result);
}

/** Fullwidth and halfwidth forms become what they are forms of (RFC 8264 §5.2.1). */
export function mapWidth(character: string): string {
  const codePoint = character.codePointAt(0) ?? 0;
  const hasWidth = codePoint === 0x3000 || (codePoint >= 0xff01 && codePoint <= 0xffee);
  return hasWidth ? character.normalize('NFKC') : character;
}

function mapSpaces(profile: Profile, text: string): string {
  if (profile.mapsSpaces === 'no') return text;
  const ascii = text.replace(nonAsciiSpaces, ' ');
  return profile.mapsSpaces === 'collapsed' ? ascii.replace(/ +/g, ' ').replace(/^ | $/g, '') : ascii;
}
