/** Every way in which a signed answer can be wrong. */
import { describe, expect, it } from 'vitest';
import { generateZoneKey, makeDs, rdata, signRecords, type TestRecord } from '../../support/dns-signer.js';
import { daysAround, DnsWorld, goodTimes, record, Type } from '../../support/dns-world.js';
import {
  makeWorld,
  SERVICE,
  serviceRecord,
  zoneRecords,
  useSignedWorld,
} from '../../support/signed-world.js';

const dns = useSignedWorld();

const isSignatureOver =
  (type: number) =>
  (one: TestRecord): boolean =>
    one.type === Type.RRSIG && one.rdata.readUInt16BE() === type;

describe('a bogus answer', () => {
  it.each([
    [
      'expired signatures',
      { times: daysAround(-10, -1) },
      'the signature of the DNSKEY record of signed.test expired on 2026-01-14T00:00:00Z',
    ],
    [
      'signatures of the future',
      { times: daysAround(1, 10) },
      'the signature of the DNSKEY record of signed.test is not valid before 2026-01-16T00:00:00Z',
    ],
  ])('has %s', async (_, spec, reason) => {
    dns.world = makeWorld(spec);
    expect(await dns.lookUp(SERVICE, 'SRV')).toMatchObject({ status: 'found', security: 'bogus', reason });
  });

  it('has data that was changed', async () => {
    dns.tamperWith(SERVICE, Type.SRV, (reply) => ({
      ...reply,
      flags: 0x00a0, // with AD, which is believed by nobody
      answers:
        reply.answers?.map((one) =>
          one.type === Type.SRV ? { ...one, rdata: rdata.srv(5, 10, 5222, 'evil.test') } : one,
        ) ?? [],
    }));
    expect(await dns.lookUp(SERVICE, 'SRV')).toMatchObject({
      status: 'found',
      security: 'bogus',
      reason: `the signature of the SRV record of ${SERVICE} does not fit its data`,
      records: [{ target: 'evil.test' }],
    });
  });

  it('has a record more', async () => {
    dns.tamperWith(SERVICE, Type.SRV, (reply) => ({
      answers: [...(reply.answers ?? []), record(SERVICE, Type.SRV, rdata.srv(0, 0, 1, 'evil.test'))],
    }));
    expect(await dns.lookUp(SERVICE, 'SRV')).toMatchObject({ security: 'bogus' });
  });

  it('has no signature', async () => {
    dns.tamperWith(SERVICE, Type.SRV, ({ answers = [] }) => ({
      answers: answers.filter(({ type }) => type !== Type.RRSIG),
    }));
    expect(await dns.lookUp(SERVICE, 'SRV')).toMatchObject({
      security: 'bogus',
      reason: `the SRV record of ${SERVICE} is not signed, though the zone signed.test is`,
    });
  });

  it('is signed by a key that the zone does not have', async () => {
    const stranger = generateZoneKey();
    dns.tamperWith(SERVICE, Type.SRV, () => ({
      answers: [serviceRecord, signRecords([serviceRecord], 'signed.test', stranger, goodTimes)],
    }));
    expect(await dns.lookUp(SERVICE, 'SRV')).toMatchObject({
      security: 'bogus',
      reason: `the signature of the SRV record of ${SERVICE} is by the key ${stranger.keyTag}, which the zone signed.test does not have`,
    });
  });

  it('is signed by a name that is no zone', async () => {
    const { key } = dns.world.findZone('signed.test');
    dns.tamperWith(SERVICE, Type.SRV, () => ({
      answers: [serviceRecord, signRecords([serviceRecord], '_tcp.signed.test', key, goodTimes)],
    }));
    expect(await dns.lookUp(SERVICE, 'SRV')).toMatchObject({
      security: 'bogus',
      reason: `what is said of ${SERVICE} is signed by _tcp.signed.test, which is no signed zone`,
    });
  });

  it('is signed by another signed zone than its own', async () => {
    dns.world = makeWorld({}, [{ name: 'other.test' }]);
    const { key } = dns.world.findZone('other.test');
    dns.tamperWith(SERVICE, Type.SRV, () => ({
      answers: [serviceRecord, signRecords([serviceRecord], 'other.test', key, goodTimes)],
    }));
    expect(await dns.lookUp(SERVICE, 'SRV')).toMatchObject({
      security: 'bogus',
      reason: `the SRV record of ${SERVICE} is not signed, though the zone signed.test is`,
    });
  });

  it('has a signature that was made for a longer name', async () => {
    const { key } = dns.world.findZone('signed.test');
    dns.tamperWith(SERVICE, Type.SRV, () => ({
      answers: [serviceRecord, signRecords([serviceRecord], 'signed.test', key, { ...goodTimes, labels: 5 })],
    }));
    expect(await dns.lookUp(SERVICE, 'SRV')).toMatchObject({
      security: 'bogus',
      reason: `the signature of the SRV record of ${SERVICE} is for a longer name`,
    });
  });

  it('has a key that was slipped in and signs the keys itself', async () => {
    const { key } = dns.world.findZone('signed.test');
    const slippedIn = generateZoneKey();
    const keys = [key, slippedIn].map((one) => record('signed.test', Type.DNSKEY, one.rdata));
    dns.tamper = (reply, { name, type }) =>
      name === 'signed.test' && type === Type.DNSKEY
        ? { answers: [...keys, signRecords(keys, 'signed.test', slippedIn, goodTimes)] }
        : name === SERVICE
          ? { answers: [serviceRecord, signRecords([serviceRecord], 'signed.test', slippedIn, goodTimes)] }
          : reply;
    expect(await dns.lookUp(SERVICE, 'SRV')).toMatchObject({
      security: 'bogus',
      reason: `the signature of the DNSKEY record of signed.test is by the key ${slippedIn.keyTag}, which the zone signed.test does not have`,
    });
  });

  it.each([
    ['was revoked', 0x0181],
    ['is not for zones', 0x0001],
  ])('is signed by a key that %s', async (_, flags) => {
    const key = generateZoneKey(13, { flags });
    const ds = record('signed.test', Type.DS, makeDs('signed.test', key));
    const dnskey = record('signed.test', Type.DNSKEY, key.rdata);
    dns.tamper = (reply, { name, type }) => {
      if (name !== 'signed.test') return reply;
      return type === Type.DS
        ? { answers: [ds, signRecords([ds], 'test', dns.world.findZone('test').key, goodTimes)] }
        : { answers: [dnskey, signRecords([dnskey], 'signed.test', key, goodTimes)] };
    };
    expect(await dns.lookUp('signed.test', 'DNSKEY')).toMatchObject({ status: 'found', security: 'bogus' });
  });

  it('has more keys than a zone can need', async () => {
    const { key } = dns.world.findZone('signed.test');
    const keys = Array.from({ length: 33 }, (_, index) =>
      record(
        'signed.test',
        Type.DNSKEY,
        index === 0 ? key.rdata : Buffer.concat([key.rdata, Buffer.of(index)]),
      ),
    );
    dns.tamperWith('signed.test', Type.DNSKEY, () => ({
      answers: [...keys, signRecords(keys, 'signed.test', key, goodTimes)],
    }));
    expect(await dns.lookUp(SERVICE, 'SRV')).toMatchObject({
      security: 'bogus',
      reason: 'the zone signed.test has more than 32 keys',
    });
  });

  it('has a DS record that comes from a wildcard', async () => {
    const key = generateZoneKey();
    const wildcard = record('*.test', Type.DS, makeDs('signed.test', key));
    dns.world = new DnsWorld([
      { name: '.' },
      { name: 'test', records: [wildcard] },
      { name: 'signed.test', records: zoneRecords },
    ]);
    const made = dns.world.answer({ name: 'any.test', type: Type.DS });
    dns.tamperWith('signed.test', Type.DS, () => ({
      ...made,
      answers: (made.answers ?? []).map((one) => ({ ...one, name: 'signed.test' })),
    }));
    expect(await dns.lookUp(SERVICE, 'SRV')).toMatchObject({
      security: 'bogus',
      reason: 'the DS record of signed.test comes from a wildcard',
    });
  });

  it('has a DS record that names another key', async () => {
    const ds = record('signed.test', Type.DS, Buffer.from('00010d02'.padEnd(72, 'a'), 'hex'));
    dns.tamperWith('signed.test', Type.DS, () => ({
      answers: [ds, signRecords([ds], 'test', dns.world.findZone('test').key, goodTimes)],
    }));
    expect(await dns.lookUp(SERVICE, 'SRV')).toMatchObject({
      security: 'bogus',
      reason: 'no key of the zone signed.test is the one that its DS record names',
    });
  });

  it('is in a zone that has a DS record but no signatures', async () => {
    dns.tamper = (reply, { name }) => ({
      ...reply,
      answers: (reply.answers ?? []).filter(
        (one) => !(name.endsWith('signed.test') && one.type === Type.RRSIG && !isSignatureOver(Type.DS)(one)),
      ),
    });
    expect(await dns.lookUp(SERVICE, 'SRV')).toMatchObject({
      security: 'bogus',
      reason: 'the DNSKEY record of signed.test has no signature by the zone signed.test',
    });
  });

  it('has lost the DS record of its zone, and nothing proves that there is none', async () => {
    dns.tamperWith('signed.test', Type.DS, () => ({ authorities: [] }));
    expect(await dns.lookUp(SERVICE, 'SRV')).toMatchObject({
      security: 'bogus',
      reason: 'the zone test does not prove whether signed.test is a signed zone',
    });
  });

  it('is below a root with other keys than the trust anchor', async () => {
    const trustAnchor = makeWorld().trustAnchor;
    const resolver = await dns.makeResolver(trustAnchor);
    expect(await resolver.lookup(SERVICE, 'SRV')).toMatchObject({
      security: 'bogus',
      reason: 'no key of the zone . is one of its trust anchors',
    });
  });

  it('costs only a few checks, however many keys and signatures there are', async () => {
    const { key } = dns.world.findZone('signed.test');
    // Signatures by a key of the right number that do not fit: each would be checked.
    const wrong = record(SERVICE, Type.SRV, rdata.srv(1, 1, 1, 'other.test'));
    const signatures = Array.from({ length: 60 }, () => signRecords([wrong], 'signed.test', key, goodTimes));
    const good = signRecords([serviceRecord], 'signed.test', key, goodTimes);
    dns.tamperWith(SERVICE, Type.SRV, () => ({
      answers: [serviceRecord, ...signatures, good],
      flags: 0x0080,
    }));
    expect(await dns.lookUp(SERVICE, 'SRV')).toMatchObject({ security: 'bogus' });
  });
});
