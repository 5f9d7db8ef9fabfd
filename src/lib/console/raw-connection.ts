/** A connection on which everything is typed by hand, after the TLS that was asked for. */
import { UsageError } from '../errors.js';
import type { ConnectOptions } from '../session/options.js';
import { CLIENT_SERVICES, parseService } from '../session/transport/endpoints.js';
import { XmppSocket } from '../session/transport/socket.js';
import { TlsClient } from '../session/transport/tls.js';
import { Server } from '../trace-proxy/server-leg.js';

/** `found`: whatever the domain offers first, with TLS. */
export type Security = 'found' | 'starttls' | 'direct' | 'plain';

/**
 * Connects, and does TLS as asked for: with STARTTLS on a stream of its own. Nobody listens to the data yet, and the
 * socket is paused.
 * @throws UsageError the service contradicts what is asked for
 * @throws DnsError @throws ConnectError @throws TlsError @throws ProtocolError @throws TimeoutError @throws InterruptedError
 */
export async function openRawConnection(options: ConnectOptions, security: Security): Promise<XmppSocket> {
  const { jid, credentials, dnsServers, tracer, signal, timeoutMs, tls, warn } = options;
  const domain = jid.domain;
  const service = serviceFor(options.service, security);
  const trace = tracer?.connection(`raw ${domain}`);
  const isWebSocket = service !== undefined && parseService(service).kind === 'websocket';
  if (security === 'starttls') {
    const server = new Server({
      ...{ domain, service, tls, timeoutMs, signal, warn },
      clientCertificate: credentials.clientCertificate,
    });
    // What crosses before TLS is the same each time; what is typed is recorded where it is typed.
    const silent = { data: () => undefined, event: () => undefined };
    return server.open({ kind: 'c2s', to: domain, from: undefined, version: '1.0' }, trace ?? silent);
  }
  const socket = new XmppSocket();
  const parameters = {
    ...{ domain, service, tls, timeoutMs, signal, warn, trace },
    clientCertificate: credentials.clientCertificate,
    ...(dnsServers && { dnsServers }),
    ...(security === 'direct' && { srvServices: CLIENT_SERVICES.filter(({ kind }) => kind === 'tls') }),
    ...(security === 'plain' && { srvServices: CLIENT_SERVICES.filter(({ kind }) => kind === 'tcp') }),
    useHostMeta: false,
  };
  await socket.open({ ...parameters, tlsClient: new TlsClient(parameters) });
  if (security === 'direct' && !socket.secure) {
    socket.destroy();
    throw new UsageError(`${domain} says nowhere that it has direct TLS`, {
      hint: 'say where it is: --service xmpps://host:port',
    });
  }
  if (isWebSocket || socket.secure || security === 'plain') return socket;
  socket.destroy();
  return openRawConnection(options, 'starttls');
}

/** Where the service is, with the scheme that the security needs. */
function serviceFor(service: string | undefined, security: Security): string | undefined {
  if (service === undefined || security === 'found') return service;
  const endpoint = parseService(service);
  const scheme = security === 'direct' ? 'xmpps' : 'xmpp';
  if (endpoint.kind === 'websocket')
    throw new UsageError(`a WebSocket has its own TLS: leave ${flagOf(security)} out`);
  return service.includes('://') ? service.replace(/^\w+:/, `${scheme}:`) : `${scheme}://${service}`;
}

function flagOf(security: Security): string {
  return security === 'direct' ? '--direct-tls' : `--${security}`;
}
