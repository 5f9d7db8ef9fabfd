/** Getting to a stream inside TLS, whichever way an endpoint wants it, and what is to be seen there. */
import type { SecureVersion, TLSSocket } from 'node:tls';
import { ProtocolError } from '../../errors.js';
import { NS_TLS, type ProbeStream } from '../wire/probe-stream.js';
import { isDirectTls, type HandshakeFacts, type TlsVersion } from './facts.js';
import { describeEvent, readStream } from './read-stream.js';
import { alpnOf, connectTo, openingOf, type EndpointProbe } from './target.js';

export interface SecureStreamOptions {
  version?: TlsVersion;
  clientCertificate?: { cert: string; key: string } | undefined;
  requestOcsp?: boolean;
}

/**
 * A connection on which TLS is done and nothing has been said.
 *
 * @throws ConnectError @throws TlsError @throws TimeoutError @throws ProtocolError STARTTLS was not offered, or refused
 */
export async function openSecureStream(
  probe: EndpointProbe,
  what: string,
  { version, clientCertificate, requestOcsp }: SecureStreamOptions = {},
): Promise<ProbeStream> {
  const stream = await connectTo(probe, what);
  try {
    if (!isDirectTls(probe.endpoint.service)) await negotiateStarttls(stream, probe);
    const only: SecureVersion | undefined = version && `TLSv${version}`;
    await stream.startTls({
      serverName: probe.domain,
      alpn: isDirectTls(probe.endpoint.service) ? [alpnOf(probe.endpoint.service)] : undefined,
      minVersion: only,
      maxVersion: only,
      clientCertificate,
      requestOcsp,
    });
    return stream;
  } catch (error) {
    stream.close();
    throw error;
  }
}

/** RFC 6120 §5.4.2. @throws ProtocolError STARTTLS was not offered, or refused */
export async function negotiateStarttls(stream: ProbeStream, probe: EndpointProbe): Promise<void> {
  const { starttls, problem } = await readStream(stream, openingOf(probe));
  if (problem !== undefined) throw new ProtocolError(`the stream could not be opened: ${problem}`);
  if (starttls === 'absent') throw new ProtocolError('STARTTLS is not offered');
  stream.write(`<starttls xmlns='${NS_TLS}'/>`);
  const answer = await stream.next();
  if (answer.kind !== 'element' || answer.element.getName() !== 'proceed') {
    throw new ProtocolError(`the answer to STARTTLS was ${describeEvent(answer)}`);
  }
}

/** One connection with one version of TLS. @throws as `openSecureStream` */
export async function lookInside(probe: EndpointProbe, version: TlsVersion): Promise<HandshakeFacts> {
  using stream = await openSecureStream(probe, `TLS ${version}`, {
    version,
    clientCertificate: probe.identity,
    requestOcsp: true,
  });
  const socket = stream.socket as TLSSocket;
  const facts = {
    version: socket.getProtocol() ?? `TLSv${version}`,
    cipher: socket.getCipher().standardName,
    alpn: socket.alpnProtocol === false || socket.alpnProtocol === null ? undefined : socket.alpnProtocol,
    chain: chainOf(socket),
    ocspStapled: stream.hasStapledOcsp,
  };
  return { ...facts, stream: await readStream(stream, openingOf(probe)) };
}

/** What was sent, in a row from the server's own certificate to the last that signs the one before. */
function chainOf(socket: TLSSocket): Buffer[] {
  const chain: Buffer[] = [];
  let certificate = socket.getPeerX509Certificate();
  while (certificate && chain.length < 20) {
    chain.push(certificate.raw);
    const issuer = certificate.issuerCertificate;
    if (issuer?.fingerprint256 === certificate.fingerprint256) break;
    certificate = issuer;
  }
  return chain;
}
