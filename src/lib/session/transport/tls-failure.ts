/**
 * What went wrong in a TLS handshake, in words: node:tls speaks in OpenSSL's codes.
 */
import type { X509Certificate } from 'node:crypto';
import { TlsError, XmppctlError } from '../../errors.js';
import { formatPin } from './pins.js';
import type { CertificateDetail } from './trace-details.js';

interface Circumstances {
  /** What the certificate should be valid for. */
  name: string;
  place: string;
  certificate: CertificateDetail | undefined;
}

const CA_HINT = 'trust it with --ca FILE; or pin it and skip the rest with --insecure --tls-pin';

export function explainTlsFailure(error: unknown, circumstances: Circumstances): XmppctlError {
  if (error instanceof XmppctlError) return error;
  const { name, place, certificate } = circumstances;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const fail = (message: string, hint?: string): TlsError =>
    new TlsError(message, {
      ...(hint !== undefined && { hint }),
      details: { name, place, ...(code !== '' && { code }), ...(certificate && { certificate }) },
      cause: error,
    });
  const of = `the certificate of ${place}`;
  switch (code) {
    case 'CERT_HAS_EXPIRED':
      return fail(
        `${of} expired on ${day(certificate?.validTo)}`,
        'its administrator has to renew it; check the clock of this computer',
      );
    case 'CERT_NOT_YET_VALID':
      return fail(
        `${of} is not valid before ${day(certificate?.validFrom)}`,
        'check the clock of this computer',
      );
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
      return fail(`${of} is self-signed`, CA_HINT);
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'CERT_UNTRUSTED':
      return fail(
        `${of} comes from an authority that is not trusted (${certificate?.issuer ?? 'unknown'})`,
        CA_HINT,
      );
    case 'INVALID_PURPOSE':
      return fail(
        `${of} is not meant for a server`,
        'its administrator has to get one with the extended key usage "serverAuth"',
      );
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return fail(
        `${of} is not valid for ${name}; it is for ${listNames(certificate)}`,
        'check the domain of the address, and that the server has a certificate for it',
      );
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
    case 'ERR_SSL_PACKET_LENGTH_TOO_LONG':
    case 'ERR_SSL_UNEXPECTED_MESSAGE':
      return fail(
        `${place} does not speak TLS: it answered in plain`,
        'a port that begins in plain and upgrades (STARTTLS) is xmpp://, not xmpps://',
      );
    case 'ERR_SSL_UNSUPPORTED_PROTOCOL':
    case 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION':
      return fail(`${place} speaks no TLS that is still safe (1.2 or later)`);
    case 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED':
    case 'ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE':
    case 'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA':
      return fail(`${place} did not accept the client certificate`, 'see --client-cert and --client-key');
    case 'ECONNRESET':
    case 'EPIPE':
      return fail(`${place} closed the connection in the TLS handshake`);
    default: {
      const reason =
        error instanceof Error && 'reason' in error && typeof error.reason === 'string'
          ? error.reason
          : error instanceof Error
            ? error.message
            : String(error);
      return fail(`the TLS handshake with ${place} failed: ${reason}`);
    }
  }
}

export function pinMismatch(place: string, certificate: X509Certificate): TlsError {
  return new TlsError(`the certificate of ${place} is not the one that --tls-pin asks for`, {
    hint: `if it was renewed, the pin is now ${formatPin(certificate)}`,
    details: { fingerprintSha256: certificate.fingerprint256, publicKeyPin: formatPin(certificate) },
  });
}

function day(date: string | undefined): string {
  return date?.slice(0, 10) ?? 'an unknown day';
}

function listNames(certificate: CertificateDetail | undefined): string {
  const names = certificate?.names ?? [];
  if (names.length === 0) return certificate?.subject ?? 'nobody';
  return names.length <= 4
    ? names.join(', ')
    : `${names.slice(0, 4).join(', ')} and ${names.length - 4} more`;
}
