import { readFileSync } from 'node:fs';
import { domainToASCII } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { prepareDomain, toAsciiDomain } from '../../../src/lib/jid/idna/domain.js';
import { decodePunycode, encodePunycode } from '../../../src/lib/jid/idna/punycode.js';

const fixtures = JSON.parse(
  readFileSync(new URL('../../fixtures/jid/domains.json', import.meta.url), 'utf8'),
) as {
  valid: [input: string, unicode: string, ascii: string][];
  invalid: [input: string, rule: string][];
};

const label = fc.string({
  unit: fc.constantFrom(...Array.from('abz019-üßςσäéжцшابتا٠١۰אבג字漢カ・한l·ªªक्ष\u0301\u200c\u200d')),
  minLength: 1,
  maxLength: 12,
});
const domain = fc.array(label, { minLength: 1, maxLength: 3 }).map((labels) => labels.join('.'));

describe('prepareDomain', () => {
  it.each(fixtures.valid)('%j is %j, in DNS %j', (input, unicode, ascii) => {
    expect(prepareDomain(input)).toEqual({ ok: true, text: unicode });
    expect(toAsciiDomain(unicode)).toBe(ascii);
  });

  it.each(fixtures.invalid)('%j breaks the rule %s', (input, rule) => {
    const result = prepareDomain(input);
    expect(result.ok ? undefined : result.violations[0].rule).toBe(rule);
  });

  it('counts the length of labels and names as DNS does', () => {
    expect(prepareDomain(`${'a'.repeat(63)}.example`)).toMatchObject({ ok: true });
    expect(prepareDomain(`${'a'.repeat(64)}.example`)).toMatchObject({
      violations: [{ rule: 'label-too-long' }],
    });
    expect(prepareDomain('字'.repeat(62))).toMatchObject({ violations: [{ rule: 'label-too-long' }] });
    expect(prepareDomain('字'.repeat(20_000))).toMatchObject({ violations: [{ rule: 'too-long' }] });
    const long = Array.from({ length: 5 }, () => 'a'.repeat(50)).join('.');
    expect(prepareDomain(long)).toMatchObject({ violations: [{ rule: 'too-long' }] });
    expect(prepareDomain(`xn--${'a'.repeat(60)}.example`)).toMatchObject({
      violations: [{ rule: 'label-too-long' }],
    });
  });

  it('points at the character that is not valid, in the whole domain', () => {
    expect(prepareDomain('conference.exam♥ple.org')).toMatchObject({
      violations: [{ rule: 'disallowed', codePoint: 'U+2665', index: 15 }],
    });
  });

  it('is idempotent, and what it takes is written by others in the same A-labels', () => {
    let taken = 0;
    fc.assert(
      fc.property(domain, (text) => {
        const once = prepareDomain(text);
        if (!once.ok) return;
        taken += 1;
        expect(prepareDomain(once.text)).toEqual(once);
        const ascii = toAsciiDomain(once.text);
        expect(prepareDomain(ascii)).toEqual(once);
        // An all-numeric last label is an IPv4 address, or an error, to the URL standard.
        if (!/(?:^|\.)\d+$/.test(ascii)) expect(domainToASCII(once.text)).toBe(ascii);
      }),
      { numRuns: 1500 },
    );
    expect(taken).toBeGreaterThan(50);
  });
});

describe('Punycode', () => {
  it('decodes what it encodes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1 }), (text) => {
        expect(decodePunycode(encodePunycode(text))).toBe(text);
      }),
    );
  });

  it.each(['a!', '9999999999', 'é', 'a-é', '\u0000-99999999'])(
    'refuses %j or decodes it to something else',
    (text) => {
      const decoded = decodePunycode(text);
      expect(decoded === undefined || encodePunycode(decoded) !== text).toBe(true);
    },
  );
});
