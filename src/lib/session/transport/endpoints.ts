/**
 * Where a server can be reached: `--service`, SRV records (RFC 6120 §3.2.1, XEP-0368), or the bare domain.
 *
 * XEP-0368: SRV records for XMPP over TLS, version 1.1.0. Not here: XEP-0156, which is in `host-meta.ts`.
 */
import { domainToASCII } from 'node:url';
import { orderByPriorityAndWeight } from '../../dns/srv-order.js';
import { DnsError, UsageError, XmppctlError } from '../../errors.js';
import { isLoopbackName, resolveSrv, type DnsOptions, type SrvRecord } from './dns.js';
import { ipVersion, isIPv6 } from './ip-address.js';

/** A TCP port that speaks XMPP: `tcp` starts plain and upgrades with STARTTLS, `tls` is encrypted from the first byte. */
export interface TcpEndpoint {
  kind: 'tcp' | 'tls';
  /** A host name in A-labels, or an IP address without brackets. */
  host: string;
  port: number;
  source: 'service' | 'srv' | 'fallback';
}

/** An XMPP WebSocket (RFC 7395). */
export interface WebSocketEndpoint {
  kind: 'websocket';
  /** `wss://…`, or `ws://…`, which counts as plain. */
  url: string;
  source: 'service' | 'host-meta';
}

export type Endpoint = TcpEndpoint | WebSocketEndpoint;

export interface SrvService {
  /** Without underscore: `xmpp-client`. */
  name: string;
  kind: 'tcp' | 'tls';
}

export const CLIENT_SERVICES: readonly SrvService[] = [
  { name: 'xmpps-client', kind: 'tls' },
  { name: 'xmpp-client', kind: 'tcp' },
];
export const SERVER_SERVICES: readonly SrvService[] = [
  { name: 'xmpps-server', kind: 'tls' },
  { name: 'xmpp-server', kind: 'tcp' },
];

export interface EndpointOptions extends DnsOptions {
  /** `xmpp://host:port`, `xmpps://…`, `ws://…`, `wss://…`, `host:port` or `host`: no look-up is done then. */
  service?: string | undefined;
  /** The port of `xmpp://host` and of a domain without SRV records; 5222 unless given. */
  defaultPort?: number | undefined;
  /** The SRV services that are asked for; `CLIENT_SERVICES` unless given. */
  srvServices?: readonly SrvService[] | undefined;
  /** A number from 0 (inclusive) to 1 (exclusive); for the choice by weight (RFC 2782). */
  random?: (() => number) | undefined;
}

const DIRECT_TLS_PORT = 5223;

/**
 * The endpoints of a domain in the order in which they have to be tried.
 *
 * @throws UsageError the service or the domain cannot be understood
 * @throws DnsError the domain says that it has no such service
 * @throws TimeoutError @throws InterruptedError
 */
export async function findEndpoints(domain: string, options: EndpointOptions): Promise<Endpoint[]> {
  const defaultPort = options.defaultPort ?? 5222;
  if (options.service !== undefined) return [parseService(options.service, defaultPort)];
  const host = toHostName(domain);
  const fallback: TcpEndpoint = { kind: 'tcp', host, port: defaultPort, source: 'fallback' };
  if (ipVersion(host) !== 0 || isLoopbackName(host)) return [fallback];

  const services = options.srvServices ?? CLIENT_SERVICES;
  const answers = await Promise.all(
    services.map(async (service) => ({ service, records: await resolveOrNothing(service, host, options) })),
  );
  const offered = answers.flatMap(({ service, records }) =>
    records
      // RFC 2782: a target of "." (which node:dns writes as nothing) says that there is no such service.
      .filter(({ target }) => !isRoot(target))
      .map((record) => ({ ...record, kind: service.kind })),
  );
  if (offered.length > 0) {
    return orderByPriorityAndWeight(offered, options.random).map(({ kind, target, port }) => ({
      kind,
      host: target.replace(/\.$/, '').toLowerCase(),
      port,
      source: 'srv',
    }));
  }
  // RFC 6120 §3.2.2 allows the bare domain only where the DNS is silent about STARTTLS; XEP-0368 §3 leaves that be.
  const refused = answers.find(
    ({ service, records }) => service.kind === 'tcp' && records.some(({ target }) => isRoot(target)),
  );
  if (refused) {
    throw new DnsError(`${domain} says in the DNS that it offers no ${refused.service.name} service`, {
      hint: 'its server may only be reached in another way: name it with --service',
      details: { domain, service: refused.service.name },
    });
  }
  return [fallback];
}

/** A DNS that refuses SRV questions (some routers do) leaves the bare domain to be tried. */
async function resolveOrNothing(
  service: SrvService,
  host: string,
  options: EndpointOptions,
): Promise<SrvRecord[]> {
  try {
    return await resolveSrv(`_${service.name}._tcp.${host}`, options);
  } catch (error) {
    if (error instanceof DnsError) return [];
    throw error;
  }
}

function isRoot(target: string): boolean {
  return target === '' || target === '.';
}

/**
 * `xmpp://host:port`, `xmpps://host:port`, `ws(s)://…`, `host:port` or `host`; the first and the last two mean STARTTLS.
 *
 * @throws UsageError
 */
export function parseService(service: string, defaultPort = 5222): Endpoint {
  const refuse = (why: string): UsageError =>
    new UsageError(`--service ${service}: ${why}`, {
      hint: 'write xmpp://host:port, xmpps://host:port, wss://host/path or host:port',
    });
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//.exec(service)?.[1]?.toLowerCase();
  if (scheme === 'ws' || scheme === 'wss') {
    if (!URL.canParse(service)) throw refuse('that is not a URL');
    return { kind: 'websocket', url: new URL(service).href, source: 'service' };
  }
  if (scheme !== undefined && scheme !== 'xmpp' && scheme !== 'xmpps')
    throw refuse(`${scheme}:// is not XMPP`);
  const kind = scheme === 'xmpps' ? 'tls' : 'tcp';
  const authority = service.slice(scheme === undefined ? 0 : scheme.length + 3).replace(/\/$/, '');
  const parts = isIPv6(authority)
    ? { host: authority, port: undefined }
    : /^(?<host>\[[^\]]+\]|[^:/?#@[\]]+)(?::(?<port>\d{1,5}))?$/.exec(authority)?.groups;
  if (parts?.host === undefined) throw refuse('that is not a host and a port');
  const port = Number(parts.port ?? (kind === 'tls' ? DIRECT_TLS_PORT : defaultPort));
  if (port < 1 || port > 65_535) throw refuse(`${port} is not a port`);
  try {
    return { kind, host: toHostName(parts.host), port, source: 'service' };
  } catch (error) {
    if (error instanceof XmppctlError) throw refuse(error.message);
    throw error;
  }
}

/**
 * A domain as the DNS, TLS and certificates spell it: A-labels in lower case; an address without its brackets.
 *
 * @throws UsageError
 */
export function toHostName(domain: string): string {
  const bare = domain.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '');
  if (ipVersion(bare) !== 0) return bare;
  // ASCII is left as it is: IDNA would make an address of "1.2".
  const host = /^[\u0021-\u007e]+$/.test(bare) ? bare.toLowerCase() : domainToASCII(bare);
  if (host === '' || host.length > 253) throw new UsageError(`${domain} is not the name of a host`);
  return host;
}
