/**
 * What the DNS says about a domain: where its servers are, and how far that can be believed.
 *
 * RFC 6120 §3.2 (SRV, fall-back) · XEP-0368: SRV records for XMPP over TLS, version 1.1.0 (only finding them) ·
 * RFC 7673 (DANE with SRV) · RFC 8659 (CAA).
 */
import { isIP } from 'node:net';
import type { Lookup, LookupType, ValidatingResolver } from '../../dns/resolve.js';
import type { RecordOf } from '../../dns/records.js';

import { ROOT } from '../../dns/name.js';
import { DnsError } from '../../errors.js';
import { isPublicAddress } from './addresses.js';
import { services, type Endpoint, type Service } from './facts.js';

export type DnsLookup<T extends LookupType> = Lookup<T>;

export interface SrvFacts {
  lookup: DnsLookup<'SRV'>;
  /** RFC 2782: the only target is the root, so the service is decidedly not there. */
  isDisabled: boolean;
}

export interface TargetFacts {
  host: string;
  a: DnsLookup<'A'>;
  aaaa: DnsLookup<'AAAA'>;
}

export interface TlsaFacts {
  host: string;
  port: number;
  service: Service;
  /** The SRV record, and the addresses of its target, are secure: without that no TLSA record counts (RFC 7673 §3). */
  isPathSecure: boolean;
  lookup: DnsLookup<'TLSA'>;
}

export interface DnsFacts {
  /** `192.0.2.1:53` */
  resolver: string;
  srv: Readonly<Record<Service, SrvFacts>>;
  /** `_jabber._tcp` and the TXT records of `_xmppconnect`: withdrawn. */
  legacy: { jabber: DnsLookup<'SRV'>; xmppConnect: DnsLookup<'TXT'> };
  domain: TargetFacts;
  targets: readonly TargetFacts[];
  tlsa: readonly TlsaFacts[];
  /** The records that count for the domain, which may be its parent's. */
  caa: { name: string; lookup: DnsLookup<'CAA'> };
  stun: readonly { service: '_stun._udp' | '_turn._udp'; lookup: DnsLookup<'SRV'> }[];
}

/** Targets of one service beyond these are not looked at. */
const MAX_TARGETS = 8;
/** Addresses of one target beyond these are not looked at. */
const MAX_ADDRESSES = 4;
/** Endpoints altogether. */
const MAX_ENDPOINTS = 24;

/** @throws DnsError the resolver does not answer */
export async function collectDns(
  resolver: ValidatingResolver,
  resolverName: string,
  domain: string,
): Promise<DnsFacts> {
  const srvOf = (label: string): Promise<DnsLookup<'SRV'>> => resolver.lookup(`${label}.${domain}`, 'SRV');
  const [srvLookups, jabber, xmppConnect, own, caa, stun, turn] = await Promise.all([
    Promise.all(services.map((service) => srvOf(`_${service}._tcp`))),
    srvOf('_jabber._tcp'),
    resolver.lookup(`_xmppconnect.${domain}`, 'TXT'),
    lookUpTarget(resolver, domain),
    findCaa(resolver, domain),
    srvOf('_stun._udp'),
    srvOf('_turn._udp'),
  ]);
  if (srvLookups.every(({ status }) => status === 'failed') && own.a.status === 'failed') {
    throw new DnsError(`${domain} could not be looked up: ${srvLookups[0]?.reason ?? 'the resolver failed'}`);
  }
  const srv = Object.fromEntries(
    services.map((service, index) => [service, describeSrv(srvLookups[index])]),
  ) as Record<Service, SrvFacts>;
  const hosts = new Set(
    [
      ...Object.values(srv).flatMap((facts) => targetsOf(facts)),
      ...[stun, turn].flatMap(({ records }) => records),
    ]
      .map(({ target }) => target)
      .filter((target) => target !== ROOT),
  );
  const targets = await Promise.all(
    [...hosts].slice(0, 4 * MAX_TARGETS).map((host) => lookUpTarget(resolver, host)),
  );
  return {
    resolver: resolverName,
    srv,
    legacy: { jabber, xmppConnect },
    domain: own,
    targets,
    tlsa: await lookUpTlsa(resolver, srv, targets),
    caa,
    stun: [
      { service: '_stun._udp', lookup: stun },
      { service: '_turn._udp', lookup: turn },
    ],
  };
}

function describeSrv(lookup: DnsLookup<'SRV'> | undefined): SrvFacts {
  if (!lookup) throw new Error('a lookup for each service');
  return {
    lookup,
    isDisabled: lookup.records.length > 0 && lookup.records.every(({ target }) => target === ROOT),
  };
}

/** In the order of RFC 2782, without its dice: what is tried first by everybody comes first. */
function targetsOf({ lookup }: SrvFacts): readonly RecordOf<'SRV'>[] {
  return [...lookup.records]
    .sort((one, other) => one.priority - other.priority || other.weight - one.weight)
    .slice(0, MAX_TARGETS);
}

async function lookUpTarget(resolver: ValidatingResolver, host: string): Promise<TargetFacts> {
  const [a, aaaa] = await Promise.all([resolver.lookup(host, 'A'), resolver.lookup(host, 'AAAA')]);
  return { host, a, aaaa };
}

/** RFC 8659 §3: the first name up the tree that has any. */
async function findCaa(resolver: ValidatingResolver, domain: string): Promise<DnsFacts['caa']> {
  let name = domain;
  for (;;) {
    const lookup = await resolver.lookup(name, 'CAA');
    const parent = name.slice(name.indexOf('.') + 1);
    if (lookup.records.length > 0 || lookup.status === 'failed' || !parent.includes('.'))
      return { name, lookup };
    name = parent;
  }
}

async function lookUpTlsa(
  resolver: ValidatingResolver,
  srv: Readonly<Record<Service, SrvFacts>>,
  targets: readonly TargetFacts[],
): Promise<TlsaFacts[]> {
  const wanted = services.flatMap((service) =>
    targetsOf(srv[service])
      .filter(({ target }) => target !== ROOT)
      .map(({ target, port }) => ({ service, host: target, port })),
  );
  return Promise.all(
    wanted.map(async ({ service, host, port }) => {
      const target = targets.find((one) => one.host === host);
      const addresses = [target?.a, target?.aaaa].filter((lookup) => lookup?.status === 'found');
      return {
        service,
        host,
        port,
        isPathSecure:
          srv[service].lookup.security === 'secure' &&
          addresses.length > 0 &&
          addresses.every((lookup) => lookup?.security === 'secure'),
        lookup: await resolver.lookup(`_${port}._tcp.${host}`, 'TLSA'),
      };
    }),
  );
}

const defaultPorts: Readonly<Partial<Record<Service, number>>> = { 'xmpp-client': 5222, 'xmpp-server': 5269 };

/** Where the DNS leads to; what it says twice comes once. @param addressesOf the addresses that may be used for a host */
export function endpointsOf(
  { srv, domain }: DnsFacts,
  addressesOf: (host: string) => readonly string[],
): Endpoint[] {
  const found = services.flatMap((service): Endpoint[] => {
    const { lookup, isDisabled } = srv[service];
    if (isDisabled) return [];
    const records = targetsOf(srv[service]);
    if (records.length > 0) {
      return records.flatMap(({ target, port }) =>
        endpointsAt(service, target, port, 'srv', addressesOf(target)),
      );
    }
    // RFC 6120 §3.2.2: only where there is no SRV record at all.
    const port = defaultPorts[service];
    if (port === undefined || lookup.status === 'failed') return [];
    return endpointsAt(service, domain.host, port, 'fallback', addressesOf(domain.host));
  });
  return [...new Map(found.map((endpoint) => [endpoint.id, endpoint])).values()].slice(0, MAX_ENDPOINTS);
}

export function endpointsAt(
  service: Service,
  host: string,
  port: number,
  origin: Endpoint['origin'],
  addresses: readonly string[],
): Endpoint[] {
  return addresses.slice(0, MAX_ADDRESSES).map((address) => ({
    id: `${service} ${isIP(address) === 6 ? `[${address}]` : address}:${port}`,
    service,
    host,
    address,
    port,
    origin,
  }));
}

export const addressesOfTarget = ({ a, aaaa }: TargetFacts): string[] =>
  [...a.records, ...aaaa.records].map(({ address }) => address);

export const isPrivateTarget = (target: TargetFacts): boolean =>
  addressesOfTarget(target).some((address) => !isPublicAddress(address));
