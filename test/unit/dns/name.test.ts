import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  compareNames,
  findCommonAncestor,
  isWithin,
  joinLabels,
  keepLabels,
  nameToWire,
  parentOf,
  parseName,
  replaceEnd,
  wildcardOf,
} from '../../../src/lib/dns/name.js';
import { WireReader } from '../../../src/lib/dns/wire-reader.js';
import { DnsError } from '../../../src/lib/errors.js';

describe('names', () => {
  it.each([
    ['Example.ORG', 'example.org'],
    ['example.org.', 'example.org'],
    ['.', '.'],
    ['', '.'],
    ['_xmpp-client._tcp.example.org', '_xmpp-client._tcp.example.org'],
    ['a\\.b.test', 'a\\046b.test'],
    ['a\\\\b.test', 'a\\092b.test'],
    ['\\065\\000.test', 'a\\000.test'],
  ])('%j is read as %j', (text, name) => {
    expect(parseName(text)).toBe(name);
  });

  it.each(['a..b', '.a', 'a\\', 'bücher.test', '\\999.test', `${'a'.repeat(64)}.test`, 'abcd.'.repeat(60)])(
    '%j is none',
    (text) => {
      expect(() => parseName(text)).toThrow(DnsError);
    },
  );

  it('survive the wire, whatever their labels hold', () => {
    const label = fc.uint8Array({ minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(fc.array(label, { maxLength: 8 }), (labels) => {
        const name = joinLabels(labels);
        expect(new WireReader(nameToWire(name)).readName()).toBe(name);
        expect(parseName(name)).toBe(name);
      }),
    );
  });

  it('have parents, ancestors and wildcards', () => {
    expect(parentOf('a.b.test')).toBe('b.test');
    expect(parentOf('test')).toBe('.');
    expect(keepLabels('a.b.test', 2)).toBe('b.test');
    expect(keepLabels('a.b.test', 0)).toBe('.');
    expect(wildcardOf('.')).toBe('*');
    expect(isWithin('ab.test', 'b.test')).toBe(false);
    expect(isWithin('a.b.test', 'b.test')).toBe(true);
    expect(isWithin('test', '.')).toBe(true);
    expect(findCommonAncestor('a.b.test', 'c.b.test')).toBe('b.test');
    expect(findCommonAncestor('a.one', 'a.two')).toBe('.');
    expect(replaceEnd('x.y.old.test', 'old.test', 'new')).toBe('x.y.new');
    expect(replaceEnd('x.old.test', 'old.test', '.')).toBe('x');
  });

  it('are in the order of RFC 4034 §6.1', () => {
    const ordered = [
      'example',
      'a.example',
      'yljkjljk.a.example',
      'z.a.example',
      'zabc.a.example',
      'z.example',
      '\\001.z.example',
      '*.z.example',
      '\\200.z.example',
    ];
    expect([...ordered].reverse().sort(compareNames)).toEqual(ordered);
  });
});
