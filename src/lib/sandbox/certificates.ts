/**
 * A private certification authority: X.509 version 3 certificates (RFC 5280) with the names XMPP uses
 * (RFC 6120 §13.7.1), signed with ECDSA P-256. Small enough to be its own: Node signs, but writes no certificates,
 * and the openssl command differs between systems.
 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  sign,
  X509Certificate,
  type KeyObject,
} from 'node:crypto';
import { isIP } from 'node:net';

export interface CertificateAuthority {
  /** PEM */
  cert: string;
  /** PEM (SEC 1) */
  key: string;
  issue(request: CertificateRequest): { cert: string; key: string };
}

export interface CertificateRequest {
  commonName: string;
  /** Host names (with or without a leading `*.`) and IP addresses. */
  names?: readonly string[];
  /** Domains that get an SRVName (RFC 4985) for `_xmpp-client` and `_xmpp-server`. */
  srvDomains?: readonly string[];
  /** JIDs of a client certificate (`id-on-xmppAddr`). */
  xmppAddrs?: readonly string[];
  /** Default: an hour ago. */
  notBefore?: Date;
  /** Default: in thirty days. */
  notAfter?: Date;
}

const HOUR_MS = 3_600_000;
const OID_ECDSA_SHA256 = '1.2.840.10045.4.3.2';
const OID_COMMON_NAME = '2.5.4.3';
const OID_SRV_NAME = '1.3.6.1.5.5.7.8.7';
const OID_XMPP_ADDR = '1.3.6.1.5.5.7.8.5';

/**
 * Makes an authority whose key never leaves this process unless the caller writes it down.
 * @param notAfter in thirty days unless given
 */
export function createAuthority(
  commonName: string,
  notAfter = new Date(Date.now() + 30 * 24 * HOUR_MS),
): CertificateAuthority {
  const keys = generateKeys();
  const subject = distinguishedName(commonName);
  const cert = writeCertificate({
    subject,
    issuer: subject,
    publicKey: keys.publicKey,
    signer: keys,
    notBefore: new Date(Date.now() - HOUR_MS),
    notAfter,
    extensions: [
      extension('2.5.29.19', true, sequence(der(0x01, Buffer.from([0xff])))), // basicConstraints: an authority
      extension('2.5.29.15', true, der(0x03, Buffer.from([1, 0x06]))), // keyUsage: keyCertSign, cRLSign
      subjectKeyIdentifier(keys.publicKey),
    ],
  });
  return authority(cert, keys, subject);
}

/**
 * An authority that was written down.
 * @throws Error these are no PEM texts, or the key is another's
 */
export function openAuthority({ cert, key }: { cert: string; key: string }): CertificateAuthority {
  const parsed = new X509Certificate(cert);
  const privateKey = createPrivateKey(key);
  if (!parsed.checkPrivateKey(privateKey)) throw new Error('the key does not belong to the certificate');
  const [, commonName = ''] = /^CN=(.*)$/m.exec(parsed.subject) ?? [];
  return authority(
    cert,
    { privateKey, publicKey: createPublicKey(privateKey), pem: key },
    distinguishedName(commonName),
  );
}

function authority(cert: string, keys: Keys, subject: Buffer): CertificateAuthority {
  return {
    cert,
    key: keys.pem,
    issue: (request) => {
      const own = generateKeys();
      return {
        cert: writeCertificate({
          subject: distinguishedName(request.commonName),
          issuer: subject,
          publicKey: own.publicKey,
          signer: keys,
          notBefore: request.notBefore ?? new Date(Date.now() - HOUR_MS),
          notAfter: request.notAfter ?? new Date(Date.now() + 30 * 24 * HOUR_MS),
          extensions: [
            extension('2.5.29.19', true, sequence()),
            extension('2.5.29.15', true, der(0x03, Buffer.from([7, 0x80]))), // digitalSignature
            // extKeyUsage: serverAuth and clientAuth, as a server-to-server stream needs both.
            extension('2.5.29.37', false, sequence(oid('1.3.6.1.5.5.7.3.1'), oid('1.3.6.1.5.5.7.3.2'))),
            subjectKeyIdentifier(own.publicKey),
            authorityKeyIdentifier(keys.publicKey),
            extension('2.5.29.17', false, sequence(...alternativeNames(request))),
          ],
        }),
        key: own.pem,
      };
    },
  };
}

interface Keys {
  privateKey: KeyObject;
  publicKey: KeyObject;
  pem: string;
}

function generateKeys(): Keys {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { privateKey, publicKey, pem: privateKey.export({ type: 'sec1', format: 'pem' }).toString() };
}

function alternativeNames(request: CertificateRequest): Buffer[] {
  const otherName = (type: string, value: Buffer) => der(0xa0, oid(type), der(0xa0, value));
  return [
    ...(request.names ?? []).map((name) =>
      isIP(name) === 0 ? der(0x82, Buffer.from(name, 'latin1')) : der(0x87, addressOctets(name)),
    ),
    ...(request.srvDomains ?? []).flatMap((domain) =>
      ['_xmpp-client', '_xmpp-server'].map((service) =>
        otherName(OID_SRV_NAME, der(0x16, Buffer.from(`${service}.${domain}`, 'latin1'))),
      ),
    ),
    ...(request.xmppAddrs ?? []).map((jid) => otherName(OID_XMPP_ADDR, der(0x0c, Buffer.from(jid)))),
  ];
}

function addressOctets(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split('.').map(Number));
  const [head = '', tail] = address.split('::');
  const groups = (text: string) => (text === '' ? [] : text.split(':'));
  const front = groups(head);
  const back = tail === undefined ? [] : groups(tail);
  const zeros = Array<string>(8 - front.length - back.length).fill('0');
  return Buffer.from([...front, ...zeros, ...back].map((group) => group.padStart(4, '0')).join(''), 'hex');
}

function writeCertificate(parts: {
  subject: Buffer;
  issuer: Buffer;
  publicKey: KeyObject;
  signer: Keys;
  notBefore: Date;
  notAfter: Date;
  extensions: Buffer[];
}): string {
  const algorithm = sequence(oid(OID_ECDSA_SHA256));
  const serial = randomBytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40; // positive, and no superfluous leading zero
  const body = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))), // version 3
    der(0x02, serial),
    algorithm,
    parts.issuer,
    sequence(time(parts.notBefore), time(parts.notAfter)),
    parts.subject,
    parts.publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(...parts.extensions)),
  );
  const signature = sign('sha256', body, parts.signer.privateKey);
  const certificate = sequence(body, algorithm, der(0x03, Buffer.from([0]), signature));
  const lines = certificate.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

function distinguishedName(commonName: string): Buffer {
  return sequence(der(0x31, sequence(oid(OID_COMMON_NAME), der(0x0c, Buffer.from(commonName)))));
}

function extension(type: string, isCritical: boolean, value: Buffer): Buffer {
  return sequence(oid(type), ...(isCritical ? [der(0x01, Buffer.from([0xff]))] : []), der(0x04, value));
}

function keyIdentifier(publicKey: KeyObject): Buffer {
  return createHash('sha1')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest();
}

function subjectKeyIdentifier(publicKey: KeyObject): Buffer {
  return extension('2.5.29.14', false, der(0x04, keyIdentifier(publicKey)));
}

function authorityKeyIdentifier(publicKey: KeyObject): Buffer {
  return extension('2.5.29.35', false, sequence(der(0x80, keyIdentifier(publicKey))));
}

/** RFC 5280 §4.1.2.5: UTCTime until 2049, GeneralizedTime after. */
function time(date: Date): Buffer {
  const digits = date.toISOString().replace(/\.\d+/, '').replace(/[-:T]/g, '');
  return date.getUTCFullYear() < 2050
    ? der(0x17, Buffer.from(digits.slice(2)))
    : der(0x18, Buffer.from(digits));
}

function sequence(...content: Buffer[]): Buffer {
  return der(0x30, ...content);
}

function der(tag: number, ...content: Buffer[]): Buffer {
  const body = Buffer.concat(content);
  if (body.length < 0x80) return Buffer.concat([Buffer.from([tag, body.length]), body]);
  const hex = body.length.toString(16);
  const length = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
  return Buffer.concat([Buffer.from([tag, 0x80 | length.length]), length, body]);
}

function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = [first * 40 + second];
  for (const arc of rest) {
    const base128 = [arc & 0x7f];
    for (let left = arc >>> 7; left > 0; left >>>= 7) base128.unshift((left & 0x7f) | 0x80);
    bytes.push(...base128);
  }
  return der(0x06, Buffer.from(bytes));
}
