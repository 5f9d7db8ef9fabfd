import { describe, expect, it } from 'vitest';
import { decodeBase64 } from '../../../../src/lib/session/sasl/base64.js';

describe('decodeBase64', () => {
  it.each([
    ['', ''],
    ['YQ==', 'a'],
    ['YWI=', 'ab'],
    ['YWJj', 'abc'],
  ])('reads %j', (text, expected) => {
    expect(decodeBase64(text)?.toString()).toBe(expected);
  });

  it.each(['Y', 'YQ', 'YQ=', 'YQ===', '====', '=', 'Y===', 'YW=j', 'YQ==YQ==', 'YW-_', 'YW Jj', 'YWJj\n'])(
    'refuses %j, where Node would guess',
    (text) => {
      expect(decodeBase64(text)).toBeUndefined();
    },
  );

  it('bears what is far too long', () => {
    expect(decodeBase64('A'.repeat(20_000_000))?.length).toBe(15_000_000);
    expect(decodeBase64(`${'A'.repeat(20_000_000)}!`)).toBeUndefined();
  });
});
