/** Whether a path can be secured as the other side describes it (XEP-0320, RFC 5763 §5). Pure. */
import type { Reason } from '../jingle/stanzas.js';
import type { DtlsFingerprint, DtlsSetup } from '../media/media-link.js';
import type { IceTransport } from './stanzas/ice.js';
import { cryptoRequired, offersSdes, type Description } from './stanzas/rtp.js';

/** Those that are broken are no fingerprints: a certificate with the same one can be made. */
const hashes: ReadonlySet<string> = new Set(['sha-224', 'sha-256', 'sha-384', 'sha-512']);

export function usableFingerprints({ fingerprints }: IceTransport): DtlsFingerprint[] {
  return fingerprints
    .filter(({ hash }) => hashes.has(hash.toLowerCase()))
    .map(({ hash, value }) => ({ hash: hash.toLowerCase(), value }));
}

/** Why a path cannot be secured, as a reason of session-terminate; undefined when it can. */
export function securityProblem(transport: IceTransport, description: Description): Reason | undefined {
  if (transport.ufrag === undefined || transport.pwd === undefined)
    return { condition: 'failed-transport', text: 'ICE credentials are missing', details: [] };
  if (usableFingerprints(transport).length > 0) return undefined;
  const text = offersSdes(description)
    ? 'only SDES is on offer, and DTLS-SRTP is needed'
    : 'no fingerprint for DTLS-SRTP is on offer';
  return { condition: 'security-error', text, details: [cryptoRequired()] };
}

/** Who begins DTLS, as an offer says it; whoever does not say leaves it to us. */
export function offeredSetup({ fingerprints }: IceTransport): DtlsSetup {
  const setup = fingerprints[0]?.setup;
  return setup === undefined || setup === 'holdconn' ? 'actpass' : setup;
}

/** Ours in an answer: who may choose begins, which spares a round trip. */
export function answeredSetup(theirs: DtlsSetup): DtlsSetup {
  return theirs === 'active' ? 'passive' : 'active';
}

/** Of an answer to our `actpass`; undefined when it has not decided. */
export function decidedSetup(transport: IceTransport): DtlsSetup | undefined {
  const setup = transport.fingerprints[0]?.setup;
  // COMPAT(clients of before XEP-0320 0.3): who answers without a role is the client.
  if (setup === undefined) return 'active';
  return setup === 'active' || setup === 'passive' ? setup : undefined;
}
