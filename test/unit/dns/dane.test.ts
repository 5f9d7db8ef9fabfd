import { createHash, createPublicKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matchTlsa, type TlsaCheck } from '../../../src/lib/dns/dane.js';
import type { RecordOf } from '../../../src/lib/dns/records.js';
import { extractPublicKeyInfo } from '../../../src/lib/dns/spki.js';
import { makeTlsFixtures } from '../../support/tls-fixtures.js';

const readDer = (name: string): Buffer =>
  new X509Certificate(readFileSync(path.join(import.meta.dirname, '../../fixtures/dane', `${name}.cert.pem`)))
    .raw;
const [leaf, intermediate, root] = [readDer('leaf'), readDer('intermediate'), readDer('root')];
/** Has the name of the intermediate one, but another key. */
const sameName = readDer('same-name');
const chain = [leaf, intermediate, root];

/** The key as another implementation writes it. */
const keyOf = (der: Buffer): Buffer => {
  const pem = new X509Certificate(der).publicKey.export({ format: 'pem', type: 'spki' });
  return createPublicKey(pem).export({ format: 'der', type: 'spki' });
};

function tlsa(usage: number, selector: number, matchingType: number, der: Buffer): RecordOf<'TLSA'> {
  const selected = selector === 1 ? keyOf(der) : der;
  const digest = ['', 'sha256', 'sha512'][matchingType] ?? '';
  const data = digest ? createHash(digest).update(selected).digest() : selected;
  return { name: '_5222._tcp.xmpp.test', type: 'TLSA', ttlSeconds: 60, usage, selector, matchingType, data };
}

const trusted: TlsaCheck = { pkixTrusted: true, now: new Date('2027-01-01') };
const untrusted: TlsaCheck = { ...trusted, pkixTrusted: false };
const judge = (record: RecordOf<'TLSA'>, check: TlsaCheck, certificates = chain): unknown =>
  matchTlsa([record], certificates, check).records[0];

const formats = [0, 1].flatMap((selector) => [0, 1, 2].map((matching) => [selector, matching] as const));

describe.each(formats)('records with selector %i and matching type %i', (selector, matching) => {
  it('of usage 3 mean the certificate of the server, whoever trusts it', () => {
    const record = tlsa(3, selector, matching, leaf);
    expect(judge(record, untrusted, [leaf])).toEqual({
      record,
      usable: true,
      matches: true,
      certificateIndex: 0,
      reason: 'it fits',
    });
    expect(judge(tlsa(3, selector, matching, intermediate), trusted)).toMatchObject({
      usable: true,
      matches: false,
      reason: "it names another certificate than the server's",
    });
  });

  it('of usage 1 mean it too, but it must be trusted', () => {
    const record = tlsa(1, selector, matching, leaf);
    expect(judge(record, trusted)).toMatchObject({ matches: true, certificateIndex: 0 });
    expect(judge(record, untrusted)).toMatchObject({
      usable: true,
      matches: false,
      certificateIndex: 0,
      reason: 'it fits, but the certificate must also be trusted without it',
    });
  });

  it.each([
    [intermediate, 1],
    [root, 2],
  ])('of usage 2 mean an issuer that was sent', (issuer, certificateIndex) => {
    const record = tlsa(2, selector, matching, issuer);
    expect(judge(record, untrusted)).toMatchObject({
      matches: true,
      certificateIndex,
      reason: 'the issuer is the one it names',
    });
    // In which order they were sent makes no difference.
    expect(judge(record, untrusted, [leaf, root, intermediate])).toMatchObject({ matches: true });
    expect(judge(record, trusted, [leaf])).toMatchObject({
      matches: false,
      reason: 'it names none of the issuers that the server sent',
    });
  });

  it('of usage 0 mean an issuer too, and the certificate must be trusted', () => {
    const record = tlsa(0, selector, matching, root);
    expect(judge(record, trusted)).toMatchObject({ matches: true, certificateIndex: 2 });
    expect(judge(record, untrusted)).toMatchObject({ usable: true, matches: false });
    expect(judge(tlsa(0, selector, matching, leaf), trusted)).toMatchObject({ matches: false });
  });
});

describe('an issuer', () => {
  it('counts only if it signed what leads to the server', () => {
    const record = tlsa(2, 1, 1, sameName);
    expect(judge(record, trusted, [leaf, sameName, intermediate, root])).toMatchObject({
      usable: true,
      matches: false,
      certificateIndex: 1,
      reason: "the issuer it names did not sign the server's certificate",
    });
    // The root is right, but what is between is missing.
    expect(judge(tlsa(2, 1, 1, root), trusted, [leaf, root])).toMatchObject({ matches: false });
  });

  it('counts only if it may sign', () => {
    const below = readDer('below-leaf');
    expect(judge(tlsa(2, 1, 1, leaf), trusted, [below, leaf, intermediate, root])).toMatchObject({
      matches: false,
      reason: "the issuer it names did not sign the server's certificate",
    });
  });

  it('counts only in the time of every certificate below it', () => {
    const { ca, expired, notYetValid } = makeTlsFixtures();
    const authority = new X509Certificate(ca).raw;
    const record = tlsa(2, 0, 1, authority);
    const now = new Date();
    const judgeLeaf = (cert: string): unknown =>
      judge(record, { pkixTrusted: false, now }, [new X509Certificate(cert).raw, authority]);
    expect(judgeLeaf(expired.cert)).toMatchObject({
      matches: false,
      reason: 'a certificate on the way to the issuer has expired',
    });
    expect(judgeLeaf(notYetValid.cert)).toMatchObject({
      matches: false,
      reason: 'a certificate on the way to the issuer is not valid yet',
    });
    // Usage 3 does not ask for dates (RFC 7671 §5.1).
    const own = new X509Certificate(expired.cert).raw;
    expect(judge(tlsa(3, 1, 1, own), untrusted, [own])).toMatchObject({ matches: true });
  });
});

describe('all records together', () => {
  it('match when one does, and the others are told', () => {
    const [old, current] = [tlsa(3, 1, 1, intermediate), tlsa(3, 1, 1, leaf)];
    const match = matchTlsa([old, current], chain, untrusted);
    expect(match).toMatchObject({ usable: true, matched: true, by: current });
    expect(match.records.map(({ matches }) => matches)).toEqual([false, true]);
  });

  it('ask for nothing when there are none', () => {
    expect(matchTlsa([], chain, trusted)).toEqual({ records: [], usable: false, matched: false });
  });

  it.each([
    [{ usage: 4 }, 'the usage 4 is not known'],
    [{ selector: 2 }, 'the selector 2 is not known'],
    [{ matchingType: 3 }, 'the matching type 3 is not known'],
    [{ data: Buffer.alloc(31) }, 'the digest has 31 bytes instead of 32'],
    [{ matchingType: 2 }, 'the digest has 32 bytes instead of 64'],
    [{ matchingType: 0, data: Buffer.alloc(0) }, 'the record is empty'],
  ])('are passed over with %j', (wrong, reason) => {
    const record = { ...tlsa(3, 1, 1, leaf), ...wrong };
    expect(matchTlsa([record], chain, trusted)).toEqual({
      records: [{ record, usable: false, matches: false, reason }],
      usable: false,
      matched: false,
    });
  });
});

describe('the key of a certificate', () => {
  it('is found byte for byte', () => {
    for (const der of [...chain, sameName]) expect(extractPublicKeyInfo(der)).toEqual(keyOf(der));
  });

  it('of rubbish is none, and nothing is thrown', () => {
    fc.assert(
      fc.property(fc.nat(leaf.length - 1), fc.nat(255), fc.nat(leaf.length), (at, byte, length) => {
        const changed = Buffer.from(leaf);
        changed[at] = byte;
        const cut = changed.subarray(0, length);
        const match = matchTlsa([tlsa(3, 1, 1, leaf), tlsa(2, 0, 0, root)], [cut, cut, root], untrusted);
        expect(match.records).toHaveLength(2);
      }),
      { numRuns: 500 },
    );
    expect(extractPublicKeyInfo(Buffer.from('3003020101', 'hex'))).toBeUndefined();
    expect(extractPublicKeyInfo(Buffer.alloc(0))).toBeUndefined();
  });
});
