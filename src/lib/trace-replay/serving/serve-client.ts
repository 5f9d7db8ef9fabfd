/**
 * The server's side of a login, for a client that is going to be played a recording: TLS with a certificate of the
 * proxy's authority, authentication that takes whoever comes, and a resource (RFC 6120 §5–§7, XEP-0114, RFC 7395).
 */
import type { Socket } from 'node:net';
import { ProtocolError } from '../../errors.js';
import { NS_COMPONENT, NS_SASL, NS_SASL2 } from '../../trace-analysis/namespaces.js';
import type { ConnectionTrace } from '../../trace/events.js';
import type { TraceElement } from '../../trace/trace-element.js';
import { escapeText } from '../../xml/escape.js';
import { authenticate, type Authenticated } from './authenticate.js';
import { bindByRequest, bindInline } from './bind.js';
import type { ClientReader } from './client-reader.js';
import { boundFeatures, loginFeatures, startTlsFeatures } from './features.js';
import { ServedLink, type LinkOptions, type OpenedStream } from './link.js';
import type { Mechanisms } from './mechanisms.js';

export interface ServeOptions extends LinkOptions {
  /** Served to clients that name no domain. */
  domain: string;
  /** Whether clients do without TLS. */
  isPlain: boolean;
  /** Components may do without it: XEP-0114 knows none. */
  allowsPlainComponents: boolean;
  mechanisms: Mechanisms;
  /** What the server of the recording offered for SASL2, where the recorded client took that. */
  sasl2: TraceElement | undefined;
  /** What the server of the recording offered last. */
  features: TraceElement | undefined;
}

export interface ServedClient {
  /** The address it was given. */
  jid: string;
  domain: string;
  namespace: string;
  /** How it logged in. */
  mechanism: string;
  /** What its login switched on (Bind 2), by namespace. */
  inline: readonly string[];
  reader: ClientReader;
  send(text: string): Promise<void>;
  /** Ends the stream and the connection. */
  close(): void;
}

/**
 * Serves the client until it can exchange stanzas. When that fails, it is told so and hung up on.
 * @throws ProtocolError @throws TlsError @throws AuthError @throws ConnectionLostError @throws TimeoutError
 * @throws InterruptedError
 */
export async function serveLogin(
  socket: Socket,
  trace: ConnectionTrace,
  options: ServeOptions,
): Promise<ServedClient> {
  const link = new ServedLink(socket, trace, options);
  try {
    return await logIn(link, trace, options);
  } catch (error) {
    link.fail(error instanceof Error ? error.message : String(error));
    throw error;
  }
}

async function logIn(link: ServedLink, trace: ConnectionTrace, options: ServeOptions): Promise<ServedClient> {
  const { domain, isPlain, mechanisms } = options;
  await link.accept(domain, isPlain);
  let stream = await link.open(domain);
  if (stream.namespace === NS_COMPONENT) return serveComponent(link, stream, options);
  if (!isPlain && !link.isSecure && !link.isFramed) {
    link.write(startTlsFeatures());
    const answer = await link.element('waiting for the client to start TLS');
    if (answer.name !== 'starttls') throw new ProtocolError('the client did not start TLS');
    await link.startTls(stream.domain);
    stream = await link.open(domain);
  }
  // XEP-0388 §3: never without TLS.
  const sasl2 = link.isSecure ? options.sasl2 : undefined;
  link.write(loginFeatures([...mechanisms.keys()], sasl2));
  const login = await authenticate(link, {
    domain: stream.domain,
    mechanisms,
    hasSasl2: sasl2 !== undefined,
  });
  const { jid, inline } = await bind(link, login, stream, options);
  trace.event('bind', { jid });
  return served(link, stream, { jid, inline, mechanism: login.mechanism });
}

/** Tells the client that it is authenticated, and gives it a resource. */
async function bind(
  link: ServedLink,
  { name, namespace, request, data }: Authenticated,
  { domain }: OpenedStream,
  { features, domain: usual }: ServeOptions,
): Promise<{ jid: string; inline: string[] }> {
  const bare = `${name}@${domain}`;
  const base64 = data?.toString('base64') ?? '';
  if (namespace === NS_SASL) {
    link.write(`<success xmlns="${NS_SASL}">${base64}</success>`);
    link.restart();
    await link.open(usual);
    link.write(boundFeatures(features, { isBound: false }));
    return { jid: await bindByRequest(link, bare), inline: [] };
  }
  const bound = bindInline(request, bare);
  const additional = base64 === '' ? '' : `<additional-data>${base64}</additional-data>`;
  const identity = `<authorization-identifier>${escapeText(bound?.jid ?? bare)}</authorization-identifier>`;
  link.write(`<success xmlns="${NS_SASL2}">${additional}${identity}${bound?.answer ?? ''}</success>`);
  // XEP-0388 §2.6: features follow, without a new stream.
  link.write(boundFeatures(features, { isBound: bound !== undefined }));
  return bound ?? { jid: await bindByRequest(link, bare), inline: [] };
}

async function serveComponent(
  link: ServedLink,
  stream: OpenedStream,
  { allowsPlainComponents }: ServeOptions,
): Promise<ServedClient> {
  if (!allowsPlainComponents && !link.isSecure)
    throw new ProtocolError('a component without TLS is served on a loopback address only');
  const handshake = await link.element('waiting for the handshake of the component');
  if (handshake.name !== 'handshake') throw new ProtocolError('the component did not say who it is');
  link.write('<handshake/>');
  return served(link, stream, { jid: stream.domain, inline: [], mechanism: 'handshake' });
}

function served(
  link: ServedLink,
  { domain, namespace }: OpenedStream,
  client: Pick<ServedClient, 'jid' | 'inline' | 'mechanism'>,
): ServedClient {
  return {
    ...client,
    domain,
    namespace: namespace === NS_COMPONENT ? NS_COMPONENT : 'jabber:client',
    reader: link.reader,
    send: (text) => link.send(text),
    close: () => link.close(),
  };
}
