/**
 * Where a server can be reached: `--service`, SRV records (RFC 6120 §3.2.1, XEP-0368), or the bare domain.
 */

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

export interface EndpointOptions {
  /** `xmpp://host:port`, `xmpps://…`, `ws://…`, `wss://…`, `host:port` or `host`: no look-up is done then. */
  service?: string | undefined;
  /** The port of `xmpp://host` and of a domain without SRV records; 5222 unless given. */
  defaultPort?: number;
  /** The SRV services that are asked for; `_xmpps-client` and `_xmpp-client` unless given. */
  srvServices?: readonly { name: string; kind: 'tcp' | 'tls' }[];
  /** DNS servers (`address`, `address:port`, `[v6]:port`) instead of the system's. */
  dnsServers?: readonly string[];
  timeoutMs: number;
  signal?: AbortSignal | undefined;
  trace?: import('../../trace/events.js').ConnectionTrace | undefined;
  /** A number from 0 (inclusive) to 1 (exclusive); for the choice by weight (RFC 2782). */
  random?: () => number;
}

/**
 * The endpoints of a domain in the order in which they have to be tried.
 *
 * @throws UsageError the service cannot be understood
 * @throws DnsError the domain says that it has no such service, or the DNS did not answer
 * @throws TimeoutError
 */
export function findEndpoints(_domain: string, _options: EndpointOptions): Promise<Endpoint[]> {
  throw new Error('being written');
}
