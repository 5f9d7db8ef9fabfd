import fc from 'fast-check';
import { parse, stringify } from 'smol-toml';
import { describe, expect, it } from 'vitest';
import { readLayout } from '../../../src/lib/config/toml-layout.js';

describe('readLayout', () => {
  it('finds the line and the value of each key, whatever kind of value it has', () => {
    const text = [
      '# a comment with [a.header] and key = "value"',
      'default_account = "al#ice" # trailing',
      '',
      '[accounts."b \\"c\\" \\u00e9"]  # header comment',
      "jid = 'a]b'",
      'tls_pin = [',
      '  "one", # with ] in a comment',
      '  "two",',
      ']',
      'long = """',
      'first = "not a key"',
      '"""',
      'dotted . key = { x = "}" , y = [1, 2] }',
      'last = 2026-11-22T10:00:00Z',
    ].join('\n');
    parse(text);
    const { pairs, headers } = readLayout(text);
    expect(headers.map(({ path, line }) => [path, line])).toEqual([[['accounts', 'b "c" é'], 4]]);
    expect(
      pairs.map(({ path, line, valueStart, valueEnd }) => [
        path.at(-1),
        line,
        text.slice(valueStart, valueEnd),
      ]),
    ).toEqual([
      ['default_account', 2, '"al#ice"'],
      ['jid', 5, "'a]b'"],
      ['tls_pin', 6, '[\n  "one", # with ] in a comment\n  "two",\n]'],
      ['long', 10, '"""\nfirst = "not a key"\n"""'],
      ['key', 13, '{ x = "}" , y = [1, 2] }'],
      ['last', 14, '2026-11-22T10:00:00Z'],
    ]);
  });

  it('reads strings that end in quotes and escaped quotes', () => {
    const text = 'a = """x\\""""""\nb = \'\'\'it\'s\'\'\'\'\nc = "\\\\"\nd = 1\n';
    expect(parse(text)).toEqual({ a: 'x"""', b: "it's'", c: '\\', d: 1 });
    expect(readLayout(text).pairs.map(({ path, line }) => [path[0], line])).toEqual([
      ['a', 1],
      ['b', 2],
      ['c', 3],
      ['d', 4],
    ]);
  });

  it('finds every key that the parser finds, in what smol-toml writes', () => {
    const key = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 8 })
      .filter((text) => text !== '__proto__');
    const value = fc.oneof(fc.string(), fc.boolean(), fc.integer(), fc.array(fc.string(), { maxLength: 3 }));
    fc.assert(
      fc.property(
        fc.dictionary(key, value, { maxKeys: 4 }),
        fc.dictionary(key, fc.dictionary(key, value, { minKeys: 1, maxKeys: 3 }), { maxKeys: 3 }),
        (top, tables) => {
          const text = stringify({ ...top, accounts: tables });
          const found = readLayout(text).pairs.map(({ path, valueStart, valueEnd }) => {
            const { v } = parse(`v = ${text.slice(valueStart, valueEnd)}`);
            return [path.join('\u0000'), v] as const;
          });
          const expected = [
            ...Object.entries(top).filter(([name]) => name !== 'accounts'),
            ...Object.entries(tables).flatMap(([name, table]) =>
              Object.entries(table).map(([inner, v]) => [`accounts\u0000${name}\u0000${inner}`, v] as const),
            ),
          ];
          expect(new Map(found)).toEqual(new Map(expected));
        },
      ),
    );
  });
});
