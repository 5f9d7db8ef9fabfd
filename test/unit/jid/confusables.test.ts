import { describe, expect, it } from 'vitest';
import { findMixedScripts } from '../../../src/lib/jid/confusables/scripts.js';
import { findConfusables, isConfusable, skeleton } from '../../../src/lib/jid/confusables/skeleton.js';
import { inspectAddress, type AddressWarning } from '../../../src/lib/jid/inspect.js';

describe('isConfusable', () => {
  it.each([
    ['paypal', 'раураl'],
    ['paypal', 'ρaypal'],
    ['apple', 'аррӏе'],
    ['bob', 'b0b'],
    ['alice', 'a1ice'],
    ['modem', 'modern'],
    ['wiki', 'vviki'],
    ['anna', 'ａｎｎａ'],
    ['anna', '𝐚𝐧𝐧𝐚'],
    ['anna', 'an\u200bna'],
    ['info', 'ınfo'],
    ['sosa', 'ѕоѕа'],
    ['oscar', 'օscar'],
    ['ëva', 'ёvа'],
  ])('%s and %s', (one, other) => {
    expect(isConfusable(one, other)).toBe(true);
    expect(isConfusable(other, one)).toBe(true);
  });

  it.each([
    ['anna', 'änna'],
    ['alice', 'alicia'],
    ['мария', 'мирия'],
    ['a', 'b'],
    ['same', 'same'],
  ])('not %s and %s', (one, other) => {
    expect(isConfusable(one, other)).toBe(false);
  });

  it('folds every printable ASCII text to ASCII', () => {
    for (let code = 0x20; code < 0x7f; code += 1)
      expect(skeleton(String.fromCharCode(code))).toMatch(/^[ -~]+$/);
  });
});

describe('findConfusables', () => {
  it('points at each look-alike, when all else is ASCII', () => {
    expect(findConfusables('pаypаl')).toEqual([
      { character: 'а', looksLike: 'a', index: 1 },
      { character: 'а', looksLike: 'a', index: 4 },
    ]);
  });

  it('says nothing of texts that nobody takes for ASCII', () => {
    for (const text of ['paypal', 'москва', 'jürgen', '東京', '']) expect(findConfusables(text)).toEqual([]);
  });
});

describe('findMixedScripts', () => {
  it.each([
    ['pаypal', ['Latin', 'Cyrillic']],
    ['αbc', ['Greek', 'Latin']],
    ['aא', ['Latin', 'Hebrew']],
    ['한か', ['Hangul', 'Hiragana']],
  ])('%s', (text, scripts) => {
    expect(findMixedScripts(text).sort()).toEqual(scripts.sort());
  });

  it.each([
    'alice-99',
    'москва_2',
    '東京タワーtower',
    '서울seoul漢',
    'ﾊﾝﾅ',
    '123',
    '',
    'عليّ',
    'e\u0301',
    '한국',
  ])('takes %j for one writing', (text) => {
    expect(findMixedScripts(text)).toEqual([]);
  });
});

describe('inspectAddress', () => {
  const kinds = (text: string): AddressWarning['kind'][] =>
    inspectAddress(text).warnings.map(({ kind }) => kind);

  it('tells all about a valid address', () => {
    expect(inspectAddress('D\\27Artagnan@MÜNCHEN.example/x')).toEqual({
      input: 'D\\27Artagnan@MÜNCHEN.example/x',
      valid: true,
      normalized: 'd\\27artagnan@münchen.example/x',
      parts: { local: 'd\\27artagnan', domain: 'münchen.example', resource: 'x' },
      ascii: 'd\\27artagnan@xn--mnchen-3ya.example/x',
      display: "d'artagnan@münchen.example/x",
      warnings: [],
      errors: [],
    });
  });

  it('names everything that is wrong with an invalid one', () => {
    const { valid, errors, normalized } = inspectAddress('a b@exam_ple/\u0001');
    expect({ valid, normalized }).toEqual({ valid: false, normalized: undefined });
    expect(errors.map(({ part, rule, codePoint, index }) => ({ part, rule, codePoint, index }))).toEqual([
      { part: 'local', rule: 'disallowed', codePoint: 'U+0020', index: 1 },
      { part: 'domain', rule: 'disallowed', codePoint: 'U+005F', index: 4 },
      { part: 'resource', rule: 'disallowed', codePoint: 'U+0001', index: 0 },
    ]);
  });

  it('warns of what can deceive', () => {
    expect(inspectAddress('раураl@example.com').warnings).toMatchObject([
      { part: 'local', kind: 'mixed-scripts', message: 'the localpart mixes Cyrillic and Latin letters' },
      { part: 'local', kind: 'confusable', looksLike: 'paypal' },
    ]);
    expect(kinds('alice@ехаmрlе.com')).toEqual(['mixed-scripts', 'confusable']);
    expect(kinds('fußball@straße.example')).toEqual(['older-servers', 'older-servers']);
    expect(kinds('क्\u200dष@example.com')).toEqual(['invisible', 'older-servers']);
    expect(kinds('a@example.com/é  b')).toEqual(['spaces']);
    expect(kinds('a@example.com/z\u0300\u0301\u0302\u0303\u0304')).toEqual(['stacked-marks']);
    expect(kinds('a@1.2.3.400')).toEqual(['not-ipv4']);
  });

  it('has nothing to say about ordinary ones', () => {
    for (const text of [
      'alice@example.com/phone',
      'анна@пример.example',
      '太郎@例え.example',
      'a@192.0.2.1',
      'a@[::1]',
    ])
      expect(kinds(text)).toEqual([]);
  });
});
