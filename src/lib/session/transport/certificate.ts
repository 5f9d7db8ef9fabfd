/**
 * What is worth saying about a certificate.
 */
import { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import type { CertificateDetail } from './trace-details.js';

/** A server's certificate, read as far as somebody wants to know. */
export class PeerCertificate {
  /** DER */
  readonly raw: Buffer;
  #parsed: X509Certificate | undefined;
  #detail: CertificateDetail | undefined;

  constructor(raw: Buffer) {
    this.raw = raw;
  }

  get parsed(): X509Certificate {
    return (this.#parsed ??= new X509Certificate(this.raw));
  }

  get detail(): CertificateDetail {
    return (this.#detail ??= describeCertificate(this.parsed));
  }
}

const seen = new WeakMap<TLSSocket, PeerCertificate>();

/**
 * The certificate of the server at the other end; still known when the connection has gone, if it was asked for before.
 *
 * COMPAT(Node 20): not `getPeerX509Certificate`, which takes the certificate out of the connection: node:tls then finds
 * none to check, and a second call gives another one or none.
 */
export function peerCertificate(socket: TLSSocket): PeerCertificate | undefined {
  const known = seen.get(socket);
  if (known) return known;
  const { raw } = socket.getPeerCertificate() as { raw?: Buffer };
  if (!raw) return undefined;
  const certificate = new PeerCertificate(raw);
  seen.set(socket, certificate);
  return certificate;
}

function describeCertificate(certificate: X509Certificate): CertificateDetail {
  return {
    subject: oneLine(certificate.subject),
    issuer: oneLine(certificate.issuer),
    names: namesOf(certificate),
    validFrom: isoDate(certificate.validFrom),
    validTo: isoDate(certificate.validTo),
    fingerprintSha256: certificate.fingerprint256,
  };
}

/** DNS names and IP addresses of the subjectAltName. */
function namesOf(certificate: X509Certificate): string[] {
  // node:crypto writes `DNS:example.org, IP Address:::1, DNS:"odd, name"`.
  const entries = certificate.subjectAltName?.match(/(?:DNS|IP Address):(?:"(?:[^"\\]|\\.)*"|[^,]*)/g) ?? [];
  return entries.map((entry) => entry.replace(/^(?:DNS|IP Address):/, '').replace(/^"(.*)"$/, '$1'));
}

/** node:crypto writes `Nov 22 23:00:00 2026 GMT`. */
function isoDate(text: string): string {
  const date = new Date(text);
  return Number.isNaN(date.getTime()) ? text : date.toISOString();
}

/** `CN=example.org, O=Example` from one attribute a line. */
function oneLine(name: string | undefined): string {
  return (name ?? '').split('\n').join(', ');
}
