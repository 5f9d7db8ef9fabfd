/** Can it be connected to, on each address, in each family? */
import type { EndpointFacts } from '../facts/facts.js';
import type { Verdict } from '../model.js';
import { fail, info, pass, skip, warn, type Check } from './check.js';

const place = ({ endpoint }: EndpointFacts): string => endpoint.id;

export const reachabilityChecks: readonly Check[] = [
  {
    id: 'tcp.connect',
    group: 'tcp',
    severity: 'critical',
    title: 'every address accepts connections',
    expected: 'a TCP connection to each address of each SRV target',
    references: ['RFC 6120 §3.2', 'RFC 2782'],
    why: 'Clients and servers try targets in turn: a dead one costs each of them a time-out, and some give up.',
    fix: {
      prosody:
        'check that c2s_ports, s2s_ports and their direct TLS variants listen on this address, and the firewall',
      ejabberd: 'check the ip and port of the listener, and the firewall',
      elsewhere: 'remove the SRV record or the address that no longer serves',
    },
    reads: [],
    judge: ({ endpoints }) =>
      endpoints.map((facts): Verdict => {
        const { endpoint, tcp } = facts;
        if (tcp.value)
          return { ...pass(`connected in ${tcp.value.elapsedMs.toFixed(0)} ms`), endpoint: endpoint.id };
        // Nothing promised that a default port is served: RFC 6120 §3.2.2 makes us try it.
        if (endpoint.origin === 'fallback') return { ...info(tcp.reason), endpoint: endpoint.id };
        const isOnly = !endpoints.some(
          (other) => other.endpoint.service === endpoint.service && other.tcp.value !== undefined,
        );
        const axis = endpoint.service.endsWith('server') ? 'federation' : 'security';
        return {
          ...fail(
            tcp.reason,
            axis === 'federation'
              ? { caps: { federation: isOnly && endpoint.service === 'xmpp-server' ? 'F' : 'C' } }
              : {},
          ),
          endpoint: endpoint.id,
        };
      }),
  },
  {
    id: 'tcp.ipv6',
    group: 'tcp',
    severity: 'low',
    title: 'the server can be reached over IPv6',
    expected: 'an endpoint with an IPv6 address that answers, for clients and for servers',
    references: ['RFC 6120 §3.2', 'RFC 8305'],
    why: 'More and more mobile networks give their customers IPv6 only, and reach IPv4 through a bottleneck.',
    fix: {
      prosody: 'interfaces = { "*", "::" }',
      ejabberd: 'ip: "::" in each listener',
      elsewhere: 'an AAAA record for each target',
    },
    reads: [],
    judge: ({ endpoints }) => {
      const isIpv6 = ({ endpoint }: EndpointFacts): boolean => endpoint.address.includes(':');
      if (endpoints.some(({ endpoint }) => endpoint.origin === 'given'))
        return [skip('the endpoints were given by hand')];
      if (endpoints.length === 0) return [skip('there is no endpoint')];
      const alive = endpoints.filter((facts) => isIpv6(facts) && facts.tcp.value);
      const dead = endpoints.filter(
        (facts) => isIpv6(facts) && !facts.tcp.value && facts.endpoint.origin === 'srv',
      );
      if (
        dead.length > 0 &&
        dead.every(({ tcp }) => /ENETUNREACH|EADDRNOTAVAIL|EHOSTUNREACH/.test(tcp.reason ?? ''))
      ) {
        return [skip('this machine has no IPv6')];
      }
      if (dead.length > 0) {
        return [warn(`no connection to ${dead.map(place).join(', ')}`, { caps: { federation: 'C' } })];
      }
      return [alive.length > 0 ? pass(`${alive.length} endpoints`) : info('no endpoint has an IPv6 address')];
    },
  },
];
