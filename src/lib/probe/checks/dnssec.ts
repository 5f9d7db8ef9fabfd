/** Can what the DNS says be believed, and what does it say about certificates? */
import { matchTlsa, type TlsaMatch } from '../../dns/dane.js';
import type { DnsFacts, DnsLookup, TlsaFacts } from '../facts/dns.js';
import { isForServers, type EndpointFacts, type ProbeFacts } from '../facts/facts.js';
import type { PoshFile } from '../facts/posh.js';
import type { Verdict } from '../model.js';
import { fail, info, list, ofDomain, pass, skip, warn, type Check } from './check.js';

const signZone = {
  elsewhere:
    'sign the zone (most name servers do it by themselves) and give the DS record to the registry; after changes, see that the signatures are not older than their time',
};

type AnyLookup = Pick<DnsLookup<'SRV'>, 'name' | 'status' | 'security' | 'reason'>;

function securityOf(lookups: readonly AnyLookup[], what: string): Verdict {
  const named = ({ name, reason }: AnyLookup): string =>
    `${name}${reason === undefined ? '' : `: ${reason}`}`;
  const bogus = lookups.filter(({ security }) => security === 'bogus');
  if (bogus.length > 0) {
    return {
      ...fail(`bogus: ${list(bogus.slice(0, 3).map(named))}`),
      caps: { federation: 'F', security: 'B' },
    };
  }
  const failed = lookups.filter(({ status }) => status === 'failed');
  if (failed.length > 0) return warn(`no answer: ${list(failed.slice(0, 3).map(named))}`);
  const unclear = lookups.filter(({ security }) => security === 'indeterminate');
  if (unclear.length > 0) return skip(list(unclear.slice(0, 3).map(named)));
  const insecure = lookups.filter(({ security }) => security === 'insecure');
  if (insecure.length > 0)
    return {
      ...info(`not signed: ${list(insecure.slice(0, 5).map(({ name }) => name))}`),
      caps: { federation: 'A' },
    };
  return pass(`${what} signed and validated`);
}

function ofLookups(choose: (dns: DnsFacts) => readonly AnyLookup[], what: string): Check['judge'] {
  return ({ dns }) =>
    ofDomain(dns, (facts) => {
      const lookups = choose(facts);
      return lookups.length === 0 ? skip('there is nothing to look at') : securityOf(lookups, what);
    });
}

/** An endpoint with the TLSA records that stand for it. */
interface DaneCase {
  facts: EndpointFacts;
  tlsa: TlsaFacts;
}

function daneCases({ dns, endpoints }: ProbeFacts): DaneCase[] {
  const all = dns?.value?.tlsa ?? [];
  return endpoints.flatMap((facts) => {
    const { host, port, service } = facts.endpoint;
    const tlsa = all.find((one) => one.host === host && one.port === port && one.service === service);
    return tlsa && tlsa.lookup.records.length > 0 ? [{ facts, tlsa }] : [];
  });
}

const isUsablePath = ({ isPathSecure, lookup }: TlsaFacts): boolean =>
  isPathSecure && lookup.security === 'secure';

function matchOf({ facts, tlsa }: DaneCase, now: Date): TlsaMatch | undefined {
  const certificate = facts.certificate?.value;
  return (
    certificate &&
    matchTlsa(tlsa.lookup.records, certificate.sent, { pkixTrusted: certificate.chain.trusted, now })
  );
}

function ofDane(judge: (one: DaneCase, now: Date) => Verdict | undefined): Check['judge'] {
  return (all) =>
    ofDomain(all.dns, () => {
      const cases = daneCases(all).filter(({ tlsa, facts }) => isUsablePath(tlsa) && facts.tcp.value);
      if (cases.length === 0) return skip('there are no TLSA records in a signed zone');
      return cases.flatMap((one) => {
        const verdict = judge(one, all.now);
        return verdict ? [{ ...verdict, endpoint: one.facts.endpoint.id }] : [];
      });
    });
}

function ofPosh(
  judge: (file: PoshFile, service: 'client' | 'server', all: ProbeFacts) => Verdict | undefined,
): Check['judge'] {
  return (all) =>
    ofDomain(all.posh, (posh) => {
      const verdicts = (['client', 'server'] as const).flatMap((service) => {
        const file = posh[service].value;
        const verdict = file && judge(file, service, all);
        return verdict ? [verdict] : [];
      });
      return verdicts.length === 0 ? skip('no POSH file is served') : verdicts;
    });
}

export const dnssecChecks: readonly Check[] = [
  {
    id: 'dnssec.srv',
    group: 'dnssec',
    severity: 'medium',
    title: 'the SRV records are signed',
    expected: 'signatures that validate from the root down',
    references: ['RFC 4035', 'RFC 7673 §3'],
    why: 'Whoever can forge them leads clients and servers anywhere; a bogus zone cannot be reached at all by those who validate.',
    fix: signZone,
    caps: { federation: 'F' },
    reads: ['dns'],
    judge: ofLookups(({ srv }) => Object.values(srv).map(({ lookup }) => lookup), 'SRV records'),
  },
  {
    id: 'dnssec.address',
    group: 'dnssec',
    severity: 'medium',
    title: 'the addresses of the targets are signed',
    expected: 'signatures that validate from the root down',
    references: ['RFC 4035', 'RFC 7673 §3'],
    why: 'DANE counts only where every step to the server is signed.',
    fix: signZone,
    caps: { federation: 'F' },
    reads: ['dns'],
    judge: ofLookups(
      ({ targets, domain }) => (targets.length > 0 ? targets : [domain]).flatMap(({ a, aaaa }) => [a, aaaa]),
      'addresses',
    ),
  },
  {
    id: 'dnssec.tlsa',
    group: 'dnssec',
    severity: 'medium',
    title: 'answers about TLSA records can be believed',
    expected: 'signatures that validate, also for the answer that there are none',
    references: ['RFC 7671 §4', 'RFC 7673 §3'],
    why: 'Servers that do DANE refuse to connect where this answer is bogus, or does not come.',
    fix: signZone,
    caps: { federation: 'F' },
    reads: ['dns'],
    judge: ofLookups(({ tlsa }) => tlsa.map(({ lookup }) => lookup), 'TLSA answers'),
  },
  {
    id: 'dane.tlsa.present',
    group: 'dnssec',
    severity: 'low',
    title: 'TLSA records say which certificate is right',
    expected: 'TLSA records at _PORT._tcp.TARGET in a signed zone',
    references: ['RFC 6698', 'RFC 7673'],
    why: 'With them an authority that issues a wrong certificate changes nothing.',
    fix: { elsewhere: '_5269._tcp.xmpp.example.org. TLSA 3 1 1 and the SHA-256 of the public key' },
    reads: ['dns'],
    judge: ({ dns }) =>
      ofDomain(dns, ({ tlsa }) => {
        if (tlsa.length === 0) return skip('there are no SRV targets');
        const found = tlsa.filter(({ lookup }) => lookup.records.length > 0);
        return found.length > 0
          ? pass(`at ${found.length} of ${tlsa.length} targets`)
          : { ...info('none'), caps: { federation: 'A' } };
      }),
  },
  {
    id: 'dane.tlsa.unsigned',
    group: 'dnssec',
    severity: 'medium',
    title: 'TLSA records are in signed zones',
    expected: 'the SRV record, the addresses and the TLSA records all signed',
    references: ['RFC 7673 §3', 'RFC 6698 §4.1'],
    why: 'Elsewhere they are ignored: they protect nobody, and look as if they did.',
    fix: signZone,
    reads: ['dns'],
    judge: ({ dns }) =>
      ofDomain(dns, ({ tlsa }) => {
        const found = tlsa.filter(({ lookup }) => lookup.records.length > 0);
        if (found.length === 0) return skip('there are no TLSA records');
        const unsigned = found.filter((one) => !isUsablePath(one));
        return unsigned.length > 0
          ? warn(`without effect: ${list(unsigned.map(({ lookup }) => lookup.name))}`)
          : pass(`${found.length} signed`);
      }),
  },
  {
    id: 'dane.tlsa.usable',
    group: 'dnssec',
    severity: 'medium',
    title: 'TLSA records are well-formed',
    expected: 'known usages, selectors and matching types, and digests of the right length',
    references: ['RFC 6698 §4.1', 'RFC 7671 §5'],
    why: 'A record that nobody can use is passed over.',
    fix: { elsewhere: 'write the record anew: TLSA 3 1 1' },
    reads: ['dns', 'certificate'],
    judge: ofDane((one, now) => {
      const bad = matchOf(one, now)?.records.filter(({ usable }) => !usable) ?? [];
      return bad.length > 0
        ? warn(list([...new Set(bad.map(({ reason }) => reason))]))
        : pass(`${one.tlsa.lookup.records.length} records`);
    }),
  },
  {
    id: 'dane.tlsa.match',
    group: 'dnssec',
    severity: 'critical',
    title: 'a TLSA record matches the certificate',
    expected: 'at least one record that fits what the server sends',
    references: ['RFC 6698 §2', 'RFC 7671 §5', 'RFC 7671 §8'],
    why: 'Servers that do DANE refuse to connect otherwise: a renewed key without a new record cuts the domain off.',
    fix: {
      elsewhere:
        'publish the record of the new key before it is used, and keep the key when the certificate is renewed',
    },
    caps: { security: 'F', federation: 'F' },
    reads: ['dns', 'certificate'],
    judge: ofDane((one, now) => {
      const match = matchOf(one, now);
      if (!match) return skip(one.facts.certificate?.reason ?? 'no certificate was seen');
      if (match.by) return pass(`${match.by.usage} ${match.by.selector} ${match.by.matchingType}`);
      if (!match.usable) return undefined;
      const reasons = list([...new Set(match.records.map(({ reason }) => reason))].slice(0, 3));
      return isForServers(one.facts.endpoint.service)
        ? fail(reasons)
        : { ...fail(reasons), caps: { security: 'F' } };
    }),
  },
  {
    id: 'dane.tlsa.stale',
    group: 'dnssec',
    severity: 'low',
    title: 'no TLSA record is left over',
    expected: 'only records that fit, but for a key that is about to be used',
    references: ['RFC 7671 §8.1'],
    why: 'A forgotten record lets an old, perhaps stolen, key speak for the server.',
    fix: { elsewhere: 'remove the record of the old key' },
    reads: ['dns', 'certificate'],
    judge: ofDane((one, now) => {
      const match = matchOf(one, now);
      if (!match?.matched) return undefined;
      const extra = match.records.filter(({ usable, matches }) => usable && !matches).length;
      return extra > 0 ? info(`${extra} of ${match.records.length} do not fit`) : pass('none');
    }),
  },
  {
    id: 'dane.tlsa.end-entity',
    group: 'dnssec',
    severity: 'low',
    title: 'the TLSA record names the key of the server itself',
    expected: 'TLSA 3 1 1',
    references: ['RFC 7671 §5.1', 'RFC 7673 §4'],
    why: 'It needs no authority, no name and no date, so that little can go wrong.',
    fix: { elsewhere: 'TLSA 3 1 1 and the SHA-256 of the public key' },
    reads: ['dns', 'certificate'],
    judge: ofDane((one, now) => {
      const by = matchOf(one, now)?.by;
      if (!by) return undefined;
      const said = `${by.usage} ${by.selector} ${by.matchingType}`;
      return by.usage === 3 && by.selector === 1 ? pass(said) : info(said);
    }),
  },
  {
    id: 'posh.served',
    group: 'dnssec',
    severity: 'low',
    title: 'POSH files name the right certificates',
    expected: 'the SHA-256 of the certificate of the server among the fingerprints',
    references: ['RFC 7711 §3', 'RFC 7712 §5'],
    why: 'A server that knows POSH takes it for proof, and refuses where the certificate is another.',
    fix: { elsewhere: 'write /.well-known/posh/xmpp-server.json anew when the certificate is renewed' },
    reads: ['posh', 'certificate'],
    judge: ofPosh(({ fingerprints, url, tlsProblem }, service, { endpoints }) => {
      if (tlsProblem !== undefined)
        return fail(
          `xmpp-${service}.json: the certificate of the web server cannot be trusted: ${tlsProblem}`,
        );
      if (url !== undefined && fingerprints.length === 0) return info(`xmpp-${service}.json leads to ${url}`);
      const seen = endpoints.filter(
        ({ endpoint, certificate }) =>
          isForServers(endpoint.service) === (service === 'server') && certificate?.value,
      );
      if (seen.length === 0) return skip('no certificate was seen');
      const bad = seen.filter(({ certificate }) => {
        const leaf = certificate?.value?.fingerprints[0]?.replace(/[^0-9a-f]/gi, '') ?? '';
        return !fingerprints.includes(Buffer.from(leaf, 'hex').toString('base64'));
      });
      return bad.length > 0
        ? fail(
            `xmpp-${service}.json does not name the certificate of ${list(bad.map(({ endpoint }) => endpoint.id))}`,
          )
        : pass(`xmpp-${service}.json`);
    }),
  },
  {
    id: 'posh.expires',
    group: 'dnssec',
    severity: 'low',
    title: 'POSH files say how long they hold',
    expected: 'expires, in seconds',
    references: ['RFC 7711 §3.1'],
    why: 'Without it nobody knows when to ask again.',
    fix: { elsewhere: '"expires": 86400' },
    reads: ['posh'],
    judge: ofPosh(({ expiresSeconds }, service) =>
      expiresSeconds === undefined
        ? info(`xmpp-${service}.json: not said`)
        : pass(`xmpp-${service}.json: ${expiresSeconds} s`),
    ),
  },
];
