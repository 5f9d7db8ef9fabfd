/** Servers among themselves. */
import type { Service } from '../facts/facts.js';
import { atEachEndpoint, fail, info, list, of, pass, skip, warn, type Check } from './check.js';
import { insideStream } from './streams.js';

const services: readonly Service[] = ['xmpp-server', 'xmpps-server'];
const DIALBACK = ['{urn:xmpp:features:dialback}dialback', '{jabber:server:dialback}dialback'];
const NO_IDENTITY = 'needs a certificate for a domain of ours (--s2s-identity)';

export const federationChecks: readonly Check[] = [
  {
    id: 's2s.reachable',
    group: 's2s',
    severity: 'critical',
    title: 'other servers can connect',
    expected: 'an endpoint for servers that opens a stream',
    references: ['RFC 6120 §3.2', 'RFC 6120 §4.2'],
    why: 'Without it the accounts of this domain are cut off from everybody else.',
    fix: {
      prosody: 'add "s2s" to modules_enabled, and open port 5269',
      ejabberd: 'a listener with module: ejabberd_s2s_in, and open port 5269',
      elsewhere: 'an SRV record _xmpp-server._tcp; or the target "." if the domain is not to federate',
    },
    reads: ['handshakes', 'stream'],
    judge: ({ endpoints, dns }) => {
      const all = endpoints.filter(({ endpoint }) => services.includes(endpoint.service));
      if (all.length === 0) {
        const isOff = dns?.value?.srv['xmpp-server'].isDisabled === true;
        return [
          isOff
            ? info('the domain says that it does not federate')
            : skip('no endpoint for servers is known'),
        ];
      }
      const alive = all.filter((facts) => {
        const stream = insideStream(facts) ?? facts.plain?.value;
        return stream?.header !== undefined && stream.problem === undefined;
      });
      if (alive.length > 0) return [pass(`${alive.length} of ${all.length} endpoints`)];
      return [fail('no endpoint for servers opens a stream', { caps: { federation: 'F' } })];
    },
  },
  {
    id: 's2s.dialback',
    group: 's2s',
    severity: 'high',
    title: 'servers can prove who they are',
    expected: 'dialback or SASL EXTERNAL among the features',
    references: ['RFC 6120 §13.7.1', 'XEP-0220', 'XEP-0178'],
    why: 'A server that accepts neither accepts nobody.',
    fix: { prosody: 'add "dialback" to modules_enabled', ejabberd: 'add mod_s2s_dialback' },
    caps: { federation: 'F' },
    reads: ['handshakes', 'stream'],
    judge: atEachEndpoint({
      services,
      judge: (facts) => {
        const stream = insideStream(facts) ?? facts.plain?.value;
        if (!stream || stream.problem !== undefined) return undefined;
        const ways = [
          ...(stream.features.some((name) => DIALBACK.includes(name)) ? ['dialback'] : []),
          ...(stream.mechanisms.includes('EXTERNAL') ? ['EXTERNAL'] : []),
        ];
        if (ways.length > 0) return pass(list(ways));
        // COMPAT(Prosody 0.12.3): EXTERNAL is offered only to those who showed a certificate that is valid.
        return info('nothing is offered to a server without a certificate', { evidence: stream.evidence });
      },
    }),
  },
  {
    id: 's2s.external',
    group: 's2s',
    severity: 'medium',
    title: 'a server with a valid certificate is believed',
    expected: '<success/> in answer to SASL EXTERNAL',
    references: ['XEP-0178 §3', 'RFC 6120 §13.7.1'],
    why: 'Dialback alone is only as safe as the DNS.',
    fix: {
      prosody: 's2s_secure_auth = true, with mod_saslauth, and cafile or capath where the authorities are',
      ejabberd: 's2s_use_starttls: required, ca_file where the authorities are',
    },
    reads: ['federation'],
    judge: atEachEndpoint({
      services,
      judge: ({ federation }) =>
        of(federation ?? { reason: NO_IDENTITY }, ({ external: { outcome, evidence } }) => {
          if (outcome === 'answered success') return pass('the certificate was accepted');
          return fail(
            outcome === 'not offered'
              ? 'EXTERNAL was not offered for the certificate given'
              : `answered with ${outcome}`,
            {
              evidence,
              caps: { federation: 'B' },
            },
          );
        }),
    }),
  },
  {
    id: 's2s.dialback.refused',
    group: 's2s',
    severity: 'high',
    title: 'a dialback key that nobody confirms is refused',
    expected: "<db:result type='error'/> or type='invalid'",
    references: ['XEP-0220 §2.4'],
    why: 'Otherwise anybody speaks for any domain.',
    fix: { prosody: 'update Prosody', ejabberd: 'update ejabberd' },
    caps: { federation: 'F' },
    reads: ['federation'],
    judge: atEachEndpoint({
      services,
      judge: ({ federation }) =>
        of(federation ?? { reason: NO_IDENTITY }, ({ dialback }) => {
          if (!dialback || dialback.outcome === 'silent') return skip('no answer within the time');
          return dialback.outcome === 'valid'
            ? fail('it was accepted', { evidence: dialback.evidence })
            : pass(`refused: ${dialback.outcome}`);
        }),
    }),
  },
  {
    id: 's2s.bidi',
    group: 's2s',
    severity: 'low',
    title: 'one connection serves both directions',
    expected: 'XEP-0288 among the features',
    references: ['XEP-0288'],
    why: 'Servers behind a firewall can federate, and half of the connections are spared.',
    fix: {
      prosody: 'add "s2s_bidi" to modules_enabled',
      ejabberd: 'mod_s2s_bidi, in ejabberd 24.12 and later',
    },
    reads: ['handshakes'],
    judge: atEachEndpoint({
      services,
      judge: (facts) => {
        const stream = insideStream(facts);
        if (!stream || stream.problem !== undefined) return undefined;
        return stream.features.includes('{urn:xmpp:features:bidi}bidi')
          ? pass('offered')
          : info('not offered');
      },
    }),
  },
  {
    id: 's2s.direct',
    group: 's2s',
    severity: 'low',
    title: 'servers can connect with TLS from the first byte',
    expected: 'an endpoint _xmpps-server._tcp',
    references: ['XEP-0368'],
    why: 'Nobody in the middle can take away the offer of STARTTLS.',
    fix: {
      prosody: 's2s_direct_tls_ports = { 5270 }',
      ejabberd: 'a listener with module: ejabberd_s2s_in and tls: true',
      elsewhere: 'an SRV record _xmpps-server._tcp',
    },
    reads: ['handshakes'],
    judge: ({ endpoints, dns }) => {
      const direct = endpoints.filter(({ endpoint }) => endpoint.service === 'xmpps-server');
      if (direct.length === 0)
        return [dns?.value ? info('no such endpoint is announced') : skip('no such endpoint is known')];
      return [
        direct.some((facts) => insideStream(facts)?.problem === undefined && insideStream(facts))
          ? pass('a stream opened')
          : warn('no stream opened'),
      ];
    },
  },
];
