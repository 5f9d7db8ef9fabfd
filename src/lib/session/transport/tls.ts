/**
 * TLS to an XMPP server: the certificate must be valid for the JID's domain, whatever host or address the DNS led to
 * (RFC 6120 §13.7.2, RFC 7590).
 *
 * Not here: SRVName and XmppAddr identities of server certificates (RFC 6120 §13.7.1.2 lists them beside DNS names);
 * session resumption; revocation lists.
 */
import type { Socket } from 'node:net';
import { checkServerIdentity, connect, type SecureContext, type TLSSocket } from 'node:tls';
import type { ConnectionTrace } from '../../trace/events.js';
import type { TlsOptions } from '../options.js';
import { within } from '../wait.js';
import { peerCertificate, type PeerCertificate } from './certificate.js';
import { ipVersion } from './ip-address.js';
import { matchesPin, parsePins, type Pin } from './pins.js';
import { explainTlsFailure, pinMismatch } from './tls-failure.js';
import { createTrustContext, type ClientCertificate } from './trust-context.js';
import { report } from './trace-details.js';

export interface TlsParameters {
  tls?: TlsOptions | undefined;
  clientCertificate?: ClientCertificate | undefined;
  timeoutMs: number;
  signal?: AbortSignal | undefined;
  trace?: ConnectionTrace | undefined;
  warn?: ((message: string) => void) | undefined;
}

/** What TLS came to. */
export interface TlsInfo {
  /** `TLSv1.3` */
  version: string;
  cipher: string;
  alpn: string | undefined;
  /** Upper-case hex with colons, of the server's certificate. */
  readonly fingerprintSha256: string;
  readonly subjectNames: readonly string[];
  /** ISO 8601 */
  readonly validTo: string;
  /** False with --insecure when verification failed. */
  isVerified: boolean;
}

export interface SecureOptions {
  /** What the certificate must be valid for: a host name in A-labels, or an IP address. */
  name: string;
  /** Where we are connected to, for messages. */
  place: string;
  alpn?: readonly string[];
  /** Where this handshake is reported, when not where the others are. */
  trace?: ConnectionTrace | undefined;
}

/** Makes plain connections secure; one for all attempts to reach a server. */
export class TlsClient {
  readonly #parameters: TlsParameters;
  readonly #pins: readonly Pin[];
  #context: SecureContext | undefined;

  /** @throws UsageError a pin cannot be understood */
  constructor(parameters: TlsParameters) {
    this.#parameters = parameters;
    this.#pins = parsePins(parameters.tls?.pins ?? []);
  }

  /**
   * Reads the root certificates, which costs some 20 ms, in a later turn: while the network is busy with what is
   * written in this one. What stands in the way is said by the handshake.
   */
  prepareSoon(): void {
    setImmediate(() => {
      try {
        this.#prepare();
      } catch {
        // `secure` comes to the same end.
      }
    });
  }

  #prepare(): SecureContext {
    const { tls, clientCertificate } = this.#parameters;
    this.#context ??= createTrustContext(tls?.ca, clientCertificate);
    return this.#context;
  }

  /**
   * The handshake. The connection is destroyed when it fails.
   *
   * @throws TlsError @throws TimeoutError @throws InterruptedError @throws UsageError
   */
  async secure(plain: Socket, { name, place, alpn, trace: own }: SecureOptions): Promise<TLSSocket> {
    const { timeoutMs, signal } = this.#parameters;
    const trace = own ?? this.#parameters.trace;
    const isInsecure = this.#parameters.tls?.isInsecure === true;
    let failure: unknown;
    let socket: TLSSocket | undefined;
    let certificate: PeerCertificate | undefined;
    try {
      const context = this.#prepare();
      socket = connect({
        socket: plain,
        secureContext: context,
        // RFC 6066 §3: an address is no server name.
        ...(ipVersion(name) === 0 && { servername: name }),
        ...(alpn && { ALPNProtocols: [...alpn] }),
        minVersion: 'TLSv1.2',
        rejectUnauthorized: !isInsecure,
        checkServerIdentity: (_host, peer) => checkServerIdentity(name, peer),
      });
      const secured = socket;
      // `secure` comes just before node:tls judges the certificate, and throws it away if it is bad.
      secured.prependListener('secure', () => (certificate = peerCertificate(secured)));
      await within(settle(secured), { doing: `in the TLS handshake with ${place}`, timeoutMs, signal });
    } catch (error) {
      failure = error;
    }
    if (failure === undefined && socket && certificate && this.#pins.length > 0) {
      if (!matchesPin(certificate.parsed, this.#pins)) failure = pinMismatch(place, certificate.parsed);
    }
    if (failure !== undefined || socket === undefined) {
      socket?.destroy();
      plain.destroy();
      const seen = certificate?.detail;
      const error = explainTlsFailure(failure, { name, place, certificate: seen });
      report(trace, 'tls', { serverName: name, ...(seen && { certificate: seen }), error: error.message });
      throw error;
    }
    if (isInsecure) this.#warnInsecure(socket, place);
    if (trace) {
      const { version, cipher, alpn, isVerified } = describeTls(socket);
      report(trace, 'tls', {
        serverName: name,
        version,
        cipher,
        ...(alpn !== undefined && { alpn }),
        isVerified,
        ...(certificate && { certificate: certificate.detail }),
      });
    }
    return socket;
  }

  #warnInsecure(socket: TLSSocket, place: string): void {
    const reason = socket.authorized
      ? 'it would have passed'
      : `it fails with ${String(socket.authorizationError)}`;
    const instead = this.#pins.length > 0 ? ', only compared with --tls-pin' : '';
    this.#parameters.warn?.(`the certificate of ${place} was not verified${instead} (--insecure); ${reason}`);
  }
}

/** Facts about a connection that stands. */
export function describeTls(socket: TLSSocket): TlsInfo {
  const certificate = peerCertificate(socket);
  return {
    version: socket.getProtocol() ?? '',
    cipher: socket.getCipher().name,
    alpn: typeof socket.alpnProtocol === 'string' ? socket.alpnProtocol : undefined,
    get fingerprintSha256() {
      return certificate?.detail.fingerprintSha256 ?? '';
    },
    get subjectNames() {
      return certificate?.detail.names ?? [];
    },
    get validTo() {
      return certificate?.detail.validTo ?? '';
    },
    isVerified: socket.authorized,
  };
}

function settle(socket: TLSSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    // Stays on, so that an error that comes while a failed connection is taken down does not go unheard.
    socket.on('error', reject);
    socket.once('secureConnect', () => {
      socket.removeListener('error', reject);
      resolve();
    });
    socket.once('close', () => reject(new Error('the server closed the connection')));
  });
}
