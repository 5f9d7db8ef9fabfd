/**
 * Connections that are kept for the next request to the same place. Who answers is made sure of before a request, with
 * whatever password is in it, is written: the certificate has to be valid, and one of the pins has to fit (`--tls-pin`).
 */
import { X509Certificate } from 'node:crypto';
import { Agent as PlainAgent } from 'node:http';
import { Agent as SecureAgent } from 'node:https';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { matchesPin, parsePins, type Pin } from '../session/transport/pins.js';
import { pinMismatch } from '../session/transport/tls-failure.js';
import { createTrustContext } from '../session/transport/trust-context.js';
import type { HttpTrust } from './http-request.js';

export interface KeepAliveOptions {
  trust: HttpTrust;
  /** As `--tls-pin` takes them: when there are some, the certificate has to be one of these as well. */
  pins: readonly string[];
  /** Connections at the same time. */
  maxSockets: number;
}

/** @throws UsageError a pin or an authority cannot be understood */
export function createKeepAliveAgent(
  url: URL,
  { trust, pins, maxSockets }: KeepAliveOptions,
): PlainAgent | SecureAgent {
  const keep = { keepAlive: true, maxSockets };
  if (url.protocol !== 'https:') return new PlainAgent(keep);
  return new TrustingAgent(keep, trust, parsePins(pins));
}

class TrustingAgent extends SecureAgent {
  /** Made once: with the roots of all authorities it takes 20 ms. */
  readonly #context;

  constructor(
    options: { keepAlive: boolean; maxSockets: number },
    private readonly trust: HttpTrust,
    private readonly pins: readonly Pin[],
  ) {
    super(options);
    this.#context = createTrustContext(trust.ca);
  }

  override createConnection(options: ConnectionOptions): TLSSocket {
    const socket = connect({
      ...options,
      secureContext: this.#context,
      rejectUnauthorized: this.trust.isInsecure !== true,
    });
    if (this.pins.length === 0) return socket;
    // What is written meanwhile stays here.
    socket.cork();
    socket.once('secureConnect', () => {
      const failure = this.#pinFailure(socket, `${String(options.host)}:${String(options.port)}`);
      if (failure) socket.destroy(failure);
      else socket.uncork();
    });
    return socket;
  }

  #pinFailure(socket: TLSSocket, place: string): Error | undefined {
    const { raw } = socket.getPeerCertificate();
    const certificate = new X509Certificate(raw);
    return matchesPin(certificate, this.pins) ? undefined : pinMismatch(place, certificate);
  }
}
