/**
 * From a domain to a connection: each endpoint in its turn, and one error that tells what came of all of them.
 */
import {
  ConnectError,
  DnsError,
  InterruptedError,
  TimeoutError,
  TlsError,
  UsageError,
  XmppctlError,
} from '../../errors.js';
import { StreamCarrier, type Carrier } from './carrier.js';
import { findEndpoints, toHostName, type Endpoint, type EndpointOptions } from './endpoints.js';
import { isLoopbackName } from './dns.js';
import { ipVersion } from './ip-address.js';
import { connectTcp, formatAddress } from './tcp.js';
import type { TlsClient, TlsParameters } from './tls.js';

export interface ReachOptions extends EndpointOptions, TlsParameters {
  /** The JID's domain, in Unicode or A-labels: the name that a certificate must have. */
  domain: string;
  /** Endpoints found earlier, instead of looking for them. */
  endpoints?: readonly Endpoint[] | undefined;
  /** Look for a WebSocket over HTTPS (XEP-0156) when every TCP endpoint failed; true unless given. */
  useHostMeta?: boolean | undefined;
  /** What is asked for in direct TLS (XEP-0368 §4.1); `xmpp-client` unless given. */
  alpn?: 'xmpp-client' | 'xmpp-server' | undefined;
  /** Milliseconds before the next address is tried beside the last (RFC 8305); 250 unless given. */
  attemptDelayMs?: number | undefined;
}

export interface Reached {
  endpoint: Endpoint;
  carrier: Carrier;
  /** `xmpp://127.0.0.1:5222`: the address that answered. */
  remote: string;
}

/**
 * Connects to the first endpoint that answers; STARTTLS is not done yet.
 *
 * @throws DnsError @throws ConnectError @throws TlsError @throws TimeoutError @throws InterruptedError @throws UsageError
 */
export async function reachServer(options: ReachOptions, tls: TlsClient): Promise<Reached> {
  const failures: XmppctlError[] = [];
  const host = toHostName(options.domain);
  const tryAll = async (endpoints: readonly Endpoint[]): Promise<Reached | undefined> => {
    for (const endpoint of endpoints) {
      try {
        return await reachEndpoint(endpoint, host, options, tls);
      } catch (error) {
        // The user's wish and the user's mistakes are the same for every endpoint.
        if (
          !(error instanceof XmppctlError) ||
          error instanceof InterruptedError ||
          error instanceof UsageError
        ) {
          throw error;
        }
        failures.push(error);
      }
    }
    return undefined;
  };

  const reached = await tryAll(options.endpoints ?? (await findEndpoints(options.domain, options)));
  if (reached) return reached;
  if (isHostMetaWorthwhile(host, options, failures)) {
    const { findWebSocketEndpoints } = await import('./host-meta.js');
    try {
      const viaWeb = await tryAll(await findWebSocketEndpoints(host, tls, options));
      if (viaWeb) return viaWeb;
    } catch (error) {
      // That there is no WebSocket either is no news; the errors before it are.
      if (!(error instanceof XmppctlError) || error instanceof InterruptedError) throw error;
    }
  }
  throw summarize(options.domain, failures);
}

async function reachEndpoint(
  endpoint: Endpoint,
  domain: string,
  options: ReachOptions,
  tls: TlsClient,
): Promise<Reached> {
  if (endpoint.kind === 'websocket') {
    const { openWebSocket } = await import('./websocket.js');
    return { endpoint, carrier: await openWebSocket(endpoint.url, tls, options), remote: endpoint.url };
  }
  const connecting = connectTcp(endpoint.host, endpoint.port, options);
  if (endpoint.kind === 'tls') tls.prepareSoon();
  const socket = await connecting;
  const address = formatAddress(socket.remoteAddress ?? endpoint.host, socket.remotePort ?? endpoint.port);
  if (endpoint.kind === 'tcp')
    return { endpoint, carrier: new StreamCarrier(socket), remote: `xmpp://${address}` };
  const secured = await tls.secure(socket, {
    name: domain,
    place: address,
    alpn: [options.alpn ?? 'xmpp-client'],
    trace: options.trace,
  });
  return { endpoint, carrier: new StreamCarrier(secured), remote: `xmpps://${address}` };
}

function isHostMetaWorthwhile(
  host: string,
  options: ReachOptions,
  failures: readonly XmppctlError[],
): boolean {
  const isFound = options.service !== undefined || options.endpoints !== undefined;
  if (options.useHostMeta === false || isFound || ipVersion(host) !== 0 || isLoopbackName(host)) return false;
  // A domain that does not exist has no web server either.
  return !failures.every((error) => error instanceof DnsError);
}

function summarize(domain: string, failures: readonly XmppctlError[]): XmppctlError {
  const [first] = failures;
  if (first === undefined) return new ConnectError(`there is no way known to connect to ${domain}`);
  if (failures.length === 1) return first;
  const message = `could not connect to ${domain}: ${failures.map((error) => error.message).join('; ')}`;
  const worst = failures.find((error) => error instanceof TlsError) ?? first;
  const extras = {
    ...(worst.hint !== undefined && { hint: worst.hint }),
    details: { attempts: failures.map((error) => ({ error: error.message, ...error.details })) },
    cause: worst,
  };
  if (worst instanceof TlsError) return new TlsError(message, extras);
  if (failures.every((error) => error instanceof DnsError)) return new DnsError(message, extras);
  if (failures.every((error) => error instanceof TimeoutError)) return new TimeoutError(message, extras);
  return new ConnectError(message, extras);
}
