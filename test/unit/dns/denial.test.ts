/** What single records prove and what they do not: the cases of RFC 4035 §5.4, RFC 5155 §8 and RFC 6840 §4. */
import { describe, expect, it } from 'vitest';
import type { Proof } from '../../../src/lib/dns/dnssec/denial.js';
import { readNsecDenial } from '../../../src/lib/dns/dnssec/nsec.js';
import { readNsec3Denial } from '../../../src/lib/dns/dnssec/nsec3.js';
import type { RecordOf } from '../../../src/lib/dns/records.js';
import { hashName, toBase32Hex } from '../../support/dns-signer.js';
import { Type } from '../../support/dns-world.js';

const PROVEN: Proof = { result: 'proven' };
const NONE: Proof = { result: 'none' };

describe('NSEC', () => {
  const nsec = (name: string, next: string, ...types: number[]): RecordOf<'NSEC'> => ({
    name,
    type: 'NSEC',
    ttlSeconds: 60,
    next,
    types: new Set(types),
  });
  const apex = nsec('z.test', 'b.z.test', Type.SOA, Type.NS);

  it('denies names between its two, when it denies their wildcard as well', () => {
    expect(readNsecDenial([apex]).proveNoDomain('a.z.test')).toEqual(PROVEN);
    expect(readNsecDenial([apex]).proveNoDomain('b.z.test')).toEqual(NONE);
    expect(readNsecDenial([apex]).proveNoDomain('z.test')).toEqual(NONE);
    const between = nsec('b.z.test', 'd.z.test', Type.A);
    expect(readNsecDenial([between]).proveNoDomain('c.z.test')).toEqual(NONE);
    expect(readNsecDenial([between, apex]).proveNoDomain('c.z.test')).toEqual(PROVEN);
  });

  it('denies what is after the last name, and nothing outside of the zone', () => {
    const last = nsec('y.z.test', 'z.test', Type.A);
    expect(readNsecDenial([last, apex]).proveNoDomain('yy.z.test')).toEqual(PROVEN);
    expect(readNsecDenial([last, apex]).proveNoDomain('zz.test')).toEqual(NONE);
    expect(readNsecDenial([last, apex]).proveNoDomain('x.z.test')).toEqual(NONE);
  });

  it('denies no names below another zone, or below a DNAME', () => {
    const delegation = nsec('b.z.test', 'd.z.test', Type.NS);
    const dname = nsec('b.z.test', 'd.z.test', Type.DNAME);
    for (const above of [delegation, dname]) {
      expect(readNsecDenial([above, apex]).proveNoDomain('a.b.z.test')).toEqual(NONE);
      expect(readNsecDenial([above, apex]).proveNoDomain('c.z.test')).toEqual(PROVEN);
    }
  });

  it('does not deny a name that has others below it, but its records', () => {
    const gap = nsec('b.z.test', 'x.c.z.test', Type.A);
    expect(readNsecDenial([gap, apex]).proveNoDomain('c.z.test')).toEqual(NONE);
    expect(readNsecDenial([gap, apex]).proveNoData('c.z.test', Type.A)).toEqual(PROVEN);
    expect(readNsecDenial([gap]).proveWildcardUse('c.z.test', 2)).toEqual(NONE);
  });

  it.each([
    [[Type.A], Type.TXT, PROVEN],
    [[Type.A], Type.A, NONE],
    [[Type.CNAME], Type.A, NONE],
    // The zone above says nothing of the records of the zone below, except of the DS record.
    [[Type.NS], Type.A, NONE],
    [[Type.NS], Type.DS, { result: 'proven', isDelegation: true }],
    [[Type.NS, Type.DS], Type.DS, NONE],
    [[Type.NS, Type.SOA], Type.A, PROVEN],
    // And the zone below says nothing of its own DS record.
    [[Type.NS, Type.SOA], Type.DS, NONE],
    [[Type.A], Type.DS, { result: 'proven', isDelegation: false }],
  ])('with types %j, asked about type %i, proves %j', (types, type, proof) => {
    expect(readNsecDenial([nsec('b.z.test', 'c.z.test', ...types)]).proveNoData('b.z.test', type)).toEqual(
      proof,
    );
  });

  it('tells which wildcard a name can come from', () => {
    const wildcard = nsec('*.z.test', 'b.z.test', Type.TXT);
    const deeper = nsec('b.z.test', 'd.z.test', Type.A);
    expect(readNsecDenial([deeper, wildcard]).proveNoData('c.z.test', Type.A)).toEqual(PROVEN);
    expect(readNsecDenial([deeper, wildcard]).proveNoData('c.z.test', Type.TXT)).toEqual(NONE);
    expect(readNsecDenial([deeper]).proveWildcardUse('c.z.test', 2)).toEqual(PROVEN);
    // b.z.test exists, so a name below it cannot come from *.z.test.
    expect(readNsecDenial([deeper]).proveWildcardUse('a.b.z.test', 2)).toEqual(NONE);
    expect(readNsecDenial([]).proveWildcardUse('c.z.test', 2)).toEqual(NONE);
  });
});

describe('NSEC3', () => {
  const salt = Buffer.from('aabbccdd', 'hex');
  const iterations = 12;
  const shift = (hash: Buffer, by: 1 | -1): Buffer => {
    const moved = Buffer.from(hash);
    moved.writeUInt32BE((moved.readUInt32BE(16) + by) >>> 0, 16);
    return moved;
  };
  const make = (from: Buffer, to: Buffer, ...types: number[]): RecordOf<'NSEC3'> => ({
    name: `${toBase32Hex(from)}.z.test`,
    type: 'NSEC3',
    ttlSeconds: 60,
    hashAlgorithm: 1,
    isOptOut: false,
    hasUnknownFlags: false,
    iterations,
    salt,
    nextHash: to,
    types: new Set(types),
  });
  const hash = (name: string): Buffer => hashName(name, iterations, salt);
  const at = (name: string, ...types: number[]): RecordOf<'NSEC3'> =>
    make(hash(name), shift(hash(name), 1), ...types);
  const over = (name: string): RecordOf<'NSEC3'> => make(shift(hash(name), -1), shift(hash(name), 1));
  const read = (...records: RecordOf<'NSEC3'>[]): ReturnType<typeof readNsec3Denial> =>
    readNsec3Denial(records, 'z.test');

  it('hashes as in RFC 5155, appendix A', () => {
    expect(toBase32Hex(hashName('example', 12, salt))).toBe('0p9mhaveqvm6t7vbl5lop2u3t2rp3tom');
  });

  it('denies names by their closest encloser, the next closer name and the wildcard', () => {
    const proof = [at('z.test', Type.SOA, Type.NS), over('c.z.test'), over('*.z.test')];
    expect(read(...proof).proveNoDomain('c.z.test')).toEqual(PROVEN);
    expect(read(...proof).proveNoDomain('a.b.c.z.test')).toEqual(PROVEN);
    for (const missing of proof)
      expect(read(...proof.filter((one) => one !== missing)).proveNoDomain('c.z.test')).toEqual(NONE);
  });

  it('denies no names below another zone, or below a DNAME', () => {
    for (const type of [Type.NS, Type.DNAME]) {
      const proof = [at('b.z.test', type), over('a.b.z.test'), over('*.b.z.test')];
      expect(read(...proof).proveNoDomain('a.b.z.test')).toEqual(NONE);
    }
  });

  it('proves by opt-out only that there may be something unsigned', () => {
    const optOut = { ...over('c.z.test'), isOptOut: true };
    const unsigned = {
      result: 'unsigned',
      reason: 'the zone z.test leaves unsigned zones below it out of its proofs',
    };
    const apex = at('z.test', Type.SOA, Type.NS);
    expect(read(apex, optOut).proveNoData('c.z.test', Type.DS)).toEqual(unsigned);
    expect(read(apex, over('c.z.test')).proveNoData('c.z.test', Type.DS)).toEqual(NONE);
    expect(read(apex, optOut, over('*.z.test')).proveNoDomain('c.z.test')).toEqual(unsigned);
    expect(read(optOut).proveWildcardUse('c.z.test', 2)).toEqual(unsigned);
  });

  it('denies types at a name, and at the wildcard it comes from', () => {
    expect(read(at('b.z.test', Type.A)).proveNoData('b.z.test', Type.TXT)).toEqual(PROVEN);
    expect(read(at('b.z.test', Type.A)).proveNoData('b.z.test', Type.A)).toEqual(NONE);
    expect(read(at('b.z.test', Type.NS)).proveNoData('b.z.test', Type.A)).toEqual(NONE);
    const wild = [at('z.test', Type.SOA), over('c.z.test'), at('*.z.test', Type.TXT)];
    expect(read(...wild).proveNoData('c.z.test', Type.A)).toEqual(PROVEN);
    expect(read(...wild).proveNoData('c.z.test', Type.TXT)).toEqual(NONE);
    expect(read(over('c.z.test')).proveWildcardUse('x.c.z.test', 2)).toEqual(PROVEN);
    expect(read(over('x.c.z.test')).proveWildcardUse('x.c.z.test', 2)).toEqual(NONE);
  });

  it('is not used when it is of an unknown kind, of another zone or salted in another way', () => {
    const good = at('b.z.test', Type.A);
    for (const bad of [
      { ...good, hashAlgorithm: 2 },
      { ...good, hasUnknownFlags: true },
      { ...good, name: good.name.replace('z.test', 'y.z.test') },
    ])
      expect(read(bad).proveNoData('b.z.test', Type.TXT)).toEqual(NONE);
    const other = { ...at('c.z.test', Type.A), salt: Buffer.alloc(0) };
    expect(read(other, good).proveNoData('b.z.test', Type.TXT)).toEqual(NONE);
  });

  it('is not computed above 150 rounds', () => {
    expect(
      read({ ...at('b.z.test', Type.A), iterations: 65_535 }).proveNoData('b.z.test', Type.TXT),
    ).toMatchObject({
      result: 'unsigned',
    });
  });
});
