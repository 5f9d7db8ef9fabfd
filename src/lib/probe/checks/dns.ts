/** Where the DNS leads to. */
import { isIP } from 'node:net';
import { ROOT } from '../../dns/name.js';
import { addressesOfTarget, isPrivateTarget, type DnsFacts } from '../facts/dns.js';
import type { Service } from '../facts/facts.js';
import type { Verdict } from '../model.js';
import { fail, info, list, ofDomain, pass, skip, warn, type Check } from './check.js';

function ofDns(
  judge: (dns: DnsFacts, domain: string) => Verdict | readonly Verdict[] | undefined,
): Check['judge'] {
  return ({ dns, domain }) => ofDomain(dns, (facts) => judge(facts, domain));
}

const zone = (record: string) => ({ elsewhere: `in the zone: ${record}` });

function describeSrv({ srv }: DnsFacts, service: Service): string {
  return list(srv[service].lookup.records.slice(0, 5).map(({ target, port }) => `${target}:${port}`));
}

function srvCheck(
  service: Service,
  rest: Pick<Check, 'severity' | 'title' | 'why'> & { port: number; missing: (dns: DnsFacts) => Verdict },
): Check {
  const { severity, title, why, port, missing } = rest;
  return {
    id: `dns.srv.${service.replace('xmpps-', '').replace('xmpp-', '')}${service.startsWith('xmpps') ? 's' : ''}`,
    group: 'dns',
    severity,
    title,
    why,
    expected: `_${service}._tcp SRV`,
    references: service.startsWith('xmpps') ? ['XEP-0368', 'RFC 2782'] : ['RFC 6120 §3.2.1', 'RFC 2782'],
    fix: zone(`_${service}._tcp.example.org. SRV 5 0 ${port} xmpp.example.org.`),
    reads: ['dns'],
    judge: ofDns((dns) => {
      const { lookup, isDisabled } = dns.srv[service];
      if (lookup.status === 'failed') return skip(lookup.reason ?? 'the lookup failed');
      if (isDisabled) return info('the target is ".": the service is decidedly not offered');
      return lookup.records.length > 0 ? pass(describeSrv(dns, service)) : missing(dns);
    }),
  };
}

const hasAddress = ({ domain }: DnsFacts): boolean => addressesOfTarget(domain).length > 0;

function ofSrvRecords(
  judge: (
    record: DnsFacts['srv'][Service]['lookup']['records'][number],
    service: Service,
    dns: DnsFacts,
  ) => string | undefined,
  verdict: (problems: readonly string[]) => Verdict,
): Check['judge'] {
  return ofDns((dns) => {
    const all = Object.entries(dns.srv).flatMap(([service, { lookup }]) =>
      lookup.records.map((record) => ({ record, service: service as Service })),
    );
    const real = all.filter(({ record }) => record.target !== ROOT);
    if (real.length === 0) return skip('there are no SRV records');
    const problems = real
      .map(({ record, service }) => judge(record, service, dns))
      .filter((problem) => problem !== undefined);
    return problems.length > 0 ? verdict([...new Set(problems)].slice(0, 8)) : pass(`${real.length} records`);
  });
}

export const dnsChecks: readonly Check[] = [
  srvCheck('xmpp-client', {
    severity: 'medium',
    title: 'clients find the server',
    why: 'Without the record clients try port 5222 of the domain itself, which is usually a web server.',
    port: 5222,
    missing: (dns) =>
      hasAddress(dns)
        ? info('no record: clients fall back to port 5222 of the domain')
        : fail('no record, and the domain has no address'),
  }),
  srvCheck('xmpp-server', {
    severity: 'medium',
    title: 'other servers find the server',
    why: 'Without the record servers try port 5269 of the domain itself.',
    port: 5269,
    missing: (dns) =>
      hasAddress(dns)
        ? info('no record: servers fall back to port 5269 of the domain')
        : { ...fail('no record, and the domain has no address'), caps: { federation: 'F' } },
  }),
  srvCheck('xmpps-client', {
    severity: 'medium',
    title: 'clients find the port that has TLS from the first byte',
    why: 'Direct TLS passes where only port 443 does, and nobody can take away the offer of STARTTLS.',
    port: 5223,
    missing: () => ({ ...info('no record'), caps: { security: 'A' } }),
  }),
  srvCheck('xmpps-server', {
    severity: 'low',
    title: 'other servers find the port that has TLS from the first byte',
    why: 'Nobody in the middle can take away the offer of STARTTLS between servers.',
    port: 5270,
    missing: () => info('no record'),
  }),
  {
    id: 'dns.srv.targets',
    group: 'dns',
    severity: 'high',
    title: 'every SRV target has an address',
    expected: 'an A or AAAA record for each target',
    references: ['RFC 2782', 'RFC 6120 §3.2.1'],
    why: 'A target without an address is a promise that nobody keeps.',
    fix: zone('an A and an AAAA record for the target, or remove the SRV record'),
    caps: { federation: 'C' },
    reads: ['dns'],
    judge: ofSrvRecords(
      ({ target }, _service, { targets }) => {
        const found = targets.find(({ host }) => host === target);
        if (!found || found.a.status === 'failed' || found.aaaa.status === 'failed') return undefined;
        return addressesOfTarget(found).length === 0 ? `${target} has no address` : undefined;
      },
      (problems) => fail(list(problems)),
    ),
  },
  {
    id: 'dns.srv.private',
    group: 'dns',
    severity: 'high',
    title: 'the addresses can be reached from the internet',
    expected: 'no loopback, private or link-local addresses',
    references: ['RFC 6890', 'RFC 1918'],
    why: 'Others connect to their own network instead, and fail, or find somebody else.',
    fix: zone('the public address of the server'),
    caps: { federation: 'C' },
    reads: ['dns'],
    judge: ofSrvRecords(
      ({ target }, _service, { targets }) => {
        const found = targets.find(({ host }) => host === target);
        return found && isPrivateTarget(found) ? `${target} is ${list(addressesOfTarget(found))}` : undefined;
      },
      (problems) => fail(list(problems)),
    ),
  },
  {
    id: 'dns.srv.cname',
    group: 'dns',
    severity: 'medium',
    title: 'no SRV target is an alias',
    expected: 'a name with addresses of its own, not a CNAME',
    references: ['RFC 2782', 'RFC 2181 §10.3'],
    why: 'Some resolvers and servers do not follow it, and DANE looks for its records at another name.',
    fix: zone('the name that the alias leads to, as the target'),
    reads: ['dns'],
    judge: ofSrvRecords(
      ({ target }, _service, { targets }) => {
        const found = targets.find(({ host }) => host === target);
        const alias = [...(found?.a.cnames ?? []), ...(found?.aaaa.cnames ?? [])][0];
        return alias === undefined
          ? undefined
          : `${target} is an alias of ${found?.a.canonicalName ?? alias}`;
      },
      (problems) => warn(list(problems)),
    ),
  },
  {
    id: 'dns.srv.address',
    group: 'dns',
    severity: 'high',
    title: 'no SRV target is an IP address',
    expected: 'a host name',
    references: ['RFC 2782'],
    why: 'A target is a name: an address there is looked up as one, and not found.',
    fix: zone('a name with an A record'),
    caps: { federation: 'C' },
    reads: ['dns'],
    judge: ofSrvRecords(
      ({ target }) => (isIP(target) ? target : undefined),
      (problems) => fail(list(problems)),
    ),
  },
  {
    id: 'dns.srv.port',
    group: 'dns',
    severity: 'medium',
    title: 'no port has two jobs',
    expected: 'a port of its own for each of the four services, or one that tells them apart by ALPN',
    references: ['RFC 6120 §3.2', 'XEP-0368 §3'],
    why: 'A server that waits for servers does not let clients in, and STARTTLS is no TLS from the first byte.',
    fix: zone('the port that the service really listens on'),
    reads: ['dns'],
    judge: ofSrvRecords(
      ({ target, port }, service, { srv }) => {
        if (port === 0) return `port 0 of ${target}`;
        const other = (Object.keys(srv) as Service[]).find(
          (one) =>
            one !== service &&
            // Clients and servers can share a port with direct TLS, told apart by ALPN.
            !(one.startsWith('xmpps') && service.startsWith('xmpps')) &&
            srv[one].lookup.records.some((record) => record.target === target && record.port === port),
        );
        return other === undefined ? undefined : `${target}:${port} for more than one service`;
      },
      (problems) => warn(list(problems)),
    ),
  },
  {
    id: 'dns.srv.mixed',
    group: 'dns',
    severity: 'medium',
    title: 'a service is not offered and withdrawn at once',
    expected: 'either targets, or "." alone',
    references: ['RFC 2782'],
    why: 'Who reads "." first does not connect at all.',
    fix: zone('remove the record with the target "."'),
    reads: ['dns'],
    judge: ofDns(({ srv }) => {
      const mixed = Object.entries(srv).filter(
        ([, { lookup, isDisabled }]) => !isDisabled && lookup.records.some(({ target }) => target === ROOT),
      );
      if (Object.values(srv).every(({ lookup }) => lookup.records.length === 0))
        return skip('there are no SRV records');
      return mixed.length > 0 ? fail(list(mixed.map(([service]) => service))) : pass('no');
    }),
  },
  {
    id: 'dns.legacy',
    group: 'dns',
    severity: 'low',
    title: 'no withdrawn records are left',
    expected: 'neither _jabber._tcp nor _xmppconnect',
    references: ['XEP-0156 §6', 'RFC 6120'],
    why: 'TXT records can be forged and led clients to other servers; they were withdrawn for it.',
    fix: zone('remove _jabber._tcp and the TXT records of _xmppconnect'),
    reads: ['dns'],
    judge: ofDns(({ legacy }) => {
      const left = [
        ...(legacy.jabber.records.length > 0 ? ['_jabber._tcp'] : []),
        ...(legacy.xmppConnect.records.some(({ strings }) =>
          strings.some((text) => text.startsWith('_xmpp-client')),
        )
          ? ['_xmppconnect']
          : []),
      ];
      return left.length > 0 ? info(list(left)) : pass('none');
    }),
  },
  {
    id: 'dns.ttl',
    group: 'dns',
    severity: 'low',
    title: 'the records may be kept for a sensible time',
    expected: 'between a minute and a week',
    references: ['RFC 1035 §3.2.1', 'RFC 1912 §2.2'],
    why: 'Seconds load the name servers; weeks make a move last weeks.',
    fix: zone('a TTL of about an hour'),
    reads: ['dns'],
    judge: ofDns(({ srv }) => {
      const ttls = Object.values(srv).flatMap(({ lookup }) =>
        lookup.records.length > 0 ? [lookup.ttlSeconds] : [],
      );
      if (ttls.length === 0) return skip('there are no SRV records');
      const longest = Math.max(...ttls);
      // A resolver counts down what it has kept, so a short time says nothing.
      return longest > 7 * 86_400 ? info(`${longest} s`) : pass(`up to ${longest} s`);
    }),
  },
  {
    id: 'dns.caa',
    group: 'dns',
    severity: 'low',
    title: 'the zone says who may issue certificates',
    expected: 'a CAA record for the domain, or above it',
    references: ['RFC 8659'],
    why: 'Any other authority that is tricked into a certificate for the domain must refuse.',
    fix: zone('example.org. CAA 0 issue "letsencrypt.org"'),
    reads: ['dns'],
    judge: ofDns(({ caa: { name, lookup } }) => {
      if (lookup.status === 'failed') return skip(lookup.reason ?? 'the lookup failed');
      const issue = lookup.records.filter(({ tag }) => tag === 'issue' || tag === 'issuewild');
      return issue.length > 0
        ? pass(`${name}: ${list(issue.slice(0, 5).map(({ value }) => value))}`)
        : info('no CAA record');
    }),
  },
  {
    id: 'dns.caa.binding',
    group: 'dns',
    severity: 'low',
    title: 'certificates are tied to an account at the authority',
    expected: 'accounturi, or validationmethods, in the CAA record',
    references: ['RFC 8657'],
    why: 'Whoever can redirect traffic to the server gets a certificate for it, as happened to jabber.ru in 2023; this stops it.',
    fix: zone('example.org. CAA 0 issue "letsencrypt.org; validationmethods=dns-01; accounturi=https://…"'),
    reads: ['dns'],
    judge: ofDns(({ caa: { lookup } }) => {
      const issue = lookup.records.filter(({ tag }) => tag === 'issue' || tag === 'issuewild');
      if (issue.length === 0) return skip('no CAA record');
      const isBound = issue.every(({ value }) =>
        /accounturi\s*=|validationmethods\s*=|^\s*;?\s*$/i.test(value),
      );
      return isBound ? pass('bound') : info('not bound');
    }),
  },
  {
    id: 'dns.stun',
    group: 'dns',
    severity: 'low',
    title: 'STUN and TURN can be found by DNS',
    expected: '_stun._udp or _turn._udp SRV',
    references: ['RFC 8489 §8.1', 'RFC 5928'],
    why: 'Clients that do not know XEP-0215 look here.',
    fix: zone('_stun._udp.example.org. SRV 0 0 3478 turn.example.org.'),
    reads: ['dns'],
    judge: ofDns(({ stun }) => {
      const found = stun.filter(({ lookup }) => lookup.records.length > 0);
      return found.length > 0 ? pass(list(found.map(({ service }) => service))) : info('neither');
    }),
  },
];
