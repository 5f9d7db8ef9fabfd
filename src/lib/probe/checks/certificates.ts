/** The certificates of a domain. */
import { matchName, matchesDnsName } from '../../x509/names.js';
import type { ChainProblem } from '../../x509/chain.js';
import { isForServers, type CertificateFacts, type EndpointFacts, type ProbeFacts } from '../facts/facts.js';
import type { Caps } from '../model.js';
import {
  atEachEndpoint,
  fail,
  info,
  list,
  of,
  pass,
  skip,
  warn,
  type Check,
  type LocalVerdict,
} from './check.js';

const DAY_MS = 86_400_000;

function ofCertificate(
  judge: (certificate: CertificateFacts, facts: EndpointFacts, all: ProbeFacts) => LocalVerdict | undefined,
): Check['judge'] {
  return atEachEndpoint({
    judge: (facts, all) => of(facts.certificate, (certificate) => judge(certificate, facts, all)),
  });
}

/** What is wrong with a certificate for servers keeps them out, too. */
const both = ({ endpoint }: EndpointFacts, grade: 'T' | 'F' | 'B' | 'C'): Caps =>
  isForServers(endpoint.service) ? { federation: grade } : { security: grade };

const install = {
  prosody:
    'prosodyctl cert import, with the full chain in the file; prosodyctl check certs tells what Prosody sees',
  ejabberd: 'certfiles with the full chain; ejabberdctl reload_config',
};

const problems: Readonly<Record<ChainProblem, string>> = {
  'self-signed': 'it is signed by itself',
  'unknown-issuer': 'its issuer is not trusted',
  incomplete: 'the certificate of its issuer was not sent',
  expired: 'a certificate in the chain has expired',
  'not-yet-valid': 'a certificate in the chain is not valid yet',
  'not-an-authority': 'it is signed by a certificate that may not sign others',
  unreadable: 'it cannot be read',
};

/** RFC 7711 and DANE let others vouch for it; here only the ordinary way counts. */
function isVouchedForByDane({ endpoint }: EndpointFacts, { dns }: ProbeFacts): boolean {
  return (
    dns?.value?.tlsa.some(
      ({ host, port, isPathSecure, lookup }) =>
        host === endpoint.host &&
        port === endpoint.port &&
        isPathSecure &&
        lookup.security === 'secure' &&
        lookup.records.some(({ usage }) => usage >= 2),
    ) === true
  );
}

export const certificateChecks: readonly Check[] = [
  {
    id: 'cert.trust',
    group: 'cert',
    severity: 'critical',
    title: 'the certificate is trusted',
    expected: 'a chain to an authority that everybody trusts (or one of --ca)',
    references: ['RFC 6120 §13.7.2', 'RFC 5280 §6', 'RFC 7590 §3.4'],
    why: 'Clients refuse, or teach their users to accept anything; servers refuse, or fall back to the DNS.',
    fix: install,
    reads: ['certificate', 'handshakes', 'dns'],
    judge: ofCertificate(({ chain, leaf }, facts, all) => {
      if (chain.trusted) return pass(chain.path.at(-1) ?? '');
      // The date is a matter of its own.
      if (chain.problem === 'expired' || chain.problem === 'not-yet-valid') return undefined;
      const observed = `${problems[chain.problem ?? 'unknown-issuer']} (issuer: ${leaf.issuer})`;
      return isVouchedForByDane(facts, all)
        ? warn(`${observed}; DANE vouches for it where it is known`)
        : fail(observed, { caps: both(facts, 'T') });
    }),
  },
  {
    id: 'cert.name',
    group: 'cert',
    severity: 'critical',
    title: 'the certificate is for this domain',
    expected: 'the domain as dNSName, SRVName or XmppAddr',
    references: ['RFC 6120 §13.7.1.2', 'RFC 6125 §6', 'RFC 9525'],
    why: 'What counts is the domain in the address of people, not the host that the DNS leads to.',
    fix: { ...install, elsewhere: 'a certificate with the domain itself among its names' },
    reads: ['certificate', 'handshakes', 'dns'],
    judge: ofCertificate(({ leaf }, facts, all) => {
      const service = isForServers(facts.endpoint.service) ? 'xmpp-server' : 'xmpp-client';
      const { by, isByCommonNameOnly } = matchName(leaf, { domain: all.domain, service });
      if (by) return pass(`${by.kind} ${by.value}`);
      const caps = both(facts, 'T');
      if (isByCommonNameOnly)
        return fail('only the common name fits, which does not count any more', { caps });
      const { dns, srv, xmppAddr } = leaf.subjectAltName;
      const isForTarget = dns.some((name) => matchesDnsName(name, facts.endpoint.host));
      if (isForTarget)
        return fail(`it is for the host ${facts.endpoint.host} that the DNS leads to, not for the domain`, {
          caps,
        });
      const names = [...dns, ...srv, ...xmppAddr].slice(0, 8);
      return fail(`it is for ${names.length === 0 ? leaf.subject : list(names)}`, { caps });
    }),
  },
  {
    id: 'cert.expiry',
    group: 'cert',
    severity: 'critical',
    title: 'the certificate is valid now, and will be for a while',
    expected: 'two weeks left at least',
    references: ['RFC 5280 §4.1.2.5', 'RFC 6120 §13.7.2'],
    why: 'When it expires nobody can log in, and other servers do not connect.',
    fix: {
      elsewhere:
        'have it renewed by a program (certbot, lego, dehydrated), which tells the server to read it again',
    },
    reads: ['certificate', 'handshakes'],
    judge: ofCertificate(({ sent, chain, leaf }, facts, { now }) => {
      const until = leaf.notAfter.toISOString().slice(0, 10);
      const days = Math.floor((leaf.notAfter.getTime() - now.getTime()) / DAY_MS);
      if (days < 0) return fail(`expired on ${until}`, { caps: both(facts, 'F') });
      if (leaf.notBefore > now)
        return fail(`valid from ${leaf.notBefore.toISOString().slice(0, 10)} on`, { caps: both(facts, 'F') });
      if (chain.problem === 'expired' || chain.problem === 'not-yet-valid') {
        return fail(`one of the ${sent.length} certificates that were sent is not valid now`, {
          caps: both(facts, 'T'),
        });
      }
      if (days < 7) return fail(`${days} days left`, { caps: both(facts, 'B') });
      return days < 14 ? warn(`${days} days left`) : pass(`until ${until}, ${days} days`);
    }),
  },
  {
    id: 'cert.chain.complete',
    group: 'cert',
    severity: 'high',
    title: 'the chain is sent complete',
    expected: 'every certificate up to the root',
    references: ['RFC 8446 §4.4.2', 'RFC 5246 §7.4.2'],
    why: 'Browsers find what is missing; XMPP clients and servers mostly do not.',
    fix: install,
    reads: ['certificate', 'handshakes'],
    judge: ofCertificate(({ chain, leaf, sent }) => {
      if (chain.problem === 'self-signed' || chain.problem === 'unknown-issuer') return undefined;
      if (chain.problem === 'incomplete') {
        const [url] = leaf.issuerUrls;
        return fail(
          `the certificate of ${leaf.issuer} is missing${url === undefined ? '' : `, which is at ${url}`}`,
        );
      }
      return pass(`${sent.length} certificates`);
    }),
  },
  {
    id: 'cert.chain.order',
    group: 'cert',
    severity: 'low',
    title: 'the chain is sent in order',
    expected: 'each certificate followed by the one that signed it, and nothing else',
    references: ['RFC 5246 §7.4.2', 'RFC 8446 §4.4.2'],
    why: 'Older programs stop at the first that does not follow.',
    fix: install,
    reads: ['certificate', 'handshakes'],
    judge: ofCertificate(({ chain, isExact, sent }) => {
      if (!isExact) return skip('TLS 1.3 hides it');
      if (!chain.isInOrder) return warn('out of order');
      if (chain.isRootSent && chain.unused <= 1) return info('the root is sent, too, which nobody needs');
      if (chain.unused > 0) return info(`${chain.unused} of ${sent.length} certificates are not needed`);
      return pass(`${sent.length} certificates`);
    }),
  },
  {
    id: 'cert.key',
    group: 'cert',
    severity: 'high',
    title: 'the key is strong',
    expected: 'RSA with 2048 bits or more, or a curve of 224 bits or more, or Ed25519',
    references: ['RFC 9325 §4.5', 'RFC 8017'],
    why: 'Whoever can compute the private key is the server.',
    fix: { elsewhere: 'a new key: openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256' },
    reads: ['certificate', 'handshakes'],
    judge: ofCertificate(({ leaf: { publicKey } }) => {
      const { algorithm, bits, curve, exponent } = publicKey;
      const said = [algorithm, curve ?? (bits === undefined ? '' : `${bits} bits`)].join(' ').trim();
      if (algorithm === 'unknown' || bits === undefined) return info(said);
      if (algorithm === 'RSA' || algorithm === 'DSA') {
        if (bits < 1024) return fail(said, { caps: { security: 'F' } });
        if (bits < 2048) return fail(said, { caps: { security: 'B' } });
        if (exponent !== undefined && exponent < 65_537n) return warn(`${said}, exponent ${exponent}`);
        return algorithm === 'DSA' ? warn(said) : pass(said);
      }
      return bits < 224 ? fail(said, { caps: { security: 'B' } }) : pass(said);
    }),
  },
  {
    id: 'cert.signature',
    group: 'cert',
    severity: 'high',
    title: 'the signature is strong',
    expected: 'SHA-256 or better',
    references: ['RFC 9325 §4.5', 'RFC 6194'],
    why: 'With MD5 and SHA-1 a second certificate with the same signature can be made.',
    fix: { elsewhere: 'have the certificate issued anew' },
    reads: ['certificate', 'handshakes'],
    judge: ofCertificate(({ leaf: { signature } }) => {
      if (signature.hash === 'MD5' || signature.hash === 'MD2')
        return fail(signature.name, { caps: { security: 'F' } });
      return signature.hash === 'SHA-1'
        ? fail(signature.name, { caps: { security: 'C' } })
        : pass(signature.name);
    }),
  },
  {
    id: 'cert.usage.server',
    group: 'cert',
    severity: 'high',
    title: 'the certificate may be used by a server',
    expected: 'serverAuth among the extended key usages, or none of them',
    references: ['RFC 5280 §4.2.1.12'],
    why: 'Programs that check it refuse to connect.',
    fix: { elsewhere: 'have a certificate for servers issued' },
    reads: ['certificate', 'handshakes'],
    judge: ofCertificate(({ leaf: { extendedKeyUsage } }, facts) => {
      if (extendedKeyUsage === undefined) return pass('not restricted');
      return extendedKeyUsage.includes('serverAuth') || extendedKeyUsage.includes('any')
        ? pass(list(extendedKeyUsage))
        : fail(list(extendedKeyUsage), { caps: both(facts, 'T') });
    }),
  },
  {
    id: 'cert.usage.client',
    group: 'cert',
    severity: 'medium',
    title: 'the certificate may be used towards other servers',
    expected: 'clientAuth among the extended key usages, or none of them',
    references: ['XEP-0178 §3', 'RFC 5280 §4.2.1.12'],
    why: 'A server is a client of other servers. Public authorities leave clientAuth out more and more; who checks it strictly falls back to dialback.',
    fix: { elsewhere: 'an authority, or a profile of it, that still issues clientAuth' },
    reads: ['certificate', 'handshakes'],
    judge: atEachEndpoint({
      services: ['xmpp-server', 'xmpps-server'],
      judge: ({ certificate }) =>
        of(certificate, ({ leaf: { extendedKeyUsage } }) => {
          if (extendedKeyUsage === undefined) return pass('not restricted');
          if (extendedKeyUsage.includes('clientAuth') || extendedKeyUsage.includes('any'))
            return pass(list(extendedKeyUsage));
          return warn(`only ${list(extendedKeyUsage)}`, { caps: { federation: 'B' } });
        }),
    }),
  },
  {
    id: 'cert.staple',
    group: 'cert',
    severity: 'medium',
    title: 'a certificate that wants stapling gets it',
    expected: 'a stapled OCSP response where the certificate demands one',
    references: ['RFC 7633', 'RFC 6961'],
    why: 'Programs that read the demand refuse the connection without it.',
    fix: { elsewhere: 'have the certificate issued without must-staple: XMPP servers do not staple' },
    caps: { security: 'B' },
    reads: ['certificate', 'handshakes'],
    judge: ofCertificate(({ leaf: { mustStaple }, ocspStapled }) => {
      if (!mustStaple) return info(ocspStapled ? 'stapled, not demanded' : 'not demanded');
      return ocspStapled ? pass('stapled') : fail('demanded by the certificate, and not sent');
    }),
  },
  {
    id: 'cert.transparency',
    group: 'cert',
    severity: 'low',
    title: 'the certificate is in public logs',
    expected: 'two embedded timestamps',
    references: ['RFC 6962', 'RFC 9162'],
    why: 'What is logged can be noticed by the owner of the domain.',
    reads: ['certificate', 'handshakes'],
    judge: ofCertificate(({ leaf: { timestamps } }) =>
      timestamps >= 2 ? pass(`${timestamps} timestamps`) : info(`${timestamps} timestamps`),
    ),
  },
  {
    id: 'cert.lifetime',
    group: 'cert',
    severity: 'low',
    title: 'the certificate is not valid for too long',
    expected: '398 days at most',
    references: ['CA/Browser Forum Baseline Requirements §6.3.2'],
    why: 'A key that was stolen works until then; some programs refuse longer ones.',
    reads: ['certificate', 'handshakes'],
    judge: ofCertificate(({ leaf }) => {
      const days = Math.round((leaf.notAfter.getTime() - leaf.notBefore.getTime()) / DAY_MS);
      return days > 398 ? info(`${days} days`) : pass(`${days} days`);
    }),
  },
  {
    id: 'cert.consistency',
    group: 'cert',
    severity: 'medium',
    title: 'all endpoints show the same certificate',
    expected: 'one certificate for clients, and one for servers, on every address and port',
    references: ['RFC 6120 §13.7.2'],
    why: 'A forgotten machine, or somebody in the middle, shows another one. With a pin or a TLSA record only one of them is right.',
    fix: install,
    reads: ['certificate', 'handshakes'],
    judge: ({ endpoints }) => {
      const seen = endpoints.filter(({ certificate }) => certificate?.value);
      if (seen.length < 2) return [skip('fewer than two certificates were seen')];
      const byFingerprint = new Map<string, string[]>();
      for (const { endpoint, certificate } of seen) {
        const key = certificate?.value?.fingerprints[0] ?? '';
        byFingerprint.set(key, [...(byFingerprint.get(key) ?? []), endpoint.id]);
      }
      if (byFingerprint.size === 1) return [pass(`${seen.length} endpoints`)];
      const said = [...byFingerprint].map(
        ([fingerprint, ids]) => `${fingerprint.slice(0, 16)}… at ${list(ids)}`,
      );
      return [warn(said.join('; '))];
    },
  },
];
