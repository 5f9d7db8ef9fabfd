/** Zones signed and served by BIND, asked directly and through unbound, judged by our own validator. */
import { createHash, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { matchTlsa } from '../../src/lib/dns/dane.js';
import { parseTrustAnchors } from '../../src/lib/dns/dnssec/trust-anchors.js';
import { DnsClient } from '../../src/lib/dns/query.js';
import { ValidatingResolver } from '../../src/lib/dns/resolve.js';
import { orderByPriorityAndWeight } from '../../src/lib/dns/srv-order.js';
import { startDnsLab, type DnsLab, type LabZone } from '../support/dns-lab.js';
import { makeTlsFixtures } from '../support/tls-fixtures.js';

const certificate = new X509Certificate(makeTlsFixtures('xmpp.signed.test').good.cert);
const key = createHash('sha256')
  .update(certificate.publicKey.export({ type: 'spki', format: 'der' }))
  .digest('hex');

const records = [
  '_xmpp-client._tcp IN SRV 20 0 5222 backup',
  '_xmpp-client._tcp IN SRV 10 0 5222 XMPP',
  'xmpp IN A 192.0.2.1',
  'xmpp IN AAAA 2001:db8::1',
  'backup IN A 192.0.2.2',
  '@ IN CAA 0 issue "ca.test; accounturi=https://ca.test/acct/1"',
  'alias IN CNAME xmpp',
  'away IN CNAME host.unsigned.test.',
  '*.wild IN TXT "from a wildcard"',
  'old IN DNAME wild',
  `_5222._tcp.xmpp IN TLSA 3 1 1 ${key}`,
];
const algorithms = ['RSASHA256', 'RSASHA512', 'ECDSAP256SHA256', 'ECDSAP384SHA384', 'ED25519', 'ED448'];
const zones: LabZone[] = [
  { name: 'signed.test', records },
  { name: 'nsec3.test', security: 'nsec3', records },
  { name: 'child.nsec3.test', security: 'unsigned', records: ['@ IN A 192.0.2.8'] },
  { name: 'opt-out.test', security: 'opt-out', records },
  { name: 'child.opt-out.test', security: 'unsigned', records: ['@ IN A 192.0.2.8'] },
  { name: 'unsigned.test', security: 'unsigned', records: ['host IN A 192.0.2.7'] },
  { name: 'forged.test', records, forgery: { replace: '192.0.2.1', by: '192.0.2.66' } },
  { name: 'expired.test', records, isExpired: true },
  { name: 'old.test', records: ['@ IN A 192.0.2.9'], algorithm: 'RSASHA1' },
  ...algorithms.map((algorithm) => ({
    name: `${algorithm.toLowerCase()}.test`,
    records: ['@ IN A 192.0.2.9'],
    algorithm,
  })),
];

let lab: DnsLab | undefined;
beforeAll(async () => {
  lab = await startDnsLab({ zones });
});
afterAll(async () => {
  await lab?.stop();
});

describe.each(['resolver', 'authoritative'] as const)('answers of the %s server', (server) => {
  let resolver: ValidatingResolver;
  beforeAll(async () => {
    if (!lab) throw new Error('the lab did not start');
    resolver = new ValidatingResolver({
      client: new DnsClient({ servers: [lab[server]] }),
      trustAnchors: parseTrustAnchors(await readFile(lab.trustAnchorFile, 'utf8')),
    });
  });

  it.each(['signed.test', 'nsec3.test', 'opt-out.test'])('of %s are secure', async (zone) => {
    const srv = await resolver.lookup(`_xmpp-client._tcp.${zone}`, 'SRV');
    expect(srv).toMatchObject({ status: 'found', security: 'secure' });
    expect(orderByPriorityAndWeight(srv.records).map(({ target }) => target)).toEqual([
      `xmpp.${zone}`,
      `backup.${zone}`,
    ]);
    expect(await resolver.lookup(zone, 'CAA')).toMatchObject({
      security: 'secure',
      records: [{ isCritical: false, tag: 'issue', value: 'ca.test; accounturi=https://ca.test/acct/1' }],
    });
    expect(await resolver.lookup(`xmpp.${zone}`, 'AAAA')).toMatchObject({
      security: 'secure',
      records: [{ address: '2001:db8::1' }],
    });
  });

  it('of TLSA records fit the certificate they were made for', async () => {
    const { security, records: tlsa } = await resolver.lookup('_5222._tcp.xmpp.signed.test', 'TLSA');
    const match = matchTlsa(tlsa, [certificate.raw], { pkixTrusted: false, now: new Date() });
    expect({ security, matched: match.matched }).toEqual({ security: 'secure', matched: true });
  });

  it.each(algorithms)('signed by %s are secure', async (algorithm) => {
    expect(await resolver.lookup(`${algorithm.toLowerCase()}.test`, 'A')).toMatchObject({
      status: 'found',
      security: 'secure',
    });
  });

  it('signed by RSASHA1 count as unsigned', async () => {
    expect(await resolver.lookup('old.test', 'A')).toMatchObject({
      status: 'found',
      security: 'insecure',
      reason: 'the zone old.test counts as unsigned: it is signed only by RSASHA1, which is not supported',
    });
  });

  it.each(['signed.test', 'nsec3.test'])('about what is not in %s are proven', async (zone) => {
    const absent = { security: 'secure', records: [] };
    expect(await resolver.lookup(`_xmpps-client._tcp.${zone}`, 'SRV')).toMatchObject({
      status: 'no-domain',
      ...absent,
    });
    expect(await resolver.lookup(`a.b.c.${zone}`, 'A')).toMatchObject({ status: 'no-domain', ...absent });
    expect(await resolver.lookup(`xmpp.${zone}`, 'TLSA')).toMatchObject({ status: 'no-data', ...absent });
    expect(await resolver.lookup(`_tcp.${zone}`, 'A')).toMatchObject({ status: 'no-data', ...absent });
    expect(await resolver.lookup(`any.wild.${zone}`, 'A')).toMatchObject({ status: 'no-data', ...absent });
    expect(await resolver.lookup('nobody', 'A')).toMatchObject({ status: 'no-domain', ...absent });
  });

  it('about what is not there, in a zone with opt-out, prove only that nothing signed is', async () => {
    expect(await resolver.lookup('nobody.opt-out.test', 'A')).toMatchObject({
      status: 'no-domain',
      security: 'insecure',
      reason: 'the zone opt-out.test leaves unsigned zones below it out of its proofs',
    });
    expect(await resolver.lookup('xmpp.opt-out.test', 'TLSA')).toMatchObject({ security: 'secure' });
  });

  it.each(['signed.test', 'nsec3.test'])('from a wildcard of %s are secure', async (zone) => {
    expect(await resolver.lookup(`any.wild.${zone}`, 'TXT')).toMatchObject({
      security: 'secure',
      records: [{ strings: ['from a wildcard'] }],
    });
    expect(await resolver.lookup(`any.old.${zone}`, 'TXT')).toMatchObject({
      status: 'found',
      security: 'secure',
      canonicalName: `any.wild.${zone}`,
    });
  });

  it('of unsigned zones are insecure, also where an alias leads there', async () => {
    const reason = 'the zone unsigned.test is not signed: test has no DS record for it';
    const insecure = { status: 'found', security: 'insecure', reason };
    expect(await resolver.lookup('host.unsigned.test', 'A')).toMatchObject(insecure);
    expect(await resolver.lookup('away.signed.test', 'A')).toMatchObject({
      ...insecure,
      cnames: ['host.unsigned.test'],
    });
    expect(await resolver.lookup('alias.signed.test', 'A')).toMatchObject({
      security: 'secure',
      cnames: ['xmpp.signed.test'],
    });
    expect(await resolver.lookup('child.nsec3.test', 'A')).toMatchObject({ security: 'insecure' });
    expect(await resolver.lookup('child.opt-out.test', 'A')).toMatchObject({ security: 'insecure' });
  });

  it('that were forged or have expired are bogus, and there to be looked at', async () => {
    expect(await resolver.lookup('xmpp.forged.test', 'A')).toMatchObject({
      status: 'found',
      security: 'bogus',
      reason: 'the signature of the A record of xmpp.forged.test does not fit its data',
      records: [{ address: '192.0.2.66' }],
    });
    expect(await resolver.lookup('_xmpp-client._tcp.forged.test', 'SRV')).toMatchObject({
      security: 'secure',
    });
    expect(await resolver.lookup('_xmpp-client._tcp.expired.test', 'SRV')).toMatchObject({
      status: 'found',
      security: 'bogus',
      reason: expect.stringMatching(
        /^the signature of the DNSKEY record of expired\.test expired on /,
      ) as string,
    });
  });
});

it('the resolver refuses what is bogus: only asking without its checks brings the data', async () => {
  if (!lab) throw new Error('the lab did not start');
  const client = new DnsClient({ servers: [lab.resolver] });
  expect(await client.query('xmpp.forged.test', 'A')).toMatchObject({ rcode: 'SERVFAIL', answers: [] });
  const unchecked = await client.query('xmpp.forged.test', 'A', { checkingDisabled: true });
  expect(unchecked).toMatchObject({ rcode: 'NOERROR', flags: { ad: false } });
  expect(await client.query('xmpp.signed.test', 'A')).toMatchObject({ flags: { ad: true } });
});
