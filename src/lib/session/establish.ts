/**
 * Finds the server, connects and negotiates: once for `connect`, and again for every reconnection.
 */
import { ProtocolError } from '../errors.js';
import type { ConnectionTrace } from '../trace/events.js';
import { xml } from '../xml/element.js';
import { DEFAULT_COMPONENT_PORT, negotiateComponent } from './component.js';
import { NS_CLIENT, NS_COMPONENT, NS_STREAMS } from './namespaces.js';
import { negotiateClient, type Negotiated } from './negotiate.js';
import type { ConnectOptions } from './options.js';
import type { ConnectionInfo } from './session.js';
import { otherHostOf } from './stream-error.js';
import type { StreamManagement } from './stream-management.js';
import { XmppStream } from './stream.js';
import type { Endpoint } from './transport/endpoints.js';
import type { XmppSocket } from './transport/socket.js';

/** Redirections followed before it is a loop. */
const MAX_REDIRECTIONS = 3;

export interface Established extends Negotiated {
  stream: XmppStream;
  trace: ConnectionTrace | undefined;
  info: ConnectionInfo;
}

/**
 * @param resumable the managed stream to go on with, if there was one
 * @throws XmppctlError whatever stands in the way; the connection is closed then
 */
export async function establish(options: ConnectOptions, resumable?: StreamManagement): Promise<Established> {
  return followRedirections(options, async (stream, trace) => {
    if (options.kind !== 'component') {
      const negotiated = await negotiateClient(stream, options, trace, resumable);
      return { ...negotiated, stream, trace, info: describe(stream.socket, negotiated) };
    }
    await negotiateComponent(stream, options);
    const negotiated: Negotiated = {
      jid: options.jid,
      features: xml('features', { xmlns: NS_STREAMS }),
      authentication: undefined,
      managed: { kind: 'missing' },
      failed: undefined,
    };
    return { ...negotiated, stream, trace, info: describe(stream.socket, negotiated) };
  });
}

/** Connects, and connects elsewhere when the server says so: under the same rules for TLS, to the same domain. */
export async function followRedirections<T>(
  options: ConnectOptions,
  negotiate: (stream: XmppStream, trace: ConnectionTrace | undefined) => Promise<T>,
): Promise<T> {
  let { service } = options;
  for (let redirections = 0; ; redirections += 1) {
    const trace = options.tracer?.connection(labelOf(options));
    let stream: XmppStream | undefined;
    let endpoint: Endpoint | undefined;
    try {
      stream = await connectStream({ ...options, service }, trace);
      ({ endpoint } = stream.socket);
      return await negotiate(stream, trace);
    } catch (error) {
      stream?.abort(error);
      const host = otherHostOf(error);
      if (host === undefined || endpoint === undefined || endpoint.kind === 'websocket') throw error;
      if (redirections >= MAX_REDIRECTIONS) {
        throw new ProtocolError(`the server redirected us ${MAX_REDIRECTIONS} times, at last to ${host}`, {
          cause: error,
        });
      }
      service = `${endpoint.kind === 'tls' ? 'xmpps' : 'xmpp'}://${host}`;
    }
  }
}

function connectStream(options: ConnectOptions, trace: ConnectionTrace | undefined): Promise<XmppStream> {
  const isComponent = options.kind === 'component';
  const { jid, service, tls, credentials, dnsServers, timeoutMs, signal, warn } = options;
  return XmppStream.connect({
    namespace: isComponent ? NS_COMPONENT : NS_CLIENT,
    from: isComponent || jid.local === undefined ? undefined : jid.bare.toString(),
    timeoutMs,
    signal,
    trace,
    parameters: {
      domain: jid.domain,
      service,
      tls,
      clientCertificate: credentials.clientCertificate,
      ...(dnsServers && { dnsServers }),
      ...(isComponent && {
        defaultPort: DEFAULT_COMPONENT_PORT,
        // The root certificates are read only where TLS follows.
        willStartTls: false,
        // There are no SRV records for components.
        srvServices: [],
        useHostMeta: false,
      }),
      timeoutMs,
      signal,
      trace,
      warn,
    },
  });
}

function labelOf({ kind, jid }: ConnectOptions): string {
  return kind === 'component' ? `component ${jid.toString()}` : `c2s ${jid.bare.toString()}`;
}

/** The facts about a connection that a session shows. */
export function describe(
  { remote, endpoint, tls }: XmppSocket,
  { authentication, managed }: Pick<Negotiated, 'authentication' | 'managed'>,
): ConnectionInfo {
  return {
    endpoint: remote,
    transport: endpoint?.kind ?? 'tcp',
    tls: tls && {
      version: tls.version,
      cipher: tls.cipher,
      alpn: tls.alpn,
      get fingerprintSha256() {
        return tls.fingerprintSha256;
      },
    },
    mechanism: authentication?.mechanism,
    channelBinding: authentication?.channelBinding,
    isStreamManaged: managed.kind !== 'missing',
    isResumable: 'management' in managed && managed.management.id !== undefined,
  };
}
