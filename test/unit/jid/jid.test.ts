import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JID, splitAddress } from '../../../src/lib/jid/jid.js';
import { JidError } from '../../../src/lib/jid/jid-error.js';
import { ExitCode } from '../../../src/lib/errors.js';

const fixtures = JSON.parse(
  readFileSync(new URL('../../fixtures/jid/addresses.json', import.meta.url), 'utf8'),
) as {
  valid: { input: string; parts: [string | null, string, string | null] }[];
  invalid: { input: string; part: string; rule: string; codePoint?: string; index?: number }[];
};

const addressLike = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({
    unit: fc.constantFrom(...Array.from('aAbZ019.@/-_ßςΣéאבا٠字♚ Ａ＠／\u200d\u0301\ud800[]:\\')),
  }),
  fc
    .tuple(fc.constantFrom(...fixtures.valid), fc.constantFrom(...fixtures.valid))
    .map(([{ input }, other]) => `${splitAddress(input).local ?? ''}@${splitAddress(other.input).domain}`),
);

function errorOf(text: string): JidError {
  try {
    JID.parse(text);
  } catch (error) {
    if (error instanceof JidError) return error;
    throw error;
  }
  throw new Error(`${text} was taken`);
}

describe('JID.parse', () => {
  it.each(fixtures.valid)('takes $input', ({ input, parts: [local, domain, resource] }) => {
    const jid = JID.parse(input);
    expect([jid.local ?? null, jid.domain, jid.resource ?? null]).toEqual([local, domain, resource]);
    expect(jid.isValid).toBe(true);
  });

  it.each(fixtures.invalid)('refuses $input', ({ input, ...expected }) => {
    expect(errorOf(input).violations[0]).toMatchObject(expected);
    expect(JID.tryParse(input)).toBeUndefined();
  });

  it('counts octets of UTF-8, 1023 for each part', () => {
    const local = 'é'.repeat(511);
    expect(JID.parse(`${local}a@example.com/${local}a`).local).toHaveLength(512);
    expect(errorOf(`${local}éa@example.com`).violations[0]).toMatchObject({
      part: 'local',
      rule: 'too-long',
    });
    expect(errorOf(`a@example.com/${'x'.repeat(1024)}`).violations[0]).toMatchObject({
      part: 'resource',
      rule: 'too-long',
    });
    expect(errorOf(`a@${'x'.repeat(1_000_000)}`).violations[0]).toMatchObject({ rule: 'too-long' });
  });

  it('says on one line what is wrong, where, and what may be meant', () => {
    const error = errorOf('juliet smith@example.com');
    expect(error.message).toBe(
      '“juliet smith@example.com” is not an XMPP address: the localpart (before the @) may not contain a space (U+0020 SPACE), character 7',
    );
    expect(error.hint).toBe('perhaps juliet\\20smith@example.com is meant');
    expect(error.exitCode).toBe(ExitCode.usage);
    expect(error.details).toEqual({
      address: 'juliet smith@example.com',
      suggestion: 'juliet\\20smith@example.com',
      part: 'local',
      rule: 'disallowed',
      codePoint: 'U+0020',
      index: 6,
    });
    expect(errorOf('a\nb\u202e@x').message).toMatch(/^“a<U\+000A>b<U\+202E>@x” is not/);
  });

  it.each([
    [' alice@example.com\n', 'alice@example.com'],
    ['xmpp:alice@example.com?message', 'alice@example.com'],
    ['mailto:alice@example.com', 'alice@example.com'],
    ['treville@musketeers.lit@smtp.gascon.fr', 'treville\\40musketeers.lit@smtp.gascon.fr'],
    ['alice@example.com/', 'alice@example.com'],
    ['@example.com', 'example.com'],
    ['alice@ﬁsh.example', 'alice@fish.example'],
  ])('suggests for %j %j', (text, suggestion) => {
    expect(errorOf(text).hint).toBe(`perhaps ${suggestion} is meant`);
  });

  it.each(['♚@example.com', 'alice@', '', 'alice@☃.net'])('suggests nothing for %j', (text) => {
    expect(errorOf(text).hint).toBeUndefined();
  });

  it('throws nothing but JidError, and what it takes it takes again unchanged', () => {
    fc.assert(
      fc.property(addressLike, (text) => {
        const jid = JID.tryParse(text);
        if (!jid) {
          expect(errorOf(text)).toBeInstanceOf(JidError);
          return;
        }
        const again = JID.parse(jid.toString());
        expect(again).toEqual(jid);
        expect(again.toString()).toBe(jid.toString());
        expect(JID.fromParts(jid).equals(jid)).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('JID', () => {
  it('is the same for all ways of writing an address', () => {
    const ways = [
      'Jürgen@MÜNCHEN.example/x',
      'ju\u0308rgen@xn--mnchen-3ya.example./x',
      'ＪÜrgen@mu\u0308nchen.example/x',
    ];
    for (const way of ways) {
      expect(JID.parse(way).toString()).toBe('jürgen@münchen.example/x');
      for (const other of ways) expect(JID.parse(way).equals(JID.parse(other))).toBe(true);
    }
    expect(JID.parse('a@b/X').equals(JID.parse('a@b/x'))).toBe(false);
    expect(JID.parse('a@b').equals(JID.parse('b'))).toBe(false);
  });

  it('has equality that is an equivalence and agrees with the text', () => {
    fc.assert(
      fc.property(addressLike, addressLike, (one, other) => {
        const [first, second] = [JID.fromServer(one), JID.fromServer(other)];
        expect(first.equals(first)).toBe(true);
        expect(first.equals(second)).toBe(second.equals(first));
        if (first.equals(second)) expect(first.toString()).toBe(second.toString());
      }),
    );
  });

  it('gives the bare address, another resource, and the domain for DNS', () => {
    const jid = JID.parse('jürgen@münchen.example/phone');
    expect(jid.bare.toString()).toBe('jürgen@münchen.example');
    expect(jid.isBare).toBe(false);
    expect(jid.bare.isBare).toBe(true);
    expect(jid.bare.bare.equals(jid.bare)).toBe(true);
    expect(jid.withResource('e\u0301').toString()).toBe('jürgen@münchen.example/é');
    expect(jid.asciiDomain).toBe('xn--mnchen-3ya.example');
    expect(JSON.stringify({ jid })).toBe('{"jid":"jürgen@münchen.example/phone"}');
    expect(() => jid.withResource('')).toThrow(JidError);
    expect(() => jid.withResource('a\u0000')).toThrow(/the resource .* control character/);
    expect(() => JID.fromParts({ local: 'a@b', domain: 'c', resource: undefined })).toThrow(
      /may not contain @/,
    );
  });
});

describe('JID.fromServer', () => {
  it('prepares what can be prepared and keeps the rest as it came', () => {
    const jid = JID.fromServer('King♚@EXAMPLE.com/Ａ\u00a0b');
    expect(jid.toString()).toBe('King♚@example.com/Ａ b');
    expect(jid.isValid).toBe(false);
    expect(jid.equals(JID.fromServer('King♚@example.COM./Ａ b'))).toBe(true);
    expect(jid.equals(JID.fromServer('king♚@example.com/Ａ b'))).toBe(false);
    expect(JID.fromServer('Alice@Example.com')).toEqual(JID.parse('alice@example.com'));
  });

  it.each(['', '@', '/', '@/', 'a@', '@a', 'a/', 'a@@b', '\ud800@\udfff/\u0000', `${'a'.repeat(5000)}@b`])(
    'takes %j and gives it back',
    (text) => {
      expect(JID.fromServer(text).toString()).toBe(text);
    },
  );

  it('never throws and always gives a stable text', () => {
    fc.assert(
      fc.property(addressLike, (text) => {
        const jid = JID.fromServer(text);
        expect(JID.fromServer(jid.toString())).toEqual(jid);
        expect(jid.bare.toString()).toBe(JID.fromServer(jid.toString()).bare.toString());
      }),
      { numRuns: 1000 },
    );
  });
});
