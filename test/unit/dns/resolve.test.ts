/** Worlds of signed zones, and what a resolver may do to their answers. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseTrustAnchors } from '../../../src/lib/dns/dnssec/trust-anchors.js';
import { DnsClient } from '../../../src/lib/dns/query.js';
import { ValidatingResolver, type Lookup, type LookupType } from '../../../src/lib/dns/resolve.js';
import { generateZoneKey, makeDs, rdata, signRecords, type TestRecord } from '../../support/dns-signer.js';
import {
  daysAround,
  DnsWorld,
  goodTimes,
  record,
  Type,
  WORLD_NOW_MS,
  type ZoneSpec,
} from '../../support/dns-world.js';
import {
  startScriptedDns,
  type DnsQuestion,
  type DnsReply,
  type ScriptedDns,
} from '../../support/scripted-dns.js';

const SERVICE = '_xmpp-client._tcp.signed.test';
const srvRecord = record(SERVICE, Type.SRV, rdata.srv(5, 10, 5222, 'xmpp.signed.test'));
const zoneRecords = [
  srvRecord,
  record('xmpp.signed.test', Type.A, rdata.a('192.0.2.1')),
  record('*.wild.signed.test', Type.TXT, rdata.txt('from a wildcard')),
];

function specs(signed: Partial<ZoneSpec> = {}, others: readonly ZoneSpec[] = []): ZoneSpec[] {
  return [
    { name: '.' },
    { name: 'test' },
    { name: 'signed.test', records: zoneRecords, ...signed },
    ...others,
  ];
}

type Tamper = (reply: DnsReply, question: DnsQuestion) => DnsReply;

let server: ScriptedDns | undefined;
let world = new DnsWorld(specs());
let tamper: Tamper = (reply) => reply;
let nowMs = WORLD_NOW_MS;

beforeEach(() => {
  world = new DnsWorld(specs());
  tamper = (reply) => reply;
  nowMs = WORLD_NOW_MS;
});
afterEach(async () => {
  await server?.[Symbol.asyncDispose]();
  server = undefined;
});

async function makeResolver(trustAnchors = world.trustAnchor): Promise<ValidatingResolver> {
  server ??= await startScriptedDns((question) => tamper(world.answer(question), question));
  return new ValidatingResolver({
    client: new DnsClient({ servers: [server], timeoutMs: 5000, retries: 0 }),
    trustAnchors: parseTrustAnchors(trustAnchors),
    now: () => nowMs,
  });
}

async function lookUp<T extends LookupType>(name: string, type: T): Promise<Lookup<T>> {
  return (await makeResolver()).lookup(name, type);
}

const isSignatureOver =
  (type: number) =>
  (one: TestRecord): boolean =>
    one.type === Type.RRSIG && one.rdata.readUInt16BE() === type;

/** Changes the answers to one question only. */
function tamperWith(name: string, type: number, change: Tamper): void {
  tamper = (reply, question) =>
    question.name === name && question.type === type ? change(reply, question) : reply;
}

describe('a signed answer', () => {
  it('is secure, with its records as values', async () => {
    expect(await lookUp(`${SERVICE.toUpperCase()}.`, 'SRV')).toEqual({
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
    world = new DnsWorld(specs({ algorithm }));
    expect(await lookUp(SERVICE, 'SRV')).toMatchObject({ status: 'found', security: 'secure' });
  });

  it('is secure by a digest of SHA-384', async () => {
    world = new DnsWorld(specs({ dsDigestType: 4 }));
    expect(await lookUp(SERVICE, 'SRV')).toMatchObject({ security: 'secure' });
  });

  it('is secure below a trust anchor that is a key, and that is not the root', async () => {
    const { key } = world.findZone('signed.test');
    const anchor = `signed.test. IN DNSKEY 257 3 13 ${key.rdata.subarray(4).toString('base64')} ; its key`;
    const resolver = await makeResolver(anchor);
    expect(await resolver.lookup(SERVICE, 'SRV')).toMatchObject({ security: 'secure' });
    expect(await resolver.lookup('test', 'SOA')).toMatchObject({
      security: 'indeterminate',
      reason: 'no trust anchor is above the name',
    });
  });

  it('may be kept no longer than it was signed for', async () => {
    tamperWith(SERVICE, Type.SRV, ({ answers = [] }) => ({
      answers: answers.map((one) => ({ ...one, ttlSeconds: 1_000_000 })),
    }));
    expect(await lookUp(SERVICE, 'SRV')).toMatchObject({ security: 'secure', ttlSeconds: 3600 });
  });

  it('is insecure, with the reason, when nothing introduces its zone', async () => {
    world = new DnsWorld(specs({ dsDigestType: 0 }));
    expect(await lookUp(SERVICE, 'SRV')).toMatchObject({
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
    world = new DnsWorld(specs(spec));
    expect(await lookUp(SERVICE, 'SRV')).toMatchObject({
      security: 'insecure',
      reason: `the zone signed.test counts as unsigned: ${reason}`,
    });
  });

  it('is asked for once, and so are the keys above it, also at the same time', async () => {
    const resolver = await makeResolver();
    await Promise.all([
      resolver.lookup(SERVICE, 'SRV'),
      resolver.lookup(SERVICE, 'SRV'),
      resolver.lookup('xmpp.signed.test', 'A'),
    ]);
    const asked = server?.questions.map(({ name, type }) => `${type} ${name}`) ?? [];
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
    expect(server?.questions.every(({ wantsSignatures }) => wantsSignatures)).toBe(true);
  });
});

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
    world = new DnsWorld(specs(spec));
    expect(await lookUp(SERVICE, 'SRV')).toMatchObject({ status: 'found', security: 'bogus', reason });
  });

  it('has data that was changed', async () => {
    tamperWith(SERVICE, Type.SRV, (reply) => ({
      ...reply,
      flags: 0x00a0, // with AD, which is believed by nobody
      answers:
        reply.answers?.map((one) =>
          one.type === Type.SRV ? { ...one, rdata: rdata.srv(5, 10, 5222, 'evil.test') } : one,
        ) ?? [],
    }));
    expect(await lookUp(SERVICE, 'SRV')).toMatchObject({
      status: 'found',
      security: 'bogus',
      reason: `the signature of the SRV record of ${SERVICE} does not fit its data`,
      records: [{ target: 'evil.test' }],
    });
  });

  it('has a record more', async () => {
    tamperWith(SERVICE, Type.SRV, (reply) => ({
      answers: [...(reply.answers ?? []), record(SERVICE, Type.SRV, rdata.srv(0, 0, 1, 'evil.test'))],
    }));
    expect(await lookUp(SERVICE, 'SRV')).toMatchObject({ security: 'bogus' });
  });

  it('has no signature', async () => {
    tamperWith(SERVICE, Type.SRV, ({ answers = [] }) => ({
      answers: answers.filter(({ type }) => type !== Type.RRSIG),
    }));
    expect(await lookUp(SERVICE, 'SRV')).toMatchObject({
      security: 'bogus',
      reason: `the SRV record of ${SERVICE} is not signed, though the zone signed.test is`,
    });
  });

  it('is signed by a key that the zone does not have', async () => {
    const stranger = generateZoneKey();
    tamperWith(SERVICE, Type.SRV, () => ({
      answers: [srvRecord, signRecords([srvRecord], 'signed.test', stranger, goodTimes)],
    }));
    expect(await lookUp(SERVICE, 'SRV')).toMatchObject({
      security: 'bogus',
      reason: `the signature of the SRV record of ${SERVICE} is by the key ${stranger.keyTag}, which the zone signed.test does not have`,
    });
  });

  it('is signed by a name that is no zone', async () => {
    const { key } = world.findZone('signed.test');
    tamperWith(SERVICE, Type.SRV, () => ({
      answers: [srvRecord, signRecords([srvRecord], '_tcp.signed.test', key, goodTimes)],
    }));
    expect(await lookUp(SERVICE, 'SRV')).toMatchObject({
      security: 'bogus',
      reason: `what is said of ${SERVICE} is signed by _tcp.signed.test, which is no signed zone`,
    });
  });

  it('is signed by another signed zone than its own', async () => {
    world = new DnsWorld(specs({}, [{ name: 'other.test' }]));
    const { key } = world.findZone('other.test');
    tamperWith(SERVICE, Type.SRV, () => ({
      answers: [srvRecord, signRecords([srvRecord], 'other.test', key, goodTimes)],
    }));
    expect(await lookUp(SERVICE, 'SRV')).toMatchObject({
      security: 'bogus',
      reason: `the SRV record of ${SERVICE} is not signed, though the zone signed.test is`,
    });
  });

  it('has a signature that was made for a longer name', async () => {
    const { key } = world.findZone('signed.test');
    tamperWith(SERVICE, Type.SRV, () => ({
      answers: [srvRecord, signRecords([srvRecord], 'signed.test', key, { ...goodTimes, labels: 5 })],
    }));
    expect(await lookUp(SERVICE, 'SRV')).toMatchObject({
      security: 'bogus',
      reason: `the signature of the SRV record of ${SERVICE} is for a longer name`,
    });
  });

  it('has a key that was slipped in and signs the keys itself', async () => {
    const { key } = world.findZone('signed.test');
    const slippedIn = generateZoneKey();
    const keys = [key, slippedIn].map((one) => record('signed.test', Type.DNSKEY, one.rdata));
    tamper = (reply, { name, type }) =>
      name === 'signed.test' && type === Type.DNSKEY
        ? { answers: [...keys, signRecords(keys, 'signed.test', slippedIn, goodTimes)] }
        : name === SERVICE
          ? { answers: [srvRecord, signRecords([srvRecord], 'signed.test', slippedIn, goodTimes)] }
          : reply;
    expect(await lookUp(SERVICE, 'SRV')).toMatchObject({
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
    tamper = (reply, { name, type }) => {
      if (name !== 'signed.test') return reply;
      return type === Type.DS
        ? { answers: [ds, signRecords([ds], 'test', world.findZone('test').key, goodTimes)] }
        : { answers: [dnskey, signRecords([dnskey], 'signed.test', key, goodTimes)] };
    };
    expect(await lookUp('signed.test', 'DNSKEY')).toMatchObject({ status: 'found', security: 'bogus' });
  });

  it('has more keys than a zone can need', async () => {
    const { key } = world.findZone('signed.test');
    const keys = Array.from({ length: 33 }, (_, index) =>
      record(
        'signed.test',
        Type.DNSKEY,
        index === 0 ? key.rdata : Buffer.concat([key.rdata, Buffer.of(index)]),
      ),
    );
    tamperWith('signed.test', Type.DNSKEY, () => ({
      answers: [...keys, signRecords(keys, 'signed.test', key, goodTimes)],
    }));
    expect(await lookUp(SERVICE, 'SRV')).toMatchObject({
      security: 'bogus',
      reason: 'the zone signed.test has more than 32 keys',
    });
  });

  it('has a DS record that comes from a wildcard', async () => {
    const key = generateZoneKey();
    const wildcard = record('*.test', Type.DS, makeDs('signed.test', key));
    world = new DnsWorld([
      { name: '.' },
      { name: 'test', records: [wildcard] },
      { name: 'signed.test', records: zoneRecords },
    ]);
    const made = world.answer({ name: 'any.test', type: Type.DS });
    tamperWith('signed.test', Type.DS, () => ({
      ...made,
      answers: (made.answers ?? []).map((one) => ({ ...one, name: 'signed.test' })),
    }));
    expect(await lookUp(SERVICE, 'SRV')).toMatchObject({
      security: 'bogus',
      reason: 'the DS record of signed.test comes from a wildcard',
    });
  });

  it('has a DS record that names another key', async () => {
    const ds = record('signed.test', Type.DS, Buffer.from('00010d02'.padEnd(72, 'a'), 'hex'));
    tamperWith('signed.test', Type.DS, () => ({
      answers: [ds, signRecords([ds], 'test', world.findZone('test').key, goodTimes)],
    }));
    expect(await lookUp(SERVICE, 'SRV')).toMatchObject({
      security: 'bogus',
      reason: 'no key of the zone signed.test is the one that its DS record names',
    });
  });

  it('is in a zone that has a DS record but no signatures', async () => {
    tamper = (reply, { name }) => ({
      ...reply,
      answers: (reply.answers ?? []).filter(
        (one) => !(name.endsWith('signed.test') && one.type === Type.RRSIG && !isSignatureOver(Type.DS)(one)),
      ),
    });
    expect(await lookUp(SERVICE, 'SRV')).toMatchObject({
      security: 'bogus',
      reason: 'the DNSKEY record of signed.test has no signature by the zone signed.test',
    });
  });

  it('has lost the DS record of its zone, and nothing proves that there is none', async () => {
    tamperWith('signed.test', Type.DS, () => ({ authorities: [] }));
    expect(await lookUp(SERVICE, 'SRV')).toMatchObject({
      security: 'bogus',
      reason: 'the zone test does not prove whether signed.test is a signed zone',
    });
  });

  it('is below a root with other keys than the trust anchor', async () => {
    const trustAnchor = new DnsWorld(specs()).trustAnchor;
    const resolver = await makeResolver(trustAnchor);
    expect(await resolver.lookup(SERVICE, 'SRV')).toMatchObject({
      security: 'bogus',
      reason: 'no key of the zone . is one of its trust anchors',
    });
  });

  it('costs only a few checks, however many keys and signatures there are', async () => {
    const { key } = world.findZone('signed.test');
    // Signatures by a key of the right number that do not fit: each would be checked.
    const wrong = record(SERVICE, Type.SRV, rdata.srv(1, 1, 1, 'other.test'));
    const signatures = Array.from({ length: 60 }, () => signRecords([wrong], 'signed.test', key, goodTimes));
    const good = signRecords([srvRecord], 'signed.test', key, goodTimes);
    tamperWith(SERVICE, Type.SRV, () => ({ answers: [srvRecord, ...signatures, good], flags: 0x0080 }));
    expect(await lookUp(SERVICE, 'SRV')).toMatchObject({ security: 'bogus' });
  });
});

describe('a resolver', () => {
  it('that leaves out all signatures makes an answer indeterminate', async () => {
    tamper = ({ answers = [], ...rest }) => ({
      ...rest,
      answers: answers.filter(({ type }) => type !== Type.RRSIG),
    });
    expect(await lookUp(SERVICE, 'SRV')).toMatchObject({
      status: 'found',
      security: 'indeterminate',
      reason: 'the resolver does not pass on signatures',
    });
  });

  it('that knows no EDNS for what is below the root does, too', async () => {
    tamper = (reply, { name }) =>
      name === '.'
        ? reply
        : {
            hasEdns: false,
            ...(reply.rcode && { rcode: reply.rcode }),
            answers: (reply.answers ?? []).filter(({ type }) => type !== Type.RRSIG),
          };
    expect(await lookUp(SERVICE, 'SRV')).toMatchObject({
      security: 'indeterminate',
      reason: 'the resolver does not pass on signatures',
    });
  });

  it('that validates says SERVFAIL, and is asked for the data all the same', async () => {
    world = new DnsWorld(specs({ times: daysAround(-10, -1) }));
    tamper = (reply, { isCheckingDisabled, name }) =>
      name.endsWith('signed.test') && !isCheckingDisabled ? { rcode: 2 } : reply;
    expect(await lookUp(SERVICE, 'SRV')).toMatchObject({
      status: 'found',
      security: 'bogus',
      reason: 'the signature of the DNSKEY record of signed.test expired on 2026-01-14T00:00:00Z',
    });
  });

  it('that says SERVFAIL for good signatures is contradicted', async () => {
    tamper = (reply, { isCheckingDisabled }) => (isCheckingDisabled ? reply : { rcode: 2 });
    expect(await lookUp(SERVICE, 'SRV')).toMatchObject({
      security: 'secure',
      reason: 'the resolver refuses this answer, though nothing is wrong with it here',
    });
  });

  it('that has no data even then has failed', async () => {
    tamperWith(SERVICE, Type.SRV, () => ({ rcode: 2 }));
    expect(await lookUp(SERVICE, 'SRV')).toMatchObject({
      status: 'failed',
      security: 'indeterminate',
      rcode: 'SERVFAIL',
      reason: `the resolver answers SERVFAIL for ${SERVICE}`,
      ttlSeconds: 0,
    });
  });

  it('that only refers to others has failed', async () => {
    tamperWith(SERVICE, Type.SRV, () => ({
      flags: 0,
      authorities: [record('test', Type.NS, rdata.name('ns.test'))],
    }));
    expect(await lookUp(SERVICE, 'SRV')).toMatchObject({ status: 'failed' });
  });

  it('that cannot find the DS record leaves it open whether an answer is signed', async () => {
    tamperWith('signed.test', Type.DS, () => ({ rcode: 5 }));
    expect(await lookUp(SERVICE, 'SRV')).toMatchObject({
      status: 'found',
      security: 'indeterminate',
      reason:
        'whether signed.test is a signed zone could not be found out: the resolver answers REFUSED for signed.test',
    });
  });

  it('that sends records it cannot have has failed, and nothing is thrown', async () => {
    tamperWith(SERVICE, Type.SRV, () => ({ answers: [record(SERVICE, Type.RRSIG, Buffer.of(1))] }));
    expect(await lookUp(SERVICE, 'SRV')).toMatchObject({ status: 'failed', security: 'indeterminate' });
  });
});

describe('an absence', () => {
  it.each([
    ['nsec', {}],
    ['nsec3', {}],
    ['nsec3', { iterations: 3 }],
  ] as const)('is proven by %s %j', async (denial, nsec3) => {
    world = new DnsWorld(specs({ denial, nsec3 }));
    const resolver = await makeResolver();
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
    world = new DnsWorld(specs({ denial }));
    const elsewhere = world.answer({ name: 'nobody.signed.test', type: Type.A });
    tamper = (reply, { name, type }) =>
      type === Type.A && name === 'xmpp.signed.test'
        ? elsewhere
        : name === SERVICE && type === Type.SRV
          ? { ...elsewhere, rcode: 0 }
          : reply;
    const resolver = await makeResolver();
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
    world = new DnsWorld(
      specs({ records: [...zoneRecords, record('host.wild.signed.test', Type.A, rdata.a('192.0.2.5'))] }),
    );
    tamperWith('host.wild.signed.test', Type.A, () => ({
      authorities: (world.answer({ name: 'nobody.signed.test', type: Type.A }).authorities ?? [])
        .filter(({ name }) => name === '*.wild.signed.test')
        .map((one) => ({ ...one, name: 'host.wild.signed.test' })),
    }));
    expect(await lookUp('host.wild.signed.test', 'A')).toMatchObject({
      status: 'no-data',
      security: 'bogus',
      reason: 'the zone signed.test does not prove that host.wild.signed.test has no A record',
    });
  });

  it('without any proof is bogus', async () => {
    tamperWith('nobody.signed.test', Type.A, () => ({ rcode: 3 }));
    expect(await lookUp('nobody.signed.test', 'A')).toMatchObject({
      status: 'no-domain',
      security: 'bogus',
      reason: 'the zone signed.test does not prove that nobody.signed.test does not exist',
    });
  });

  it('whose proof has a bad signature is bogus, and says so', async () => {
    tamperWith('nobody.signed.test', Type.A, ({ authorities = [] }) => ({
      rcode: 3,
      authorities: authorities.map((one) =>
        one.type === Type.NSEC ? { ...one, rdata: rdata.nsec('zzz.signed.test', [Type.A]) } : one,
      ),
    }));
    expect(await lookUp('nobody.signed.test', 'A')).toMatchObject({
      security: 'bogus',
      reason: expect.stringMatching(
        /^the signature of the NSEC record of .* does not fit its data$/,
      ) as string,
    });
  });

  it('counts as unsigned when its proof would cost too much', async () => {
    world = new DnsWorld(specs({ denial: 'nsec3', nsec3: { iterations: 151 } }));
    expect(await lookUp('nobody.signed.test', 'A')).toMatchObject({
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
    world = new DnsWorld(specs({ denial, nsec3: { isOptOut } }, [unsigned]));
    const resolver = await makeResolver();
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
    world = new DnsWorld(specs({}, [unsigned]));
    tamperWith('unsigned.signed.test', Type.DS, ({ authorities = [] }) => ({
      authorities: authorities.filter(({ type }) => type !== Type.NSEC),
    }));
    expect(await lookUp('unsigned.signed.test', 'A')).toMatchObject({ security: 'bogus' });
  });
});

describe('a wildcard', () => {
  it.each(['nsec', 'nsec3'] as const)('makes secure answers (%s)', async (denial) => {
    world = new DnsWorld(specs({ denial }));
    expect(await lookUp('any.wild.signed.test', 'TXT')).toMatchObject({
      status: 'found',
      security: 'secure',
      records: [{ name: 'any.wild.signed.test', strings: ['from a wildcard'] }],
    });
  });

  it.each(['nsec', 'nsec3'] as const)('needs the proof that the name does not exist (%s)', async (denial) => {
    world = new DnsWorld(specs({ denial }));
    tamperWith('any.wild.signed.test', Type.TXT, ({ answers = [] }) => ({ answers }));
    expect(await lookUp('any.wild.signed.test', 'TXT')).toMatchObject({
      security: 'bogus',
      reason: 'nothing proves that the TXT record of any.wild.signed.test may come from a wildcard',
    });
  });
});

describe('aliases', () => {
  const alias = (from: string, to: string): TestRecord => record(from, Type.CNAME, rdata.name(to));

  it('are followed from zone to zone, each judged by its own', async () => {
    world = new DnsWorld(
      specs(
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
      ),
    );
    expect(await lookUp('a.signed.test', 'A')).toMatchObject({
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
    world = new DnsWorld(specs({ records: [alias('a.signed.test', 'nobody.signed.test')] }));
    expect(await lookUp('a.signed.test', 'A')).toMatchObject({
      status: 'no-domain',
      security: 'secure',
      canonicalName: 'nobody.signed.test',
    });
  });

  it('are found themselves when asked for', async () => {
    world = new DnsWorld(specs({ records: [alias('a.signed.test', 'nobody.signed.test')] }));
    expect(await lookUp('a.signed.test', 'CNAME')).toMatchObject({
      status: 'found',
      records: [{ target: 'nobody.signed.test' }],
      cnames: [],
    });
  });

  it('that lead in a circle fail', async () => {
    world = new DnsWorld(
      specs({ records: [alias('a.signed.test', 'b.signed.test'), alias('b.signed.test', 'a.signed.test')] }),
    );
    expect(await lookUp('a.signed.test', 'A')).toMatchObject({
      status: 'failed',
      reason: 'the aliases of a.signed.test lead in a circle',
    });
  });

  it('are not followed without end', async () => {
    tamper = (reply, { name, type }) =>
      type === Type.A
        ? { answers: [alias(name, `n${Number(name.slice(1, name.indexOf('.'))) + 1}.signed.test`)] }
        : reply;
    expect(await lookUp('n0.signed.test', 'A')).toMatchObject({
      status: 'failed',
      security: 'bogus',
      reason: 'n0.signed.test has more than 8 aliases in a row',
      canonicalName: 'n8.signed.test',
    });
  });

  it('that were slipped in are bogus, whatever they lead to', async () => {
    tamperWith(SERVICE, Type.A, () => ({ answers: [alias(SERVICE, 'xmpp.signed.test')] }));
    expect(await lookUp(SERVICE, 'A')).toMatchObject({
      status: 'found',
      security: 'bogus',
      reason: `the CNAME record of ${SERVICE} is not signed, though the zone signed.test is`,
    });
  });

  it('of whole subtrees are followed', async () => {
    world = new DnsWorld(
      specs({
        records: [
          record('old.signed.test', Type.DNAME, rdata.name('new.signed.test')),
          record('host.new.signed.test', Type.A, rdata.a('192.0.2.3')),
        ],
      }),
    );
    const dname = world.answer({ name: 'old.signed.test', type: Type.DNAME });
    tamperWith('host.old.signed.test', Type.A, () => ({
      answers: [...(dname.answers ?? []), alias('host.old.signed.test', 'host.new.signed.test')],
    }));
    expect(await lookUp('host.old.signed.test', 'A')).toMatchObject({
      status: 'found',
      security: 'secure',
      cnames: ['host.new.signed.test'],
      records: [{ address: '192.0.2.3' }],
    });
  });
});

it('names that are longer than is worth following are indeterminate', async () => {
  tamper = (reply, { type, name }) =>
    type === Type.A ? { answers: [record(name, Type.A, rdata.a('192.0.2.1'))] } : reply;
  const name = `${'a.'.repeat(40)}signed.test`;
  expect(await lookUp(name, 'A')).toMatchObject({
    status: 'found',
    security: 'indeterminate',
    reason: 'the name has more than 32 labels, which is not followed',
  });
});
