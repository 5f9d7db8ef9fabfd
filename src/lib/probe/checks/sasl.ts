/** Authentication of clients: what is offered, and what it gives away. */
import {
  isForServers,
  type EndpointFacts,
  type SaslFacts,
  type Service,
  type TlsVersion,
} from '../facts/facts.js';
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
import { insideStream } from './streams.js';

const services: readonly Service[] = ['xmpp-client', 'xmpps-client'];
const isScram = (name: string): boolean => name.startsWith('SCRAM-');
const isPlus = (name: string): boolean => name.endsWith('-PLUS');

/** Of the mechanisms that are offered inside TLS. */
function ofMechanisms(judge: (mechanisms: readonly string[]) => LocalVerdict | undefined): Check['judge'] {
  return atEachEndpoint({
    services,
    judge: (facts) => {
      const stream = insideStream(facts);
      if (!stream || stream.problem !== undefined) return undefined;
      const verdict = judge([...stream.mechanisms, ...(stream.sasl2?.mechanisms ?? [])]);
      return verdict && verdict.status !== 'pass' ? { evidence: stream.evidence, ...verdict } : verdict;
    },
  });
}

function ofTrials(
  judge: (sasl: SaslFacts, facts: EndpointFacts) => LocalVerdict | readonly LocalVerdict[] | undefined,
): Check['judge'] {
  return atEachEndpoint({ services, judge: (facts) => of(facts.sasl, (sasl) => judge(sasl, facts)) });
}

const scramFix = {
  prosody: 'authentication = "internal_hashed"',
  ejabberd: 'auth_password_format: scram, auth_scram_hash: sha256',
};

export const saslChecks: readonly Check[] = [
  {
    id: 'sasl.pretls',
    group: 'sasl',
    severity: 'critical',
    title: 'no mechanism is offered before TLS',
    expected: 'no <mechanisms/> before TLS',
    references: ['RFC 6120 §6.3.4', 'RFC 6120 §13.8.3'],
    why: 'A client that takes the offer shows its password, or its session, to everybody on the way.',
    fix: {
      prosody: 'c2s_require_encryption = true; never allow_unencrypted_plain_auth',
      ejabberd: 'starttls_required: true in the c2s listener',
    },
    reads: ['stream'],
    judge: atEachEndpoint({
      services: ['xmpp-client'],
      judge: ({ plain }) =>
        of(plain, ({ mechanisms, evidence, problem }) => {
          if (problem !== undefined) return undefined;
          if (mechanisms.length === 0) return pass('none');
          const isPlain = mechanisms.includes('PLAIN') || mechanisms.includes('LOGIN');
          return fail(`offered in clear: ${list(mechanisms)}`, {
            evidence,
            caps: { security: isPlain ? 'F' : 'D' },
          });
        }),
    }),
  },
  {
    id: 'sasl.offered',
    group: 'sasl',
    severity: 'critical',
    title: 'there is a way to authenticate',
    expected: '<mechanisms/> inside TLS',
    references: ['RFC 6120 §6.3.1'],
    why: 'Without a mechanism nobody can log in.',
    caps: { security: 'F' },
    reads: ['handshakes'],
    judge: ofMechanisms((mechanisms) =>
      mechanisms.length > 0 ? pass(list(mechanisms)) : fail('no mechanism'),
    ),
  },
  {
    id: 'sasl.scram',
    group: 'sasl',
    severity: 'high',
    title: 'SCRAM is offered',
    expected: 'SCRAM-SHA-1, -256 or -512',
    references: ['RFC 6120 §13.8.1', 'RFC 7677'],
    why: 'With SCRAM neither the server nor anybody who steals its database has the password.',
    fix: scramFix,
    caps: { security: 'B' },
    reads: ['handshakes'],
    judge: ofMechanisms((mechanisms) => {
      const scram = mechanisms.filter(isScram);
      if (mechanisms.length === 0) return undefined;
      if (scram.length > 0) return pass(list(scram));
      return mechanisms.includes('PLAIN')
        ? fail(`only ${list(mechanisms)}`)
        : info(`only ${list(mechanisms)}`);
    }),
  },
  {
    id: 'sasl.scram.strength',
    group: 'sasl',
    severity: 'low',
    title: 'SCRAM is offered with SHA-256 or better',
    expected: 'SCRAM-SHA-256 or SCRAM-SHA-512',
    references: ['RFC 7677'],
    why: 'A stolen SHA-1 database is cracked faster.',
    fix: {
      prosody: 'password_hash = "SHA-256" (new passwords only)',
      ejabberd: 'auth_scram_hash: sha256 (new passwords only)',
    },
    reads: ['handshakes'],
    judge: ofMechanisms((mechanisms) => {
      if (!mechanisms.some(isScram)) return undefined;
      return mechanisms.some((name) => /^SCRAM-SHA(3)?-(256|384|512)/.test(name))
        ? pass('offered')
        : info('only SHA-1');
    }),
  },
  {
    id: 'sasl.weak',
    group: 'sasl',
    severity: 'medium',
    title: 'no outdated mechanism is offered',
    expected: 'neither DIGEST-MD5, CRAM-MD5, LOGIN nor an SCRAM with MD5',
    references: ['RFC 6331', 'RFC 8600 §1'],
    why: 'They are broken, or need the password in clear on the server.',
    fix: {
      prosody: 'insecure_sasl_mechanisms, disable_sasl_mechanisms',
      ejabberd: 'disable_sasl_mechanisms: [digest-md5]',
    },
    caps: { security: 'B' },
    reads: ['handshakes'],
    judge: ofMechanisms((mechanisms) => {
      const weak = mechanisms.filter((name) => /^(DIGEST-MD5|CRAM-MD5|LOGIN|NTLM|SCRAM-MD5)/.test(name));
      return weak.length > 0 ? fail(list(weak)) : pass('none');
    }),
  },
  {
    id: 'sasl.plus',
    group: 'sasl',
    severity: 'medium',
    title: 'SCRAM can be bound to the TLS connection',
    expected: 'SCRAM-…-PLUS, with TLS 1.2 and with TLS 1.3',
    references: ['RFC 5802 §6', 'RFC 9266'],
    why: 'Channel binding finds out somebody in the middle even if he has a valid certificate, as happened to jabber.ru in 2023.',
    fix: {
      prosody: 'Prosody 13 offers it with TLS 1.3; tls_server_end_point_hash = "auto"',
      ejabberd: 'part of ejabberd: do not disable it, and let no proxy end TLS in front of it',
    },
    caps: { security: 'A' },
    reads: ['handshakes'],
    judge: atEachEndpoint({
      services,
      judge: ({ handshakes }) => {
        const versions = (['1.3', '1.2'] as const).filter((version) => handshakes?.[version]?.value);
        if (versions.length === 0) return undefined;
        const withPlus = versions.filter((version) =>
          handshakes?.[version]?.value?.stream.mechanisms.some(isPlus),
        );
        if (withPlus.length === versions.length) return pass(`with TLS ${list(withPlus)}`);
        return withPlus.length === 0
          ? warn('not offered', { caps: { security: 'A' } })
          : warn(`only with TLS ${list(withPlus)}`, { caps: { security: 'A' } });
      },
    }),
  },
  {
    id: 'sasl.binding.list',
    group: 'sasl',
    severity: 'low',
    title: 'the usable channel bindings are listed',
    expected:
      '<sasl-channel-binding/> with tls-server-end-point, tls-exporter with TLS 1.3, and no tls-unique there',
    references: ['XEP-0440 §3', 'RFC 9266 §3'],
    why: 'A client that has to guess a binding fails to log in, or goes without.',
    fix: { prosody: 'Prosody 13', ejabberd: 'newer versions of ejabberd' },
    reads: ['handshakes'],
    judge: atEachEndpoint({
      services,
      judge: ({ handshakes }) =>
        (['1.3', '1.2'] as const).flatMap((version) => {
          const stream = handshakes?.[version]?.value?.stream;
          if (!stream?.mechanisms.some(isPlus)) return [];
          return judgeBindings(version, stream.channelBindings);
        }),
    }),
  },
  {
    id: 'sasl.binding.live',
    group: 'sasl',
    severity: 'medium',
    title: 'the channel bindings that are offered work',
    expected: 'tls-exporter accepted with TLS 1.3, tls-server-end-point everywhere',
    references: ['RFC 9266', 'RFC 5929', 'XEP-0440 §3'],
    why: 'Where -PLUS is offered and fails, clients cannot log in, or take it for an attack.',
    fix: {
      prosody: 'update Prosody, or disable_sasl_mechanisms for the -PLUS variants',
      ejabberd:
        'update ejabberd (23.01 offers -PLUS with TLS 1.3 and then accepts tls-unique only), or disable the -PLUS mechanisms',
    },
    reads: ['sasl', 'handshakes'],
    judge: ofTrials(({ channelBinding }) => {
      if (channelBinding.length === 0) return skip('no -PLUS mechanism is offered');
      return (['1.3', '1.2'] as const).flatMap((version): LocalVerdict[] => {
        const tried = channelBinding.filter((trial) => trial.tlsVersion === version);
        if (tried.length === 0) return [];
        const works = tried.filter(({ accepted }) => accepted).map(({ type }) => type);
        if (works.length === 0) {
          return [
            fail(`with TLS ${version}: none of ${list(tried.map(({ type }) => type))} is accepted`, {
              evidence: tried[0]?.evidence,
              caps: { security: 'B' },
            }),
          ];
        }
        return [pass(`with TLS ${version}: ${list(works)}`)];
      });
    }),
  },
  {
    id: 'sasl.harvest',
    group: 'sasl',
    severity: 'medium',
    title: 'names that do not exist cannot be told from those that do',
    expected: 'a challenge for every name in the first message of SCRAM',
    references: ['RFC 6120 §13.11', 'RFC 5802 §9'],
    why: 'Otherwise lists of names are tried, and what answers is sent spam.',
    fix: {
      prosody: 'in the code of Prosody: known, and not configurable',
      ejabberd: 'in the code of ejabberd: known, and not configurable',
    },
    caps: { security: 'A' },
    reads: ['sasl', 'handshakes'],
    judge: ofTrials(({ unknownUser }) => {
      if (!unknownUser) return skip('SCRAM is not offered, or was not answered');
      if (unknownUser.outcome === 'challenge') return pass('a made-up name was given a challenge');
      return warn(`a made-up name was refused at once (${unknownUser.condition ?? ''})`, {
        evidence: unknownUser.evidence,
        caps: { security: 'A' },
      });
    }),
  },
  {
    id: 'sasl.iterations',
    group: 'sasl',
    severity: 'medium',
    title: 'SCRAM uses enough iterations',
    expected: '4096 or more; 10,000 is better',
    references: ['RFC 7677 §4', 'RFC 5802 §5.1'],
    why: 'Fewer make a stolen exchange or database cheap to crack.',
    fix: { prosody: 'default_iteration_count = 10000', ejabberd: 'not configurable in ejabberd: 4096' },
    reads: ['sasl', 'handshakes'],
    judge: ofTrials(({ unknownUser }) => {
      const count = unknownUser?.iterations;
      if (count === undefined) return skip('a name that does not exist was given no challenge');
      if (count < 4096) return fail(`${count}`, { evidence: unknownUser?.evidence, caps: { security: 'B' } });
      return count < 10_000 ? info(`${count}`) : pass(`${count}`);
    }),
  },
  {
    id: 'sasl.mechanism.unknown',
    group: 'sasl',
    severity: 'low',
    title: 'a mechanism that does not exist is refused as invalid-mechanism',
    expected: '<failure><invalid-mechanism/></failure>',
    references: ['RFC 6120 §6.5.7'],
    why: 'A client tries the next mechanism only when it is told that this one is the reason.',
    reads: ['sasl', 'handshakes'],
    judge: ofTrials(({ unknownMechanism: { outcome, evidence } }) => {
      if (outcome === 'failure invalid-mechanism') return pass(outcome);
      return outcome.startsWith('failure') || ['closed', 'ended', 'policy-violation'].includes(outcome)
        ? info(outcome, { evidence })
        : warn(outcome, { evidence });
    }),
  },
  {
    id: 'sasl.anonymous',
    group: 'sasl',
    severity: 'low',
    title: 'nobody logs in without an account',
    expected: 'no ANONYMOUS at the domain of accounts',
    references: ['RFC 4505', 'XEP-0175'],
    why: 'Anonymous users at a domain that federates are a source of spam that nobody can stop.',
    fix: {
      prosody: 'a host of its own for authentication = "anonymous", without s2s',
      ejabberd: 'a host of its own for auth_method: anonymous, with s2s_access: none',
    },
    reads: ['handshakes'],
    judge: ofMechanisms((mechanisms) =>
      mechanisms.includes('ANONYMOUS') ? warn('ANONYMOUS is offered', { caps: {} }) : pass('not offered'),
    ),
  },
  {
    id: 'sasl.sasl2',
    group: 'sasl',
    severity: 'low',
    title: 'logging in takes one round trip',
    expected: 'SASL2 with Bind 2 and FAST',
    references: ['XEP-0388', 'XEP-0386', 'XEP-0484'],
    why: 'Mobile clients come back in a fraction of the time.',
    fix: {
      prosody: 'mod_sasl2, mod_sasl2_bind2, mod_sasl2_fast of prosody-modules',
      ejabberd: 'ejabberd 24.10 and later',
    },
    reads: ['handshakes'],
    judge: atEachEndpoint({
      services,
      judge: (facts) => {
        const stream = insideStream(facts);
        if (!stream || stream.problem !== undefined) return undefined;
        if (!stream.sasl2) return info('not offered');
        const { inline } = stream.sasl2;
        const extras = [
          ...(inline.some((name) => name.includes('urn:xmpp:bind:0')) ? ['Bind 2'] : []),
          ...(inline.some((name) => name.includes('urn:xmpp:fast:0')) ? ['FAST'] : []),
        ];
        return pass(`SASL2${extras.length > 0 ? ` with ${list(extras)}` : ''}`);
      },
    }),
  },
  {
    id: 'sasl.legacy',
    group: 'sasl',
    severity: 'medium',
    title: 'the authentication of before 2004 is not offered',
    expected: 'no jabber:iq:auth',
    references: ['XEP-0078'],
    why: 'It knows neither channel binding nor salted passwords.',
    fix: { prosody: 'remove "legacyauth" from modules_enabled', ejabberd: 'mod_legacy_auth: remove it' },
    caps: { security: 'B' },
    reads: ['handshakes'],
    judge: atEachEndpoint({
      services,
      judge: (facts) => {
        const stream = insideStream(facts);
        if (!stream || isForServers(facts.endpoint.service)) return undefined;
        return stream.features.includes('{http://jabber.org/features/iq-auth}auth')
          ? fail('offered')
          : pass('not offered');
      },
    }),
  },
];

function judgeBindings(version: TlsVersion, types: readonly string[] | undefined): LocalVerdict {
  const where = `with TLS ${version}`;
  if (types === undefined) return info(`${where}: no list`);
  if (version === '1.3' && types.includes('tls-unique'))
    return warn(`${where}: tls-unique, which has no meaning there`);
  const missing = ['tls-server-end-point', ...(version === '1.3' ? ['tls-exporter'] : [])].filter(
    (type) => !types.includes(type),
  );
  return missing.length > 0 ? info(`${where}: without ${list(missing)}`) : pass(`${where}: ${list(types)}`);
}
