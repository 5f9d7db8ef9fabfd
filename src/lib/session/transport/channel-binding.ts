/**
 * Channel binding data: what ties an authentication to the TLS connection it runs in (RFC 5056, RFC 5929, RFC 9266).
 */
import { createHash } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { peerCertificate } from './certificate.js';

/** `tls-finished` is no registered type: the client's first Finished message, whatever the version (see lib/session/sasl). */
export type ChannelBindingType = 'tls-exporter' | 'tls-server-end-point' | 'tls-unique' | 'tls-finished';

/** Undefined where the connection has none of that type. */
export function channelBindingData(socket: TLSSocket, type: ChannelBindingType): Buffer | undefined {
  const version = socket.getProtocol();
  switch (type) {
    case 'tls-exporter':
      // RFC 9266 §4.2: below 1.3 only with extended master secrets, about which node:tls says nothing.
      if (version !== 'TLSv1.3') return undefined;
      return socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0));
    case 'tls-unique':
      // RFC 5929 §3: the first Finished message, the client's in a full handshake; undefined for TLS 1.3.
      return version === 'TLSv1.2' ? socket.getFinished() : undefined;
    case 'tls-finished':
      return socket.getFinished();
    case 'tls-server-end-point': {
      const certificate = peerCertificate(socket);
      const hash = certificate && endPointHash(certificate.raw);
      return certificate && hash !== undefined
        ? createHash(hash).update(certificate.raw).digest()
        : undefined;
    }
  }
}

/** Signature algorithms by the DER of their object identifiers, in hex. MD5 and SHA-1 become SHA-256 (RFC 5929 §4.1). */
const hashBySignature: Readonly<Record<string, string>> = {
  '2a864886f70d010104': 'sha256', // md5WithRSAEncryption
  '2a864886f70d010105': 'sha256', // sha1WithRSAEncryption
  '2a864886f70d01010b': 'sha256',
  '2a864886f70d01010c': 'sha384',
  '2a864886f70d01010d': 'sha512',
  '2a864886f70d01010e': 'sha224',
  '2a8648ce3d0401': 'sha256', // ecdsa-with-SHA1
  '2a8648ce3d040301': 'sha224',
  '2a8648ce3d040302': 'sha256',
  '2a8648ce3d040303': 'sha384',
  '2a8648ce3d040304': 'sha512',
};
const RSASSA_PSS = '2a864886f70d01010a';
const hashByName: Readonly<Record<string, string>> = {
  '2b0e03021a': 'sha256', // SHA-1
  '608648016503040201': 'sha256',
  '608648016503040202': 'sha384',
  '608648016503040203': 'sha512',
  '608648016503040204': 'sha224',
};

/**
 * The hash that RFC 5929 §4.1 wants for this certificate (DER). It names none for signatures that have no single hash
 * function, among them Ed25519 and Ed448: this type cannot be used with them.
 */
export function endPointHash(certificate: Buffer): string | undefined {
  const [, algorithm] = readChildren(readElement(certificate, 0).content);
  const [oid, parameters] = algorithm ? readChildren(algorithm.content) : [];
  if (!oid) return undefined;
  const signature = oid.content.toString('hex');
  if (signature !== RSASSA_PSS) return hashBySignature[signature];
  // RFC 4055 §3.1: [0] holds the hash algorithm, SHA-1 when it is left out.
  const explicit = parameters && readChildren(parameters.content).find(({ tag }) => tag === 0xa0);
  if (!explicit) return 'sha256';
  const [hash] = readChildren(readElement(explicit.content, 0).content);
  return hash && hashByName[hash.content.toString('hex')];
}

interface DerElement {
  tag: number;
  content: Buffer;
  end: number;
}

/** One element of definite length, which is all that DER has. */
function readElement(der: Buffer, start: number): DerElement {
  const tag = der.readUInt8(start);
  const first = der.readUInt8(start + 1);
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  const length = lengthBytes === 0 ? first : der.readUIntBE(start + 2, lengthBytes);
  const from = start + 2 + lengthBytes;
  return { tag, content: der.subarray(from, from + length), end: from + length };
}

function readChildren(content: Buffer): DerElement[] {
  const children: DerElement[] = [];
  for (let at = 0; at < content.length;) {
    const child = readElement(content, at);
    children.push(child);
    at = child.end;
  }
  return children;
}
