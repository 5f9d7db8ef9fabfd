/**
 * Compares TLSA records with the certificates a server sends (RFC 6698 §2, RFC 7671).
 *
 * Only records from a secure lookup may be given to this, and for a service found by SRV only if the SRV record was
 * secure too (RFC 7673 §4). With usages 0 to 2 the caller still compares names; usage 3 replaces names and dates.
 */
import { createHash, X509Certificate } from 'node:crypto';
import type { RecordOf } from './records.js';
import { extractPublicKeyInfo } from './spki.js';

type Tlsa = RecordOf<'TLSA'>;

export interface TlsaVerdict {
  record: Tlsa;
  /** Records with unknown numbers, or data that cannot be right, are passed over (RFC 6698 §4.1). */
  usable: boolean;
  matches: boolean;
  /** Which certificate, as an index into the chain, has what the record says; also when it does not count. */
  certificateIndex?: number;
  /** Why it is not usable or does not match, or what it matches; one sentence without a full stop. */
  reason: string;
}

export interface TlsaMatch {
  records: TlsaVerdict[];
  /** Is there a record at all that asks for something? If not, the server is as if it had no TLSA records. */
  usable: boolean;
  matched: boolean;
  /** The first record that matches. */
  by?: Tlsa;
}

export interface TlsaCheck {
  /** Is the chain good by the ordinary rules, up to a trusted root? Usages 0 and 1 need that. */
  pkixTrusted: boolean;
  /** For the dates of a chain of usage 2. */
  now: Date;
}

const Usage = { caConstraint: 0, serviceConstraint: 1, trustAnchor: 2, domainIssued: 3 } as const;

/** For selector and matching type of a record, what the certificate has there. */
const MATCHING_DIGESTS: Readonly<Record<number, string>> = { 1: 'sha256', 2: 'sha512' };
const DIGEST_BYTES: Readonly<Record<number, number>> = { 1: 32, 2: 64 };

/** More than any honest server sends. */
const MAX_CERTIFICATES = 16;
const MAX_RECORDS = 64;

/** @param chainDer what the server sent, its own certificate first; what follows the first 16 is not looked at */
export function matchTlsa(
  records: readonly Tlsa[],
  chainDer: readonly Buffer[],
  check: TlsaCheck,
): TlsaMatch {
  const chain = chainDer.slice(0, MAX_CERTIFICATES).map(readCertificate);
  const issuers = findIssuers(chain);
  const verdicts = records.slice(0, MAX_RECORDS).map((record): TlsaVerdict => {
    const flaw = findFlaw(record);
    return flaw === undefined
      ? { record, usable: true, ...judge(record, chain, issuers, check) }
      : { record, usable: false, matches: false, reason: flaw };
  });
  const by = verdicts.find(({ matches }) => matches)?.record;
  return {
    records: verdicts,
    usable: verdicts.some(({ usable }) => usable),
    matched: by !== undefined,
    ...(by && { by }),
  };
}

interface Certificate {
  der: Buffer;
  /** Undefined for what is not well-formed. */
  parsed: X509Certificate | undefined;
  publicKeyInfo: Buffer | undefined;
}

function readCertificate(der: Buffer): Certificate {
  return { der, parsed: parseX509(der), publicKeyInfo: extractPublicKeyInfo(der) };
}

function parseX509(der: Buffer): X509Certificate | undefined {
  try {
    return new X509Certificate(der);
  } catch {
    return undefined;
  }
}

function findFlaw({ usage, selector, matchingType, data }: Tlsa): string | undefined {
  if (usage > 3) return `the usage ${usage} is not known`;
  if (selector > 1) return `the selector ${selector} is not known`;
  if (matchingType > 2) return `the matching type ${matchingType} is not known`;
  const expected = DIGEST_BYTES[matchingType];
  if (expected !== undefined && data.length !== expected)
    return `the digest has ${data.length} bytes instead of ${expected}`;
  return data.length === 0 ? 'the record is empty' : undefined;
}

function judge(
  record: Tlsa,
  chain: readonly Certificate[],
  issuers: ReadonlyMap<number, number>,
  { pkixTrusted, now }: TlsaCheck,
): Pick<TlsaVerdict, 'matches' | 'certificateIndex' | 'reason'> {
  const isForIssuer = record.usage === Usage.caConstraint || record.usage === Usage.trustAnchor;
  const candidates = chain.flatMap((certificate, index) =>
    (index === 0) !== isForIssuer && hasContent(certificate, record) ? [index] : [],
  );
  const [first] = candidates;
  if (first === undefined)
    return {
      matches: false,
      reason: isForIssuer
        ? 'it names none of the issuers that the server sent'
        : "it names another certificate than the server's",
    };
  const found = { certificateIndex: first };
  if (isForIssuer) {
    const above = candidates.find((index) => issuers.has(index));
    if (above === undefined)
      return {
        ...found,
        matches: false,
        reason: "the issuer it names did not sign the server's certificate",
      };
    found.certificateIndex = above;
    const expired = record.usage === Usage.trustAnchor && findOutOfDate(chain, issuers, above, now);
    if (expired) return { ...found, matches: false, reason: expired };
  }
  const needsPkix = record.usage === Usage.caConstraint || record.usage === Usage.serviceConstraint;
  if (needsPkix && !pkixTrusted)
    return {
      ...found,
      matches: false,
      reason: 'it fits, but the certificate must also be trusted without it',
    };
  return { ...found, matches: true, reason: isForIssuer ? 'the issuer is the one it names' : 'it fits' };
}

/** RFC 6698 §2.1.2 and §2.1.3. */
function hasContent({ der, publicKeyInfo }: Certificate, { selector, matchingType, data }: Tlsa): boolean {
  const selected = selector === 0 ? der : publicKeyInfo;
  if (!selected) return false;
  const digest = MATCHING_DIGESTS[matchingType];
  return (digest === undefined ? selected : createHash(digest).update(selected).digest()).equals(data);
}

/**
 * The certificates that are really above the server's: each one signed one that is already known to be below it. The
 * values say which one they signed, so that following them leads down to the server's, at 0.
 */
function findIssuers(chain: readonly Certificate[]): ReadonlyMap<number, number> {
  const issuers = new Map<number, number>();
  const below = [0];
  for (const subject of below)
    for (const [index, certificate] of chain.entries()) {
      if (below.includes(index) || !hasSigned(certificate, chain[subject])) continue;
      issuers.set(index, subject);
      below.push(index);
    }
  return issuers;
}

function hasSigned(issuer: Certificate, subject: Certificate | undefined): boolean {
  if (!issuer.parsed?.ca || !subject?.parsed) return false;
  try {
    return subject.parsed.checkIssued(issuer.parsed) && subject.parsed.verify(issuer.parsed.publicKey);
  } catch {
    // A key that OpenSSL does not know, or that is not well-formed.
    return false;
  }
}

function findOutOfDate(
  chain: readonly Certificate[],
  issuers: ReadonlyMap<number, number>,
  top: number,
  now: Date,
): string | undefined {
  for (let index: number | undefined = top; index !== undefined; index = issuers.get(index)) {
    const certificate = chain[index]?.parsed;
    if (certificate && !(Date.parse(certificate.validFrom) <= now.getTime()))
      return 'a certificate on the way to the issuer is not valid yet';
    if (certificate && !(now.getTime() <= Date.parse(certificate.validTo)))
      return 'a certificate on the way to the issuer has expired';
  }
  return undefined;
}
