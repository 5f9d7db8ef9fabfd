/** Answers that are as they should be, resolvers that are not, and aliases. */
import { describe, expect, it } from 'vitest';
import { rdata, type TestRecord } from '../../support/dns-signer.js';
import { daysAround, record, Type } from '../../support/dns-world.js';
import { makeWorld, SERVICE, zoneRecords, useSignedWorld } from '../../support/signed-world.js';

const dns = useSignedWorld();

describe('a signed answer', () => {
  it('is secure, with its records as values', async () => {
    expect(await dns.lookUp(`${SERVICE.toUpperCase()}.`, 'SRV')).toEqual({
      name: SERVICE,
      type: 'SRV',
      records: [
        {
          name: SERVICE,
          type: 'SRV',
          ttlSeconds: 3600,
          priority: 5,
          weight: 10,
          port: 5222,
          target: 'xmpp.signed.test',
        },
      ],
      status: 'found',
      security: 'secure',
      canonicalName: SERVICE,
      cnames: [],
      ttlSeconds: 3600,
      rcode: 'NOERROR',
    });
  });

  it.each([8, 10, 13, 14, 15, 16])('is secure when its zone uses algorithm %i', async (algorithm) => {
    dns.world = makeWorld({ algorithm });
    expect(await dns.lookUp(SERVICE, 'SRV')).toMatchObject({ status: 'found', security: 'secure' });
  });

  it('is secure by a digest of SHA-384', async () => {
    dns.world = makeWorld({ dsDigestType: 4 });
    expect(await dns.lookUp(SERVICE, 'SRV')).toMatchObject({ security: 'secure' });
  });

  it('is secure below a trust anchor that is a key, and that is not the root', async () => {
    const { key } = dns.world.findZone('signed.test');
    const anchor = `signed.test. IN DNSKEY 257 3 13 ${key.rdata.subarray(4).toString('base64')} ; its key`;
    const resolver = await dns.makeResolver(anchor);
    expect(await resolver.lookup(SERVICE, 'SRV')).toMatchObject({ security: 'secure' });
    expect(await resolver.lookup('test', 'SOA')).toMatchObject({
      security: 'indeterminate',
      reason: 'no trust anchor is above the name',
    });
  });

  it('may be kept no longer than it was signed for', async () => {
    dns.tamperWith(SERVICE, Type.SRV, ({ answers = [] }) => ({
      answers: answers.map((one) => ({ ...one, ttlSeconds: 1_000_000 })),
    }));
    expect(await dns.lookUp(SERVICE, 'SRV')).toMatchObject({ security: 'secure', ttlSeconds: 3600 });
  });

  it('is insecure, with the reason, when nothing introduces its zone', async () => {
    dns.world = makeWorld({ dsDigestType: 0 });
    expect(await dns.lookUp(SERVICE, 'SRV')).toMatchObject({
      status: 'found',
      security: 'insecure',
      reason: 'the zone signed.test is not signed: test has no DS record for it',
    });
  });

  it.each([
    [{ algorithm: 5 }, 'it is signed only by RSASHA1, which is not supported'],
    [{ dsDigestType: 1 }, 'its DS records are digests by SHA-1, which is too weak'],
    [{ dsDigestType: 99 }, 'its DS records are digests of a kind that is not supported'],
  ])('is insecure with %j', async (spec, reason) => {
    dns.world = makeWorld(spec);
    expect(await dns.lookUp(SERVICE, 'SRV')).toMatchObject({
      security: 'insecure',
      reason: `the zone signed.test counts as unsigned: ${reason}`,
    });
  });

  it('is asked for once, and so are the keys above it, also at the same time', async () => {
    const resolver = await dns.makeResolver();
    await Promise.all([
      resolver.lookup(SERVICE, 'SRV'),
      resolver.lookup(SERVICE, 'SRV'),
      resolver.lookup('xmpp.signed.test', 'A'),
    ]);
    const asked = dns.questions.map(({ name, type }) => `${type} ${name}`);
    expect(asked.sort()).toEqual(
      [
        `${Type.SRV} ${SERVICE}`,
        `${Type.A} xmpp.signed.test`,
        `${Type.DNSKEY} .`,
        `${Type.DS} test`,
        `${Type.DNSKEY} test`,
        `${Type.DS} signed.test`,
        `${Type.DNSKEY} signed.test`,
      ].sort(),
    );
    expect(dns.questions.every(({ wantsSignatures }) => wantsSignatures)).toBe(true);
  });
});

describe('a resolver', () => {
  it('that leaves out all signatures makes an answer indeterminate', async () => {
    dns.tamper = ({ answers = [], ...rest }) => ({
      ...rest,
      answers: answers.filter(({ type }) => type !== Type.RRSIG),
    });
    expect(await dns.lookUp(SERVICE, 'SRV')).toMatchObject({
      status: 'found',
      security: 'indeterminate',
      reason: 'the resolver does not pass on signatures',
    });
  });

  it('that knows no EDNS for what is below the root does, too', async () => {
    dns.tamper = (reply, { name }) =>
      name === '.'
        ? reply
        : {
            hasEdns: false,
            ...(reply.rcode && { rcode: reply.rcode }),
            answers: (reply.answers ?? []).filter(({ type }) => type !== Type.RRSIG),
          };
    expect(await dns.lookUp(SERVICE, 'SRV')).toMatchObject({
      security: 'indeterminate',
      reason: 'the resolver does not pass on signatures',
    });
  });

  it('that validates says SERVFAIL, and is asked for the data all the same', async () => {
    dns.world = makeWorld({ times: daysAround(-10, -1) });
    dns.tamper = (reply, { isCheckingDisabled, name }) =>
      name.endsWith('signed.test') && !isCheckingDisabled ? { rcode: 2 } : reply;
    expect(await dns.lookUp(SERVICE, 'SRV')).toMatchObject({
      status: 'found',
      security: 'bogus',
      reason: 'the signature of the DNSKEY record of signed.test expired on 2026-01-14T00:00:00Z',
    });
  });

  it('that says SERVFAIL for good signatures is contradicted', async () => {
    dns.tamper = (reply, { isCheckingDisabled }) => (isCheckingDisabled ? reply : { rcode: 2 });
    expect(await dns.lookUp(SERVICE, 'SRV')).toMatchObject({
      security: 'secure',
      reason: 'the resolver refuses this answer, though nothing is wrong with it here',
    });
  });

  it('that has no data even then has failed', async () => {
    dns.tamperWith(SERVICE, Type.SRV, () => ({ rcode: 2 }));
    expect(await dns.lookUp(SERVICE, 'SRV')).toMatchObject({
      status: 'failed',
      security: 'indeterminate',
      rcode: 'SERVFAIL',
      reason: `the resolver answers SERVFAIL for ${SERVICE}`,
      ttlSeconds: 0,
    });
  });

  it('that only refers to others has failed', async () => {
    dns.tamperWith(SERVICE, Type.SRV, () => ({
      flags: 0,
      authorities: [record('test', Type.NS, rdata.name('ns.test'))],
    }));
    expect(await dns.lookUp(SERVICE, 'SRV')).toMatchObject({ status: 'failed' });
  });

  it('that cannot find the DS record leaves it open whether an answer is signed', async () => {
    dns.tamperWith('signed.test', Type.DS, () => ({ rcode: 5 }));
    expect(await dns.lookUp(SERVICE, 'SRV')).toMatchObject({
      status: 'found',
      security: 'indeterminate',
      reason:
        'whether signed.test is a signed zone could not be found out: the resolver answers REFUSED for signed.test',
    });
  });

  it('that sends records it cannot have has failed, and nothing is thrown', async () => {
    dns.tamperWith(SERVICE, Type.SRV, () => ({ answers: [record(SERVICE, Type.RRSIG, Buffer.of(1))] }));
    expect(await dns.lookUp(SERVICE, 'SRV')).toMatchObject({ status: 'failed', security: 'indeterminate' });
  });
});

describe('aliases', () => {
  const alias = (from: string, to: string): TestRecord => record(from, Type.CNAME, rdata.name(to));

  it('are followed from zone to zone, each judged by its own', async () => {
    dns.world = makeWorld(
      {
        records: [
          ...zoneRecords,
          alias('a.signed.test', 'b.signed.test'),
          alias('b.signed.test', 'host.other.test'),
        ],
      },
      [
        {
          name: 'other.test',
          denial: 'unsigned',
          records: [record('host.other.test', Type.A, rdata.a('192.0.2.7'), 60)],
        },
      ],
    );
    expect(await dns.lookUp('a.signed.test', 'A')).toMatchObject({
      name: 'a.signed.test',
      status: 'found',
      security: 'insecure',
      reason: 'the zone other.test is not signed: test has no DS record for it',
      canonicalName: 'host.other.test',
      cnames: ['b.signed.test', 'host.other.test'],
      records: [{ address: '192.0.2.7' }],
      ttlSeconds: 60,
    });
  });

  it('that lead to nothing keep where they led', async () => {
    dns.world = makeWorld({ records: [alias('a.signed.test', 'nobody.signed.test')] });
    expect(await dns.lookUp('a.signed.test', 'A')).toMatchObject({
      status: 'no-domain',
      security: 'secure',
      canonicalName: 'nobody.signed.test',
    });
  });

  it('are found themselves when asked for', async () => {
    dns.world = makeWorld({ records: [alias('a.signed.test', 'nobody.signed.test')] });
    expect(await dns.lookUp('a.signed.test', 'CNAME')).toMatchObject({
      status: 'found',
      records: [{ target: 'nobody.signed.test' }],
      cnames: [],
    });
  });

  it('that lead in a circle fail', async () => {
    dns.world = makeWorld({
      records: [alias('a.signed.test', 'b.signed.test'), alias('b.signed.test', 'a.signed.test')],
    });
    expect(await dns.lookUp('a.signed.test', 'A')).toMatchObject({
      status: 'failed',
      reason: 'the aliases of a.signed.test lead in a circle',
    });
  });

  it('are not followed without end', async () => {
    dns.tamper = (reply, { name, type }) =>
      type === Type.A
        ? { answers: [alias(name, `n${Number(name.slice(1, name.indexOf('.'))) + 1}.signed.test`)] }
        : reply;
    expect(await dns.lookUp('n0.signed.test', 'A')).toMatchObject({
      status: 'failed',
      security: 'bogus',
      reason: 'n0.signed.test has more than 8 aliases in a row',
      canonicalName: 'n8.signed.test',
    });
  });

  it('that were slipped in are bogus, whatever they lead to', async () => {
    dns.tamperWith(SERVICE, Type.A, () => ({ answers: [alias(SERVICE, 'xmpp.signed.test')] }));
    expect(await dns.lookUp(SERVICE, 'A')).toMatchObject({
      status: 'found',
      security: 'bogus',
      reason: `the CNAME record of ${SERVICE} is not signed, though the zone signed.test is`,
    });
  });

  it('of whole subtrees are followed', async () => {
    dns.world = makeWorld({
      records: [
        record('old.signed.test', Type.DNAME, rdata.name('new.signed.test')),
        record('host.new.signed.test', Type.A, rdata.a('192.0.2.3')),
      ],
    });
    const dname = dns.world.answer({ name: 'old.signed.test', type: Type.DNAME });
    dns.tamperWith('host.old.signed.test', Type.A, () => ({
      answers: [...(dname.answers ?? []), alias('host.old.signed.test', 'host.new.signed.test')],
    }));
    expect(await dns.lookUp('host.old.signed.test', 'A')).toMatchObject({
      status: 'found',
      security: 'secure',
      cnames: ['host.new.signed.test'],
      records: [{ address: '192.0.2.3' }],
    });
  });
});

it('names that are longer than is worth following are indeterminate', async () => {
  dns.tamper = (reply, { type, name }) =>
    type === Type.A ? { answers: [record(name, Type.A, rdata.a('192.0.2.1'))] } : reply;
  const name = `${'a.'.repeat(40)}signed.test`;
  expect(await dns.lookUp(name, 'A')).toMatchObject({
    status: 'found',
    security: 'indeterminate',
    reason: 'the name has more than 32 labels, which is not followed',
  });
});
