/** A TLS handshake that judges nothing: what it brought is looked at afterwards. */
import type { Socket } from 'node:net';
import { connect, type SecureVersion, type TLSSocket } from 'node:tls';
import { TimeoutError, TlsError } from '../../errors.js';
import { within } from '../../session/wait.js';
import type { Budget } from './budget.js';

export interface HandshakeOptions {
  /** The domain in A-labels; undefined sends none. */
  serverName: string | undefined;
  /** XEP-0368: only where TLS comes first. */
  alpn?: readonly string[] | undefined;
  minVersion?: SecureVersion | undefined;
  maxVersion?: SecureVersion | undefined;
  clientCertificate?: { cert: string; key: string } | undefined;
  /** Ask for a stapled OCSP response. */
  requestOcsp?: boolean | undefined;
}

/** @throws TlsError @throws TimeoutError @throws InterruptedError */
export async function secureSocket(
  plain: Socket,
  { serverName, alpn, minVersion, maxVersion, clientCertificate, requestOcsp }: HandshakeOptions,
  budget: Budget,
): Promise<{ socket: TLSSocket; hasStapledOcsp: boolean }> {
  const socket = connect({
    socket: plain,
    ...(serverName !== undefined && { servername: serverName }),
    ...(alpn && { ALPNProtocols: [...alpn] }),
    // Nothing is trusted here, so that only what was sent is reported; and nothing is refused for being weak.
    ca: [],
    rejectUnauthorized: false,
    minVersion: minVersion ?? 'TLSv1',
    ...(maxVersion && { maxVersion }),
    ciphers: 'DEFAULT:@SECLEVEL=0',
    ...(clientCertificate && clientCertificate),
    ...(requestOcsp && { requestOCSP: true }),
  });
  let hasStapledOcsp = false;
  socket.once(
    'OCSPResponse',
    (response: Buffer | null) => (hasStapledOcsp = response !== null && response.length > 0),
  );
  const done = new Promise<void>((resolve, reject) => {
    socket.once('secureConnect', resolve);
    socket.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        new TlsError(`the TLS handshake failed: ${error.code ?? error.message}`, {
          details: { code: error.code ?? error.message },
          cause: error,
        }),
      ),
    );
    const onClose = (): void =>
      reject(new TlsError('the connection was closed in the TLS handshake', { details: { code: 'closed' } }));
    socket.once('close', onClose);
    plain.once('close', onClose);
  });
  try {
    await within(done, {
      doing: 'in the TLS handshake',
      timeoutMs: budget.limits.stepMs,
      signal: budget.signal,
    });
  } catch (error) {
    if (error instanceof TimeoutError) budget.reportSilence();
    socket.on('error', () => undefined);
    socket.destroy();
    plain.destroy();
    throw error;
  }
  socket.on('error', () => undefined);
  return { socket, hasStapledOcsp };
}
