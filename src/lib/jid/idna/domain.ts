/**
 * The domainpart of an address (RFC 7622 §3.2): an IP literal, or labels that are valid in IDNA2008 (RFC 5890–5893).
 *
 * Input is mapped as RFC 5895 and RFC 7622 §3.2.1 say (case, width, NFC, ideographic full stops) and then has to be
 * valid as it is; of what UTS #46 maps besides, nothing is. Emoji, symbols and compatibility characters are refused.
 */
import { isIPv6 } from 'node:net';
import { checkBidiRule, hasRightToLeft } from '../precis/bidi-rule.js';
import { checkCharacters, composeCharacters } from '../precis/characters.js';
import { idnaProperty } from '../precis/derived-property.js';
import { mapWidth } from '../precis/profile.js';
import { prepared, refused, type Prepared, type Violation } from '../violation.js';
import { decodePunycode, encodePunycode } from './punycode.js';
import { hasProperty } from '../unicode-property.js';

const maxLabelLength = 63;
const maxNameLength = 253;

/** Generous, because mapping and NFC can make a text shorter; what is longer is not looked at. */
const maxInputLength = 8 * 1023;

/** Lower-case labels of letters, digits and hyphens: nothing in them needs preparing. Hyphens in the third and fourth place do. */
const plainDomain =
  /^(?=.{1,253}$)(?!-|..--)[a-z0-9-]{0,62}[a-z0-9](?:\.(?!-|..--)[a-z0-9-]{0,62}[a-z0-9])*$/;

/** The domain with U-labels, in lower case and without a final dot: the form that is compared, stored and sent. */
export function prepareDomain(text: string): Prepared {
  if (plainDomain.test(text)) return prepared(text);
  if (/^[!-~]+$/.test(text)) {
    const lower = text.toLowerCase().replace(/\.$/, '');
    if (plainDomain.test(lower)) return prepared(lower);
  }
  if (text === '') return refused({ rule: 'empty', message: 'may not be empty' });
  if (text.length > maxInputLength) return refused(tooLongName());
  if (text.startsWith('[')) return prepareIPv6(text);
  const labels = splitLabels(text);
  const violations: Violation[] = [];
  if (labels.length > 1 && labels.at(-1)?.characters.length === 0) labels.pop();
  const results = labels.map((label) => {
    const checked = prepareLabel(label);
    if (checked.ok) return checked.text;
    for (const violation of checked.violations) violations.push(shift(violation, label.start));
    return '';
  });
  const [first, ...others] = violations;
  if (first) return refused(first, others);
  const domain = results.join('.');
  const bidi = hasRightToLeft(domain) ? checkBidiDomain(results, labels) : undefined;
  if (bidi) return refused(bidi);
  return toAsciiDomain(domain).length > maxNameLength ? refused(tooLongName()) : prepared(domain);
}

function tooLongName(): Violation {
  return { rule: 'too-long', message: `may not be longer than ${maxNameLength} characters as DNS writes it` };
}

/** A prepared domain as DNS, TLS and SRV look-ups need it: A-labels for U-labels. */
export function toAsciiDomain(domain: string): string {
  return domain.split('.').map(toALabel).join('.');
}

interface Label {
  /** The characters after mapping, one for each that was typed. */
  characters: string[];
  typed: string[];
  /** Index of the first character in the domain. */
  start: number;
}

function splitLabels(text: string): Label[] {
  let label: Label = { characters: [], typed: [], start: 0 };
  const labels = [label];
  for (const [index, typed] of Array.from(text).entries()) {
    const character = mapCharacter(typed);
    if (character === '.') {
      label = { characters: [], typed: [], start: index + 1 };
      labels.push(label);
    } else {
      label.characters.push(character);
      label.typed.push(typed);
    }
  }
  return labels;
}

/** RFC 5895 §2, character by character. Cherokee is valid in upper case, so only what is not valid is mapped. */
function mapCharacter(character: string): string {
  const codePoint = character.codePointAt(0) ?? 0;
  if (codePoint === 0x3002 || codePoint === 0xff0e || codePoint === 0xff61) return '.';
  const narrow = mapWidth(character);
  const isValid = idnaProperty(narrow.codePointAt(0) ?? 0) === 'PVALID';
  return isValid ? narrow : narrow.toLowerCase();
}

/** One mapped label as a U-label or an NR-LDH label. Indexes count from the start of the label. */
function prepareLabel({ characters, typed }: Label): Prepared {
  if (characters.length === 0)
    return refused({
      rule: 'empty-label',
      message: 'has an empty label (two dots in a row, or a dot in front)',
      index: 0,
    });
  const composed = composeCharacters(characters);
  const [disallowed, ...others] = checkCharacters(composed, typed, idnaProperty);
  if (disallowed) return refused(disallowed, others);
  const joined = String.fromCodePoint(...composed.codePoints);
  const label = joined.normalize('NFC');
  if (label.startsWith('xn--')) return prepareALabel(label);
  const violation = (label === joined ? undefined : checkText(label)) ?? checkLabel(label);
  return violation ? refused(violation) : prepared(label);
}

/** An A-label is valid when it is exactly what its U-label is written as (RFC 5891 §5.3, §5.4); the U-label is kept. */
function prepareALabel(label: string): Prepared {
  if (label.length > maxLabelLength) return refused(tooLong());
  const decoded = decodePunycode(label.slice('xn--'.length));
  const wrong = (why: string): Prepared =>
    refused({
      rule: 'a-label',
      message: `has a label that is not valid IDNA2008: ${label} ${why}`,
      index: 0,
    });
  if (decoded === undefined) return wrong('is not Punycode');
  // eslint-disable-next-line no-control-regex -- ASCII is what is asked for
  if (/^[\x00-\x7f]*$/.test(decoded)) return wrong('stands for an ASCII label');
  if (decoded.normalize('NFC') !== decoded || toALabel(decoded) !== label)
    return wrong('is not in its normal form');
  const reason = checkText(decoded) ?? checkLabel(decoded);
  return reason ? wrong(`stands for a label that ${reason.message}`) : prepared(decoded);
}

function checkText(label: string): Violation | undefined {
  const characters = Array.from(label);
  return checkCharacters(composeCharacters(characters), characters, idnaProperty)[0];
}

/** What is asked of a label as a whole (RFC 5891 §4.2.3, RFC 1035 §2.3.4), but for the Bidi Rule. */
function checkLabel(label: string): Violation | undefined {
  if (label.startsWith('-'))
    return { rule: 'hyphen', message: 'has a label that begins with a hyphen', index: 0 };
  if (label.endsWith('-'))
    return {
      rule: 'hyphen',
      message: 'has a label that ends with a hyphen',
      index: Array.from(label).length - 1,
    };
  if (label.slice(2, 4) === '--')
    return {
      rule: 'hyphen',
      message: `has a label with hyphens in the third and fourth place (${label})`,
      index: 2,
    };
  if (hasProperty(label, 'M'))
    return { rule: 'leading-mark', message: 'has a label that begins with a combining mark', index: 0 };
  // An A-label is longer than its U-label: encoding, which is quadratic, need not be tried on a long one.
  return label.length > maxLabelLength * 2 || toALabel(label).length > maxLabelLength ? tooLong() : undefined;
}

function tooLong(): Violation {
  return {
    rule: 'label-too-long',
    message: `has a label longer than ${maxLabelLength} characters as DNS writes it`,
    index: 0,
  };
}

/** When one label runs from right to left, the rule holds for all of them (RFC 5893 §2). */
function checkBidiDomain(results: readonly string[], labels: readonly Label[]): Violation | undefined {
  for (const [index, label] of results.entries()) {
    const violation = checkBidiRule(label);
    if (violation)
      return {
        ...violation,
        message: `has a label that ${violation.message}`,
        index: labels[index]?.start ?? 0,
      };
  }
  return undefined;
}

function shift(violation: Violation, offset: number): Violation {
  return violation.index === undefined ? violation : { ...violation, index: violation.index + offset };
}

function toALabel(label: string): string {
  // eslint-disable-next-line no-control-regex -- ASCII is what is asked for
  return /^[\x00-\x7f]*$/.test(label) ? label : `xn--${encodePunycode(label)}`;
}

/** `[2001:db8::1]` in its shortest form. Zone identifiers are for one machine and not part of an address (RFC 9844). */
function prepareIPv6(text: string): Prepared {
  const address = /^\[(.*)\]$/.exec(text)?.[1];
  if (address === undefined || address.includes('%') || !isIPv6(address))
    return refused({ rule: 'ip-literal', message: 'is not an IPv6 address in square brackets', index: 0 });
  return prepared(new URL(`http://[${address}]/`).hostname);
}
