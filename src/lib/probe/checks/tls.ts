/** TLS: versions, suites, groups, and what goes with them. */
import type { ProtocolVersion, TlsScan, VersionScan } from '../../tls-scan/scan.js';
import type { CipherSuite, SuiteWeakness } from '../../tls-scan/suites.js';
import type { Caps, Severity } from '../model.js';
import { isDirectTls, type EndpointFacts } from '../facts/facts.js';
import { alpnOf } from '../facts/target.js';
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

function ofScan(
  judge: (scan: TlsScan, facts: EndpointFacts) => LocalVerdict | readonly LocalVerdict[] | undefined,
): Check['judge'] {
  return atEachEndpoint({ judge: (facts) => of(facts.scan, (scan) => judge(scan, facts)) });
}

const modernTls = {
  prosody: 'ssl = { protocol = "tlsv1_2+" }, or leave tls_profile at "intermediate"',
  ejabberd: 'protocol_options: [no_sslv3, no_tlsv1, no_tlsv1_1] in each listener and in s2s_protocol_options',
};
const modernCiphers = {
  prosody: 'ssl = { ciphers = "ECDHE+AESGCM:ECDHE+CHACHA20" }, or tls_profile = "intermediate"',
  ejabberd: 'ciphers: "ECDHE+AESGCM:ECDHE+CHACHA20" in each listener, and s2s_ciphers',
};

function oldVersion(
  version: ProtocolVersion,
  id: string,
  rest: { severity: Severity; caps: Caps; references: readonly string[]; why: string },
): Check {
  return {
    id: `tls.proto.${id}`,
    group: 'tls',
    title: `${readable(version)} is not accepted`,
    expected: 'a refusal',
    fix: modernTls,
    reads: ['scan'],
    judge: ofScan(({ versions }) => judgeOld(versions[version])),
    ...rest,
  };
}

function judgeOld(scan: VersionScan): LocalVerdict {
  if (scan.isSupported)
    return fail(scan.suites.length > 0 ? `accepted, with ${scan.suites.length} suites` : 'accepted');
  return /^(the server refused more|the \d+ connections|not tried)/.test(scan.refusal)
    ? skip(scan.refusal)
    : pass(`refused (${scan.refusal})`);
}

const readable = (version: ProtocolVersion): string => version.replace('v', ' ');

const allSuites = ({ versions }: TlsScan): CipherSuite[] => [
  ...new Map(
    Object.values(versions)
      .flatMap((scan) => (scan.isSupported ? scan.suites : []))
      .map((suite) => [suite.code, suite]),
  ).values(),
];

function weakSuites(
  id: string,
  weaknesses: readonly SuiteWeakness[],
  rest: { severity: Severity; title: string; why: string; caps: Caps; references: readonly string[] },
): Check {
  return {
    id: `tls.suites.${id}`,
    group: 'tls',
    expected: 'none of them accepted',
    fix: modernCiphers,
    reads: ['scan'],
    judge: ofScan((scan) => {
      const bad = allSuites(scan).filter((suite) =>
        suite.weaknesses.some((weakness) => weaknesses.includes(weakness)),
      );
      return bad.length > 0
        ? fail(`accepted: ${list(bad.slice(0, 6).map(({ name }) => name))}${bad.length > 6 ? ', …' : ''}`)
        : pass('none');
    }),
    ...rest,
  };
}

const isSpoken = (scan: TlsScan, version: ProtocolVersion): boolean => scan.versions[version].isSupported;

export const tlsChecks: readonly Check[] = [
  {
    id: 'tls.proto.1.3',
    group: 'tls',
    severity: 'low',
    title: 'TLS 1.3 is accepted',
    expected: 'a handshake with TLS 1.3',
    references: ['RFC 8446', 'RFC 9325 §3.1.1'],
    why: 'It is safer, and a round trip faster.',
    fix: modernTls,
    caps: { security: 'A' },
    reads: ['scan'],
    judge: ofScan((scan) =>
      isSpoken(scan, 'TLSv1.3') ? pass('accepted') : warn('not accepted', { caps: { security: 'A' } }),
    ),
  },
  {
    id: 'tls.proto.1.2',
    group: 'tls',
    severity: 'high',
    title: 'TLS 1.2 or 1.3 is accepted',
    expected: 'a handshake with TLS 1.2 or newer',
    references: ['RFC 9325 §3.1.1', 'RFC 7590 §3.4'],
    why: 'Clients that keep to the rules do not connect otherwise.',
    fix: modernTls,
    caps: { security: 'C', federation: 'C' },
    reads: ['scan'],
    judge: ofScan((scan) => {
      if (isSpoken(scan, 'TLSv1.2')) return pass('TLS 1.2');
      return isSpoken(scan, 'TLSv1.3')
        ? info('only TLS 1.3: some servers and clients cannot connect')
        : fail('neither');
    }),
  },
  oldVersion('TLSv1.1', '1.1', {
    severity: 'medium',
    caps: { security: 'B' },
    references: ['RFC 8996', 'RFC 9325 §3.1.1'],
    why: 'It depends on SHA-1 and MD5, and was withdrawn in 2021.',
  }),
  oldVersion('TLSv1.0', '1.0', {
    severity: 'medium',
    caps: { security: 'B' },
    references: ['RFC 8996', 'RFC 9325 §3.1.1'],
    why: 'It depends on SHA-1 and MD5, and was withdrawn in 2021.',
  }),
  oldVersion('SSLv3', 'ssl3', {
    severity: 'critical',
    caps: { security: 'F' },
    references: ['RFC 7568'],
    why: 'What it encrypts can be read by somebody in the middle (POODLE).',
  }),
  oldVersion('SSLv2', 'ssl2', {
    severity: 'critical',
    caps: { security: 'F' },
    references: ['RFC 6176'],
    why: 'It also endangers every other service with the same key (DROWN).',
  }),
  weakSuites('null', ['null'], {
    severity: 'critical',
    title: 'no suite goes without encryption',
    why: 'It only looks like TLS.',
    caps: { security: 'F' },
    references: ['RFC 9325 §4.1'],
  }),
  weakSuites('anonymous', ['anonymous'], {
    severity: 'critical',
    title: 'no suite goes without a certificate',
    why: 'Anybody in the middle can be the server.',
    caps: { security: 'F' },
    references: ['RFC 9325 §4.1'],
  }),
  weakSuites('export', ['export'], {
    severity: 'critical',
    title: 'no suite has a key that was made weak for export',
    why: 'It is broken in seconds (FREAK, Logjam).',
    caps: { security: 'F' },
    references: ['RFC 9325 §4.1'],
  }),
  weakSuites('rc4', ['rc4'], {
    severity: 'high',
    title: 'no suite uses RC4',
    why: 'What is sent often, as passwords are, can be read.',
    caps: { security: 'D' },
    references: ['RFC 7465'],
  }),
  weakSuites('des', ['des', '3des'], {
    severity: 'medium',
    title: 'no suite uses DES, 3DES, RC2 or IDEA',
    why: 'Blocks of 64 bits give away text after some hours of traffic (SWEET32); DES itself is broken.',
    caps: { security: 'C' },
    references: ['RFC 9325 §4.1', 'RFC 7525 §4.1'],
  }),
  {
    id: 'tls.forward-secrecy',
    group: 'tls',
    severity: 'medium',
    title: 'every suite has forward secrecy',
    expected: 'ECDHE or DHE in every suite that is accepted',
    references: ['RFC 9325 §4.1', 'RFC 7590 §3.1'],
    why: 'Otherwise whoever gets the key later reads everything that was recorded before.',
    fix: modernCiphers,
    reads: ['scan'],
    judge: ofScan((scan) => {
      const all = allSuites(scan);
      if (all.length === 0) return undefined;
      const without = all.filter(({ hasForwardSecrecy }) => !hasForwardSecrecy);
      if (without.length === 0) return pass(`${all.length} suites`);
      if (without.length === all.length) return fail('no suite has it', { caps: { security: 'B' } });
      const isPreferred = Object.values(scan.versions).some(
        (one) => one.isSupported && one.order === 'server' && one.suites[0]?.hasForwardSecrecy === false,
      );
      return isPreferred
        ? fail('a suite without it is preferred', { caps: { security: 'B' } })
        : info(`${without.length} of ${all.length} suites are without`);
    }),
  },
  {
    id: 'tls.aead',
    group: 'tls',
    severity: 'low',
    title: 'every suite is authenticated encryption',
    expected: 'GCM, CCM or Poly1305 in every suite that is accepted',
    references: ['RFC 9325 §4.2'],
    why: 'Suites with CBC have been attacked again and again (Lucky Thirteen).',
    fix: modernCiphers,
    reads: ['scan'],
    judge: ofScan((scan) => {
      const all = allSuites(scan);
      if (all.length === 0) return undefined;
      const without = all.filter(({ isAead }) => !isAead);
      if (without.length === all.length) return fail('no suite is', { caps: { security: 'B' } });
      return without.length === 0
        ? pass(`${all.length} suites`)
        : info(`${without.length} of ${all.length} suites are not`);
    }),
  },
  {
    id: 'tls.order',
    group: 'tls',
    severity: 'low',
    title: 'the server decides which suite is used',
    expected: 'the same choice whatever the order of the offer; or only good suites',
    references: ['RFC 9325 §4.2.1'],
    why: 'Otherwise old clients choose the weakest of those that are accepted.',
    fix: {
      prosody: 'options = { "cipher_server_preference" }',
      ejabberd: 'protocol_options: [cipher_server_preference]',
    },
    reads: ['scan'],
    judge: ofScan((scan) => {
      const older = Object.entries(scan.versions).filter(([version]) => version !== 'TLSv1.3');
      const byClient = older.filter(([, one]) => one.isSupported && one.order === 'client');
      const known = older.filter(([, one]) => one.isSupported && one.order !== undefined);
      if (known.length === 0) return skip('there is nothing to choose');
      if (byClient.length === 0) return pass('the server');
      return allSuites(scan).every(({ weaknesses }) => weaknesses.length === 0)
        ? pass('the client, among good suites only')
        : info('the client');
    }),
  },
  {
    id: 'tls.groups',
    group: 'tls',
    severity: 'low',
    title: 'the common groups are accepted',
    expected: 'X25519 or P-256',
    references: ['RFC 8446 §9.1', 'RFC 9325 §4.4'],
    why: 'Clients that offer nothing else cannot connect.',
    fix: { prosody: 'curveslist = { "X25519", "P-256", "P-384" }', ejabberd: 'part of OpenSSL: no setting' },
    reads: ['scan'],
    judge: ofScan(({ groups }) => {
      const all = [...new Set([...groups.tls13, ...groups.tls12])];
      if (all.length === 0) return skip('no exchange on a curve was seen');
      return all.includes('X25519') || all.includes('P-256') ? pass(list(all)) : warn(`only ${list(all)}`);
    }),
  },
  {
    id: 'tls.groups.quantum',
    group: 'tls',
    severity: 'low',
    title: 'the key exchange withstands quantum computers',
    expected: 'X25519MLKEM768',
    references: ['draft-ietf-tls-ecdhe-mlkem'],
    why: 'What is recorded today can be read by those who have one later.',
    fix: { elsewhere: 'OpenSSL 3.5 and later under the server' },
    reads: ['scan'],
    judge: ofScan(({ groups }) => {
      const found = groups.tls13.filter((name) => name.includes('MLKEM'));
      return found.length > 0 ? pass(list(found)) : info('not yet');
    }),
  },
  {
    id: 'tls.dh.size',
    group: 'tls',
    severity: 'medium',
    title: 'Diffie-Hellman uses primes of 2048 bits or more',
    expected: '2048 bits',
    references: ['RFC 9325 §4.3', 'RFC 7919'],
    why: 'Smaller ones are, or will soon be, broken (Logjam).',
    fix: {
      prosody: 'dhparam in ssl = { … }, or no DHE suites',
      ejabberd: 'dhfile in each listener, or no DHE suites',
    },
    reads: ['scan'],
    judge: ofScan(({ diffieHellman }) => {
      if (diffieHellman.length === 0) return skip('no suite with Diffie-Hellman over a prime is accepted');
      const least = Math.min(...diffieHellman.map(({ bits }) => bits));
      if (least >= 2048) return pass(`${least} bits`);
      return fail(`${least} bits`, { caps: { security: least < 1024 ? 'D' : 'B' } });
    }),
  },
  {
    id: 'tls.dh.prime',
    group: 'tls',
    severity: 'low',
    title: 'small well-known primes are not used',
    expected: 'a prime of 2048 bits or more, or one of its own',
    references: ['RFC 9325 §4.3'],
    why: 'The work to break a prime is done once for all who share it.',
    fix: { prosody: 'openssl dhparam -out dh.pem 2048', ejabberd: 'openssl dhparam -out dh.pem 2048' },
    reads: ['scan'],
    judge: ofScan(({ diffieHellman }) => {
      if (diffieHellman.length === 0) return undefined;
      const shared = diffieHellman.filter(({ prime, bits }) => prime !== undefined && bits < 2048);
      return shared.length > 0
        ? warn(list(shared.map(({ prime }) => prime ?? '')), { caps: { security: 'B' } })
        : pass('none');
    }),
  },
  {
    id: 'tls.compression',
    group: 'tls',
    severity: 'high',
    title: 'TLS does not compress',
    expected: 'compression refused',
    references: ['RFC 9325 §3.3', 'CVE-2012-4929'],
    why: 'The length of what is compressed gives away secrets in it (CRIME).',
    fix: { prosody: 'options = { "no_compression" }', ejabberd: 'protocol_options: [no_compression]' },
    caps: { security: 'C' },
    reads: ['scan'],
    judge: ofScan(({ older }) => older && (older.compression ? fail('accepted') : pass('refused'))),
  },
  {
    id: 'tls.renegotiation',
    group: 'tls',
    severity: 'high',
    title: 'renegotiation is secure',
    expected: 'the extension renegotiation_info',
    references: ['RFC 5746', 'CVE-2009-3555'],
    why: 'Otherwise somebody in the middle can put his own words in front of a client.',
    fix: { elsewhere: 'update OpenSSL' },
    caps: { security: 'C' },
    reads: ['scan'],
    judge: ofScan(
      ({ older }) =>
        older && (older.secureRenegotiation ? pass('secure') : fail('the extension is not answered')),
    ),
  },
  {
    id: 'tls.extended-master-secret',
    group: 'tls',
    severity: 'low',
    title: 'sessions are bound to their handshake',
    expected: 'the extension extended_master_secret',
    references: ['RFC 7627', 'RFC 9325 §3.5'],
    why: 'Without it channel binding before TLS 1.3 can be got round (triple handshake).',
    fix: { elsewhere: 'update OpenSSL' },
    reads: ['scan'],
    judge: ofScan(
      ({ older }) => older && (older.extendedMasterSecret ? pass('answered') : warn('not answered')),
    ),
  },
  {
    id: 'tls.fallback',
    group: 'tls',
    severity: 'low',
    title: 'a forced fall-back to an older version is noticed',
    expected: 'inappropriate_fallback in answer to TLS_FALLBACK_SCSV',
    references: ['RFC 7507'],
    why: 'Somebody in the middle can make clients fall back otherwise.',
    fix: { elsewhere: 'update OpenSSL, or accept TLS 1.2 and newer only' },
    reads: ['scan'],
    judge: ofScan(({ fallback, versions }) => {
      if (fallback === undefined) return skip('there is no older version to fall back to');
      if (fallback === 'refused') return pass('refused');
      // Between 1.3 and 1.2 the hello itself tells (RFC 8446 §4.1.3).
      return versions['TLSv1.1'].isSupported || versions['TLSv1.0'].isSupported
        ? warn('accepted')
        : info('accepted');
    }),
  },
  {
    id: 'tls.heartbeat',
    group: 'tls',
    severity: 'low',
    title: 'the heartbeat extension is off',
    expected: 'no heartbeat',
    references: ['RFC 6520', 'CVE-2014-0160'],
    why: 'Nobody uses it over TCP, and it was how memory was read (Heartbleed). Whether it still can be is not tried.',
    fix: { elsewhere: 'update OpenSSL' },
    reads: ['scan'],
    judge: ofScan(({ older }) => older && (older.heartbeat ? warn('offered') : pass('off'))),
  },
  {
    id: 'tls.tickets',
    group: 'tls',
    severity: 'low',
    title: 'session tickets',
    expected: 'tickets whose key changes daily, or none',
    references: ['RFC 5077 §5.5', 'RFC 9325 §3.4'],
    why: 'A key for tickets that never changes takes away forward secrecy.',
    reads: ['scan'],
    judge: ofScan(({ older }) => older && info(older.sessionTickets ? 'issued' : 'not issued')),
  },
  {
    id: 'tls.client-certificate',
    group: 'tls',
    severity: 'low',
    title: 'servers are asked for their certificate',
    expected: 'a CertificateRequest at endpoints for servers',
    references: ['RFC 6120 §13.7.1', 'XEP-0178 §3'],
    why: 'Without it no server can authenticate by its certificate.',
    fix: {
      prosody: 's2s_secure_auth or the default: verify = { "peer" }',
      ejabberd: 's2s_use_starttls: required',
    },
    reads: ['scan'],
    judge: atEachEndpoint({
      services: ['xmpp-server', 'xmpps-server'],
      judge: ({ scan }) =>
        of(scan, ({ requestsClientCertificate }) => {
          if (requestsClientCertificate === undefined) return skip('TLS 1.3 hides it');
          return requestsClientCertificate ? pass('asked') : info('not asked');
        }),
    }),
  },
  {
    id: 'tls.direct',
    group: 'tls',
    severity: 'high',
    title: 'where TLS is announced, TLS is spoken',
    expected: 'a TLS handshake from the first byte',
    references: ['XEP-0368 §3'],
    why: 'Clients try these endpoints first, and lose time, or give up.',
    fix: { prosody: 'c2s_direct_tls_ports, s2s_direct_tls_ports', ejabberd: 'tls: true in the listener' },
    caps: { security: 'B' },
    reads: ['handshakes'],
    judge: atEachEndpoint({
      services: ['xmpps-client', 'xmpps-server'],
      judge: ({ handshakes }) => {
        const all = Object.values(handshakes ?? {});
        if (all.some(({ value }) => value)) return pass('spoken');
        return fail(list([...new Set(all.map(({ reason }) => reason ?? ''))]));
      },
    }),
  },
  {
    id: 'tls.alpn',
    group: 'tls',
    severity: 'low',
    title: 'the protocol is agreed on in the handshake',
    expected: 'xmpp-client or xmpp-server by ALPN',
    references: ['XEP-0368 §4', 'RFC 7301'],
    why: 'It lets one port serve XMPP and the web, which passes most firewalls, and keeps protocols apart (ALPACA).',
    reads: ['handshakes'],
    judge: atEachEndpoint({
      services: ['xmpps-client', 'xmpps-server'],
      judge: ({ handshakes, endpoint }) => {
        const inside = handshakes?.['1.3']?.value ?? handshakes?.['1.2']?.value;
        if (!inside || !isDirectTls(endpoint.service)) return undefined;
        if (inside.alpn === undefined) return info('the offer was ignored');
        return inside.alpn === alpnOf(endpoint.service) ? pass(inside.alpn) : warn(`it chose ${inside.alpn}`);
      },
    }),
  },
];
