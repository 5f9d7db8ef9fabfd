import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  enforce,
  enforceForComparison,
  isSame,
  nickname,
  opaqueString,
  usernameCaseMapped,
  usernameCasePreserved,
} from '../../../src/lib/jid/precis/profile.js';
import type { Prepared } from '../../../src/lib/jid/violation.js';

type Cases = [input: string, expected: string | null][];
const fixtures = JSON.parse(
  readFileSync(new URL('../../fixtures/jid/profiles.json', import.meta.url), 'utf8'),
) as Record<'UsernameCaseMapped' | 'OpaqueString' | 'NicknameComparison', Cases>;

const textOf = (result: Prepared): string | null => (result.ok ? result.text : null);
const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: fc.constantFrom(...Array.from('aAΣς٠۰אב·l・カ\u200c\u200d\u094dक\u0301ﾞｶ１-. ')) }),
);

describe('UsernameCaseMapped', () => {
  it.each(fixtures.UsernameCaseMapped)('%j becomes %j', (input, expected) => {
    expect(textOf(enforce(usernameCaseMapped, input))).toBe(expected);
  });

  it('keeps sharp s apart from ss, and final sigma from sigma, but not upper case from lower', () => {
    expect(isSame(usernameCaseMapped, 'fußball', 'fussball')).toBe(false);
    expect(isSame(usernameCaseMapped, 'σ', 'ς')).toBe(false);
    expect(isSame(usernameCaseMapped, 'Σ', 'σ')).toBe(true);
  });

  it('says which rule was broken by which character and where', () => {
    expect(enforce(usernameCaseMapped, 'a♚b\u200bc')).toEqual({
      ok: false,
      violations: [
        {
          rule: 'disallowed',
          message: 'may not contain a symbol (U+265A “♚”)',
          codePoint: 'U+265A',
          index: 1,
        },
        {
          rule: 'disallowed',
          message: 'may not contain an invisible character (U+200B ZERO WIDTH SPACE)',
          codePoint: 'U+200B',
          index: 3,
        },
      ],
    });
    expect(enforce(usernameCaseMapped, '😀x\u200d')).toMatchObject({
      violations: [
        { rule: 'disallowed', index: 0 },
        {
          rule: 'context',
          message: 'may contain U+200D ZERO WIDTH JOINER only after a virama',
          codePoint: 'U+200D',
          index: 2,
        },
      ],
    });
  });
});

describe('UsernameCasePreserved', () => {
  it('keeps case and maps the rest', () => {
    expect(textOf(enforce(usernameCasePreserved, 'Ｊuliet'))).toBe('Juliet');
    expect(isSame(usernameCasePreserved, 'Juliet', 'juliet')).toBe(false);
  });
});

describe('OpaqueString', () => {
  it.each(fixtures.OpaqueString)('%j becomes %j', (input, expected) => {
    expect(textOf(enforce(opaqueString, input))).toBe(expected);
  });
});

describe('Nickname', () => {
  it.each(fixtures.NicknameComparison)('%j is compared as %j', (input, expected) => {
    expect(textOf(enforceForComparison(nickname, input))).toBe(expected);
  });

  it('keeps case and collapses spaces for display', () => {
    expect(textOf(enforce(nickname, ' Foo \u3000 Bar '))).toBe('Foo Bar');
    expect(isSame(nickname, 'Foo  Bar', 'foo bar')).toBe(true);
  });
});

describe.each([usernameCaseMapped, usernameCasePreserved, opaqueString, nickname])('$name', (profile) => {
  it('is idempotent and in its normal form', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const once = enforce(profile, text);
        if (!once.ok) return;
        expect(enforce(profile, once.text)).toEqual(once);
        expect(once.text.normalize(profile.normalization)).toBe(once.text);
        expect(once.text).not.toBe('');
      }),
      { numRuns: 500 },
    );
  });

  it('does not tell canonically equivalent texts apart', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const decomposed = enforce(profile, text.normalize('NFD'));
        const composed = enforce(profile, text.normalize('NFC'));
        expect(textOf(decomposed)).toBe(textOf(composed));
      }),
      { numRuns: 500 },
    );
  });
});
