/**
 * The facts of the lifecycle events that the transport reports to the tracer; documented in xmppctl-trace(5).
 */
import type { ConnectionTrace } from '../../trace/events.js';

export interface DnsDetail {
  query: string;
  type: 'SRV' | 'A/AAAA';
  answers?: readonly { target: string; port: number; priority: number; weight: number }[] | readonly string[];
  /** `ENOTFOUND`, `ENODATA`, `ESERVFAIL`, … */
  error?: string;
}

export interface TcpDetail {
  address: string;
  port: number;
  family: 4 | 6;
  /** `ECONNREFUSED`, `ETIMEDOUT`, …; absent when the connection stands. */
  error?: string;
}

export interface CertificateDetail {
  subject: string;
  issuer: string;
  names: readonly string[];
  /** ISO 8601 */
  validFrom: string;
  validTo: string;
  /** Upper-case hex with colons. */
  fingerprintSha256: string;
}

export interface TlsDetail {
  /** The name that the certificate must have. */
  serverName: string;
  version?: string;
  cipher?: string;
  alpn?: string;
  /** The certificate was verified: chain, dates and name. */
  isVerified?: boolean;
  certificate?: CertificateDetail;
  error?: string;
}

export interface WebSocketDetail {
  url: string;
  subprotocol?: string;
  error?: string;
}

export interface CloseDetail {
  clean: boolean;
  reason?: string;
}

interface Details {
  dns: DnsDetail;
  tcp: TcpDetail;
  tls: TlsDetail;
  websocket: WebSocketDetail;
  close: CloseDetail;
}

/** Reports an event with the facts that belong to it; nothing happens without a trace. */
export function report<K extends keyof Details>(
  trace: ConnectionTrace | undefined,
  name: K,
  detail: Details[K],
): void {
  trace?.event(name, { ...detail });
}
