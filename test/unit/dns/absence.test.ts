/** What is not there, what is made from wildcards, and what is not signed. */
import { describe, expect, it } from 'vitest';
import { rdata } from '../../support/dns-signer.js';
import { record, Type, type ZoneSpec } from '../../support/dns-world.js';
import { makeWorld, SERVICE, zoneRecords, useSignedWorld } from '../../support/signed-world.js';

const dns = useSignedWorld();

describe('an absence', () => {
  it.each([
    ['nsec', {}],
    ['nsec3', {}],
    ['nsec3', { iterations: 3 }],
  ] as const)('is proven by %s %j', async (denial, nsec3) => {
    dns.world = makeWorld({ denial, nsec3 });
    const resolver = await dns.makeResolver();
    expect(await resolver.lookup(SERVICE, 'TLSA')).toMatchObject({
      status: 'no-data',
      security: 'secure',
      records: [],
      rcode: 'NOERROR',
      ttlSeconds: 300,
    });
    // A name with nothing but names below it.
    expect(await resolver.lookup('_tcp.signed.test', 'A')).toMatchObject({
      status: 'no-data',
      security: 'secure',
    });
    expect(await resolver.lookup('nobody.signed.test', 'A')).toMatchObject({
      status: 'no-domain',
      security: 'secure',
      rcode: 'NXDOMAIN',
    });
    expect(await resolver.lookup('a.b.nobody.signed.test', 'A')).toMatchObject({ security: 'secure' });
    // The name is made from a wildcard, which has no such record.
    expect(await resolver.lookup('x.wild.signed.test', 'A')).toMatchObject({
      status: 'no-data',
      security: 'secure',
    });
    expect(await resolver.lookup('xmpp.signed.test', 'DS')).toMatchObject({
      status: 'no-data',
      security: 'secure',
    });
  });

  it.each(['nsec', 'nsec3'] as const)('claimed of a name that exists is bogus (%s)', async (denial) => {
    dns.world = makeWorld({ denial });
    const elsewhere = dns.world.answer({ name: 'nobody.signed.test', type: Type.A });
    dns.tamper = (reply, { name, type }) =>
      type === Type.A && name === 'xmpp.signed.test'
        ? elsewhere
        : name === SERVICE && type === Type.SRV
          ? { ...elsewhere, rcode: 0 }
          : reply;
    const resolver = await dns.makeResolver();
    expect(await resolver.lookup('xmpp.signed.test', 'A')).toMatchObject({
      status: 'no-domain',
      security: 'bogus',
      reason: 'the zone signed.test does not prove that xmpp.signed.test does not exist',
    });
    expect(await resolver.lookup(SERVICE, 'SRV')).toMatchObject({
      status: 'no-data',
      security: 'bogus',
      reason: `the zone signed.test does not prove that ${SERVICE} has no SRV record`,
    });
  });

  it('is not proven by a proof that was made from a wildcard, whose owner could be any name', async () => {
    dns.world = makeWorld({
      records: [...zoneRecords, record('host.wild.signed.test', Type.A, rdata.a('192.0.2.5'))],
    });
    dns.tamperWith('host.wild.signed.test', Type.A, () => ({
      authorities: (dns.world.answer({ name: 'nobody.signed.test', type: Type.A }).authorities ?? [])
        .filter(({ name }) => name === '*.wild.signed.test')
        .map((one) => ({ ...one, name: 'host.wild.signed.test' })),
    }));
    expect(await dns.lookUp('host.wild.signed.test', 'A')).toMatchObject({
      status: 'no-data',
      security: 'bogus',
      reason: 'the zone signed.test does not prove that host.wild.signed.test has no A record',
    });
  });

  it('without any proof is bogus', async () => {
    dns.tamperWith('nobody.signed.test', Type.A, () => ({ rcode: 3 }));
    expect(await dns.lookUp('nobody.signed.test', 'A')).toMatchObject({
      status: 'no-domain',
      security: 'bogus',
      reason: 'the zone signed.test does not prove that nobody.signed.test does not exist',
    });
  });

  it('whose proof has a bad signature is bogus, and says so', async () => {
    dns.tamperWith('nobody.signed.test', Type.A, ({ authorities = [] }) => ({
      rcode: 3,
      authorities: authorities.map((one) =>
        one.type === Type.NSEC ? { ...one, rdata: rdata.nsec('zzz.signed.test', [Type.A]) } : one,
      ),
    }));
    expect(await dns.lookUp('nobody.signed.test', 'A')).toMatchObject({
      security: 'bogus',
      reason: expect.stringMatching(
        /^the signature of the NSEC record of .* does not fit its data$/,
      ) as string,
    });
  });

  it('counts as unsigned when its proof would cost too much', async () => {
    dns.world = makeWorld({ denial: 'nsec3', nsec3: { iterations: 151 } });
    expect(await dns.lookUp('nobody.signed.test', 'A')).toMatchObject({
      security: 'insecure',
      reason: 'the zone signed.test hashes names 151 times, and above 150 that is not checked (RFC 9276)',
    });
  });
});

describe('an unsigned zone', () => {
  const unsigned: ZoneSpec = {
    name: 'unsigned.signed.test',
    denial: 'unsigned',
    records: [record('unsigned.signed.test', Type.A, rdata.a('192.0.2.9'))],
  };

  it.each([
    ['nsec', false],
    ['nsec3', false],
    ['nsec3', true],
  ] as const)('is insecure where its parent proves that (%s, opt-out: %s)', async (denial, isOptOut) => {
    dns.world = makeWorld({ denial, nsec3: { isOptOut } }, [unsigned]);
    const resolver = await dns.makeResolver();
    const reason = isOptOut
      ? 'the zone signed.test leaves unsigned zones below it out of its proofs'
      : 'the zone unsigned.signed.test is not signed: signed.test has no DS record for it';
    expect(await resolver.lookup('unsigned.signed.test', 'A')).toMatchObject({
      status: 'found',
      security: 'insecure',
      reason,
    });
    expect(await resolver.lookup('nobody.unsigned.signed.test', 'A')).toMatchObject({
      status: 'no-domain',
      security: 'insecure',
      reason,
    });
  });

  it('is bogus where its parent proves nothing', async () => {
    dns.world = makeWorld({}, [unsigned]);
    dns.tamperWith('unsigned.signed.test', Type.DS, ({ authorities = [] }) => ({
      authorities: authorities.filter(({ type }) => type !== Type.NSEC),
    }));
    expect(await dns.lookUp('unsigned.signed.test', 'A')).toMatchObject({ security: 'bogus' });
  });
});

describe('a wildcard', () => {
  it.each(['nsec', 'nsec3'] as const)('makes secure answers (%s)', async (denial) => {
    dns.world = makeWorld({ denial });
    expect(await dns.lookUp('any.wild.signed.test', 'TXT')).toMatchObject({
      status: 'found',
      security: 'secure',
      records: [{ name: 'any.wild.signed.test', strings: ['from a wildcard'] }],
    });
  });

  it.each(['nsec', 'nsec3'] as const)('needs the proof that the name does not exist (%s)', async (denial) => {
    dns.world = makeWorld({ denial });
    dns.tamperWith('any.wild.signed.test', Type.TXT, ({ answers = [] }) => ({ answers }));
    expect(await dns.lookUp('any.wild.signed.test', 'TXT')).toMatchObject({
      security: 'bogus',
      reason: 'nothing proves that the TXT record of any.wild.signed.test may come from a wildcard',
    });
  });
});
