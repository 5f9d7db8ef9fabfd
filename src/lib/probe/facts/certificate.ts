/** The certificate of an endpoint: as it was sent, and what becomes of it. */
import { createHash } from 'node:crypto';
import { rootCertificates } from 'node:tls';
import type { TlsScan } from '../../tls-scan/scan.js';
import { readCertificate } from '../../x509/certificate.js';
import { judgeChain, TrustStore } from '../../x509/chain.js';
import { DerError } from '../../x509/der.js';
import type { CertificateFacts, EndpointFacts, Measured } from './facts.js';

export interface CertificateMeans {
  extraRoots: readonly string[];
  now: Date;
}

/** Reading the roots costs some 20 ms, once for all endpoints with the same authorities. */
let store: { key: string; roots: TrustStore } | undefined;

function rootsWith(extraRoots: readonly string[]): TrustStore {
  const key = extraRoots.join('\n');
  if (store?.key !== key) store = { key, roots: new TrustStore([...rootCertificates, ...extraRoots]) };
  return store.roots;
}

/** @param scan what older versions of TLS showed in clear: exactly what was sent */
export function describeCertificate(
  handshakes: NonNullable<EndpointFacts['handshakes']>,
  scan: TlsScan | undefined,
  { extraRoots, now }: CertificateMeans,
): Measured<CertificateFacts> {
  const handshake = handshakes['1.3']?.value ?? handshakes['1.2']?.value;
  const isExact = scan !== undefined && scan.certificates.length > 0;
  const sent = isExact ? scan.certificates : (handshake?.chain ?? []);
  const [first] = sent;
  if (!first) return { reason: 'no certificate was seen' };
  try {
    const leaf = readCertificate(first);
    return {
      value: {
        sent,
        isExact,
        fingerprints: sent.map(fingerprintOf),
        leaf,
        chain: judgeChain(sent, rootsWith(extraRoots), now),
        ocspStapled: handshake?.ocspStapled === true,
      },
    };
  } catch (error) {
    if (error instanceof DerError) return { reason: error.message };
    throw error;
  }
}

const fingerprintOf = (der: Buffer): string => createHash('sha256').update(der).digest('hex');
