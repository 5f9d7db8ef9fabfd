/** All that can be said about an address: what is wrong with it, and what people should look at twice. */
import { isIPv4 } from 'node:net';
import { describeCodePoint } from './code-point.js';
import { findMixedScripts } from './confusables/scripts.js';
import { findConfusables, replaceConfusables } from './confusables/skeleton.js';
import { unescapeLocalpart } from './escaping.js';
import { toAsciiDomain } from './idna/domain.js';
import { joinParts, prepareParts, splitAddress, suggestAddress, type AddressParts } from './jid.js';
import { describeViolation, type AddressPart, type AddressViolation } from './jid-error.js';
import { hasProperty } from './unicode-property.js';

/** Something an address may have and people should know about. */
export interface AddressWarning {
  part: AddressPart;
  kind:
    'mixed-scripts' | 'confusable' | 'invisible' | 'spaces' | 'stacked-marks' | 'older-servers' | 'not-ipv4';
  message: string;
  /** The ASCII text it looks like. */
  looksLike?: string;
}

export interface AddressReport {
  input: string;
  valid: boolean;
  /** The prepared address, with U-labels. Only of a valid one, like the three after it. */
  normalized?: string;
  parts?: { local: string | null; domain: string; resource: string | null };
  /** The prepared address with A-labels, as DNS needs the domain. */
  ascii?: string;
  /** The prepared address as people read it: XEP-0106 undone. Only where it differs, and never to be sent. */
  display?: string;
  /** How an invalid address could be written. */
  suggestion?: string;
  warnings: AddressWarning[];
  errors: (AddressViolation & { description: string })[];
}

/** Never throws: whatever the text is, this says what it is. */
export function inspectAddress(input: string): AddressReport {
  const prepared = prepareParts(splitAddress(input));
  const errors = prepared.violations.map((violation) => ({
    ...violation,
    description: describeViolation(violation),
  }));
  const warnings = findWarnings(prepared, errors);
  if (errors.length > 0) {
    const suggestion = suggestAddress(input);
    return { input, valid: false, ...(suggestion !== undefined && { suggestion }), warnings, errors };
  }
  const { local, domain, resource } = prepared;
  const normalized = joinParts(prepared);
  const display = joinParts({ local: local && unescapeLocalpart(local), domain, resource });
  return {
    input,
    valid: true,
    normalized,
    parts: { local: local ?? null, domain, resource: resource ?? null },
    ascii: joinParts({ local, domain: toAsciiDomain(domain), resource }),
    ...(display !== normalized && { display }),
    warnings,
    errors,
  };
}

function findWarnings(parts: AddressParts, errors: readonly AddressViolation[]): AddressWarning[] {
  const isValid = (part: AddressPart): boolean => !errors.some((error) => error.part === part);
  const warnings: AddressWarning[] = [];
  if (parts.local !== undefined) warnings.push(...findTextWarnings('local', 'the localpart', parts.local));
  for (const label of parts.domain.split('.')) {
    warnings.push(...findTextWarnings('domain', `the label ${label}`, label));
  }
  if (parts.resource !== undefined)
    warnings.push(...findTextWarnings('resource', 'the resource', parts.resource));
  if (isValid('local') && isValid('domain')) warnings.push(...findServerWarnings(parts));
  return warnings;
}

function findTextWarnings(part: AddressPart, name: string, text: string): AddressWarning[] {
  const warnings: AddressWarning[] = [];
  const add = (kind: AddressWarning['kind'], message: string, looksLike?: string): void => {
    warnings.push({ part, kind, message, ...(looksLike !== undefined && { looksLike }) });
  };
  if (/^[!-~]*$/.test(text)) return warnings;
  const scripts = findMixedScripts(text);
  if (scripts.length > 0) add('mixed-scripts', `${name} mixes ${listWords(scripts)} letters`);
  const confusables = findConfusables(text);
  if (confusables.length > 0) {
    const looksLike = replaceConfusables(text, confusables);
    const which = confusables.map(({ character }) => describeCodePoint(character.codePointAt(0) ?? 0));
    add(
      'confusable',
      `${name} looks like “${looksLike}” but has ${listWords([...new Set(which)])}`,
      looksLike,
    );
  }
  const invisible = Array.from(text).find((character) =>
    hasProperty(character, 'Cf', 'Default_Ignorable_Code_Point'),
  );
  if (invisible !== undefined)
    add(
      'invisible',
      `${name} has a character that cannot be seen: ${describeCodePoint(invisible.codePointAt(0) ?? 0)}`,
    );
  if (/^ | $| {2}/.test(text)) add('spaces', `${name} has a space at an end, or several in a row`);
  if (hasStackedMarks(text)) add('stacked-marks', `${name} stacks four or more marks on one letter`);
  return warnings;
}

/** Where servers and programs of before RFC 7622 and IDNA2008 understand another address. */
function findServerWarnings({ local, domain }: AddressParts): AddressWarning[] {
  const warnings: AddressWarning[] = [];
  const older = (text: string): string =>
    text
      .replace(/ß/g, 'ss')
      .replace(/ς/g, 'σ')
      .replace(/[\u200c\u200d]/g, '');
  if (local !== undefined && older(local) !== local)
    warnings.push({
      part: 'local',
      kind: 'older-servers',
      message: `servers that still use Nodeprep (RFC 6122) take the localpart for “${older(local)}”`,
    });
  if (older(domain) !== domain)
    warnings.push({
      part: 'domain',
      kind: 'older-servers',
      message: `programs that still use IDNA2003 take the domain for “${older(domain)}”`,
    });
  if (/(?:^|\.)[0-9]+$/.test(domain) && !isIPv4(domain))
    warnings.push({
      part: 'domain',
      kind: 'not-ipv4',
      message: `the domain ${domain} ends in a number but is not an IPv4 address`,
    });
  return warnings;
}

function hasStackedMarks(text: string): boolean {
  let marks = 0;
  for (const character of text.normalize('NFD')) {
    marks = hasProperty(character, 'M') ? marks + 1 : 0;
    if (marks > 3) return true;
  }
  return false;
}

/** `a, b and c` */
function listWords(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1) ?? ''}`;
}
