/**
 * That the peer of a DTLS 1.2 handshake holds the key of its certificate, and saw the same handshake as we did
 * (RFC 5246 §7.4.3, §7.4.8, §7.4.9). A fingerprint alone proves nothing: certificates are public.
 */
import { createHash, createHmac, verify, X509Certificate } from 'node:crypto';
import type { DtlsFingerprint } from '../media-link.js';

/** The peer is not who it was said to be. */
export class HandshakeProofError extends Error {
  override readonly name = 'HandshakeProofError';
}

const HandshakeType = { serverKeyExchange: 12, certificateVerify: 15, finished: 20 } as const;

export interface HandshakeMessage {
  type: number;
  /** Without its header. */
  body: Buffer;
  /** With a header as if it had come in one piece (RFC 6347 §4.2.6). */
  whole: Buffer;
}

export interface HandshakeFacts {
  /** Ours. */
  role: 'client' | 'server';
  /** DER. */
  peerCertificate: Buffer;
  clientRandom: Buffer;
  serverRandom: Buffer;
  masterSecret: Buffer;
  /** The peer's ephemeral key, as it was used. */
  peerKey: Buffer;
  /** In the order of the handshake, from the hello with a cookie on. */
  messages: readonly HandshakeMessage[];
  /** What the peer sent last (body). */
  peerFinished: Buffer | undefined;
  /** What the server signed (body), where we are the client. */
  serverKeyExchange: Buffer | undefined;
}

const fingerprintHashes = ['sha-512', 'sha-384', 'sha-256'];
/** RFC 5246 §7.4.1.4.1. */
const signatureHashes = new Map([
  [4, 'sha256'],
  [5, 'sha384'],
  [6, 'sha512'],
]);

/** @throws HandshakeProofError */
export function proveHandshake(facts: HandshakeFacts, fingerprints: readonly DtlsFingerprint[]): void {
  proveCertificate(facts.peerCertificate, fingerprints);
  const { publicKey } = certificateOf(facts.peerCertificate);
  const { signed, signature, hash } = facts.role === 'client' ? signedByServer(facts) : signedByClient(facts);
  const isGenuine = hash !== undefined && verify(hash, signed, publicKey, signature);
  if (!isGenuine) throw new HandshakeProofError('the other side does not hold the key of its certificate');
  proveFinished(facts);
}

/** RFC 8122 §5: one of the strongest hash that was told must match. */
export function proveCertificate(certificate: Buffer, fingerprints: readonly DtlsFingerprint[]): void {
  const hash = fingerprintHashes.find((each) =>
    fingerprints.some((told) => told.hash.toLowerCase() === each),
  );
  if (hash === undefined) {
    throw new HandshakeProofError('no fingerprint with SHA-256 or better was told');
  }
  const digest = createHash(hash.replace('-', '')).update(certificate).digest('hex').toUpperCase();
  const isTold = fingerprints.some(
    (told) => told.hash.toLowerCase() === hash && told.value.replaceAll(':', '').toUpperCase() === digest,
  );
  if (!isTold) throw new HandshakeProofError('the certificate is not the one whose fingerprint was told');
}

export function fingerprintOf(certificate: Buffer): DtlsFingerprint {
  const digest = createHash('sha256').update(certificate).digest('hex').toUpperCase();
  return { hash: 'sha-256', value: digest.match(/../g)?.join(':') ?? '' };
}

interface Signed {
  signed: Buffer;
  signature: Buffer;
  hash: string | undefined;
}

/** ServerKeyExchange signs both randoms and the parameters (RFC 8422 §5.4). */
function signedByServer({ serverKeyExchange, clientRandom, serverRandom, peerKey }: HandshakeFacts): Signed {
  const body = serverKeyExchange;
  if (body === undefined || body.length < 4) throw new HandshakeProofError('the server signed nothing');
  const keyEnd = 4 + body.readUInt8(3);
  if (!body.subarray(4, keyEnd).equals(peerKey))
    throw new HandshakeProofError('the key is not the signed one');
  return {
    signed: Buffer.concat([clientRandom, serverRandom, body.subarray(0, keyEnd)]),
    ...readSignature(body.subarray(keyEnd)),
  };
}

/** CertificateVerify signs everything before it (RFC 5246 §7.4.8). */
function signedByClient({ messages }: HandshakeFacts): Signed {
  const index = messages.findIndex(({ type }) => type === HandshakeType.certificateVerify);
  const message = messages[index];
  if (message === undefined) throw new HandshakeProofError('the client signed nothing');
  return {
    signed: Buffer.concat(messages.slice(0, index).map(({ whole }) => whole)),
    ...readSignature(message.body),
  };
}

/** Hash, signature algorithm (which the key says, too), length, signature. */
function readSignature(bytes: Buffer): { signature: Buffer; hash: string | undefined } {
  if (bytes.length < 4 || bytes.length < 4 + bytes.readUInt16BE(2)) {
    throw new HandshakeProofError('the signature is cut short');
  }
  return {
    hash: signatureHashes.get(bytes.readUInt8(0)),
    signature: bytes.subarray(4, 4 + bytes.readUInt16BE(2)),
  };
}

/** Finished covers the hash of all before it: nobody changed what both said (RFC 5246 §7.4.9). */
function proveFinished({ role, messages, masterSecret, peerFinished }: HandshakeFacts): void {
  const finished = messages.map(({ type }, index) => (type === HandshakeType.finished ? index : -1));
  const [first = messages.length, second = messages.length] = finished.filter((index) => index >= 0);
  // The client finishes first; the server covers the client's message, too.
  const covered = messages.slice(0, role === 'server' ? first : second);
  const hash = createHash('sha256');
  for (const { whole } of covered) hash.update(whole);
  const label = role === 'server' ? 'client finished' : 'server finished';
  const expected = expandSecret(masterSecret, label, hash.digest(), 12);
  if (!peerFinished?.equals(expected)) {
    throw new HandshakeProofError('the two sides did not see the same handshake');
  }
}

/** The PRF of TLS 1.2 (RFC 5246 §5). */
export function expandSecret(secret: Buffer, label: string, seed: Buffer, sizeBytes: number): Buffer {
  const full = Buffer.concat([Buffer.from(label), seed]);
  const parts: Buffer[] = [];
  let round = full;
  for (let size = 0; size < sizeBytes; size += 32) {
    round = createHmac('sha256', secret).update(round).digest();
    parts.push(createHmac('sha256', secret).update(round).update(full).digest());
  }
  return Buffer.concat(parts).subarray(0, sizeBytes);
}

function certificateOf(der: Buffer): X509Certificate {
  try {
    return new X509Certificate(der);
  } catch {
    throw new HandshakeProofError('the certificate cannot be read');
  }
}
