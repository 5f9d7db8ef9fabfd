/**
 * `--tls-pin`: what the certificate must be, in addition to being valid. With `--insecure` the pin is what remains.
 */
import { createHash, timingSafeEqual, type X509Certificate } from 'node:crypto';
import { UsageError } from '../../errors.js';

/** A SHA-256 of a certificate or of its SubjectPublicKeyInfo. */
export type Pin = Buffer;

/**
 * `sha256:` (or curl's `sha256//`) with hex, colons allowed, or base64.
 *
 * @throws UsageError
 */
export function parsePins(pins: readonly string[]): Pin[] {
  return pins.map((pin) => {
    const value = /^sha-?256(?::|\/\/)(.+)$/i.exec(pin.trim())?.[1];
    const hex = value?.replaceAll(':', '');
    const bytes =
      hex !== undefined && /^[0-9a-f]{64}$/i.test(hex)
        ? Buffer.from(hex, 'hex')
        : Buffer.from(value !== undefined && /^[A-Za-z0-9+/_-]{43}=?$/.test(value) ? value : '', 'base64');
    if (bytes.length !== 32) {
      throw new UsageError(`${pin} is not a TLS pin`, {
        hint: 'write sha256: and the SHA-256 of the certificate or of its public key, in hex or base64',
      });
    }
    return bytes;
  });
}

export function matchesPin(certificate: X509Certificate, pins: readonly Pin[]): boolean {
  const hashes = [certificate.raw, publicKeyOf(certificate)].map((der) =>
    createHash('sha256').update(der).digest(),
  );
  return pins.some((pin) => hashes.some((hash) => timingSafeEqual(pin, hash)));
}

/** `sha256:<base64>` of the public key, as `--tls-pin` takes it: it outlives a renewal that keeps the key. */
export function formatPin(certificate: X509Certificate): string {
  return `sha256:${createHash('sha256').update(publicKeyOf(certificate)).digest('base64')}`;
}

function publicKeyOf(certificate: X509Certificate): Buffer {
  return certificate.publicKey.export({ type: 'spki', format: 'der' });
}
