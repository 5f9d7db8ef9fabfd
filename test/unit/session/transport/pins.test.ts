import { createHash, X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { UsageError } from '../../../../src/lib/errors.js';
import { endPointHash } from '../../../../src/lib/session/transport/channel-binding.js';
import { formatPin, matchesPin, parsePins } from '../../../../src/lib/session/transport/pins.js';
import { makeTlsFixtures } from '../../../support/tls-fixtures.js';

const fixtures = makeTlsFixtures();
const certificate = new X509Certificate(fixtures.good.cert);
const keyHash = createHash('sha256')
  .update(certificate.publicKey.export({ type: 'spki', format: 'der' }))
  .digest();

describe('pins', () => {
  it.each([
    ['the certificate in hex with colons', `sha256:${certificate.fingerprint256}`],
    ['the certificate in hex', `SHA-256:${certificate.fingerprint256.replaceAll(':', '').toLowerCase()}`],
    ['the key in base64', `sha256:${keyHash.toString('base64')}`],
    ['the key as curl writes it', `sha256//${keyHash.toString('base64')}`],
    ['the key in hex', `sha256:${keyHash.toString('hex')}`],
    ['what it prints itself', formatPin(certificate)],
  ])('matches %s', (_, pin) => {
    expect(matchesPin(certificate, parsePins([`sha256:${'0'.repeat(64)}`, pin]))).toBe(true);
    expect(matchesPin(new X509Certificate(fixtures.expired.cert), parsePins([pin]))).toBe(false);
  });

  it.each(['', 'sha256:', 'sha1:00', 'sha256:zz', certificate.fingerprint256, `sha256:${'0'.repeat(63)}`])(
    'refuses %j',
    (pin) => {
      expect(() => parsePins([pin])).toThrow(UsageError);
    },
  );
});

describe('the hash for tls-server-end-point', () => {
  /** The outline of a certificate: only the signature algorithm counts. */
  function certificateSignedWith(algorithm: string): Buffer {
    const content = Buffer.from(`3000${algorithm}030100`, 'hex');
    return Buffer.concat([Buffer.from([0x30, content.length]), content]);
  }

  it.each([
    ['ecdsa-with-SHA256', '300a06082a8648ce3d040302', 'sha256'],
    ['ecdsa-with-SHA384', '300a06082a8648ce3d040303', 'sha384'],
    ['sha512WithRSAEncryption', '300d06092a864886f70d01010d0500', 'sha512'],
    ['sha1WithRSAEncryption, which is replaced', '300d06092a864886f70d0101050500', 'sha256'],
    ['md5WithRSAEncryption, which is replaced', '300d06092a864886f70d0101040500', 'sha256'],
    ['RSASSA-PSS without parameters: SHA-1, which is replaced', '300b06092a864886f70d01010a', 'sha256'],
    ['RSASSA-PSS with SHA-384', '301e06092a864886f70d01010a3011a00f300d06096086480165030402020500', 'sha384'],
    ['Ed25519, for which RFC 5929 names none', '300506032b6570', undefined],
  ])('follows %s', (_, algorithm, hash) => {
    expect(endPointHash(certificateSignedWith(algorithm))).toBe(hash);
  });

  it('is found in a real certificate', () => {
    expect(endPointHash(certificate.raw)).toBe('sha256');
  });
});
