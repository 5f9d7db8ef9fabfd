/** Checks signatures over sets of records (RFC 4035 §5.3). */
import { keepLabels, labelsOf, nameToWire, wildcardOf, type DnsName } from '../name.js';
import { describeType } from '../record-types.js';
import type { RecordOf } from '../records.js';
import { describeAlgorithm, isSupportedAlgorithm, verifySignature } from './algorithms.js';
import { computeKeyTag, isZoneKey } from './keys.js';
import type { RrSet } from './rrsets.js';

/** What may be spent on one answer, and when "now" is. */
export interface SignatureChecks {
  nowSeconds: number;
  /** Signatures that may still be checked; what is left is counted down here. */
  left: number;
}

/**
 * Enough for every honest answer. Without a bound, a small answer with many keys of one tag and many signatures keeps a
 * validator busy for hours (CVE-2023-50387, "KeyTrap").
 */
const MAX_CHECKS_PER_ANSWER = 16;

export function allowSignatureChecks(nowMs: number): SignatureChecks {
  return { nowSeconds: Math.floor(nowMs / 1000), left: MAX_CHECKS_PER_ANSWER };
}

export type SignatureVerdict =
  | {
      isValid: true;
      /** How long the records may be kept: no longer than they were signed for. */
      ttlSeconds: number;
      /** How many labels the wildcard the records were made from has without its `*`; undefined if they were not. */
      wildcardLabels?: number;
    }
  | { isValid: false; reason: string };

/** One valid signature by a key of the zone is enough. The reason is that of the first signature that is not valid. */
export function verifyRrSet(
  set: RrSet,
  zone: DnsName,
  keys: readonly RecordOf<'DNSKEY'>[],
  checks: SignatureChecks,
): SignatureVerdict {
  const signatures = set.signatures.filter(({ signer }) => signer === zone);
  let reason: string | undefined;
  for (const signature of signatures) {
    const flaw =
      findFlaw(set, signature, checks.nowSeconds) ?? checkAgainstKeys(set, signature, keys, checks);
    if (flaw === undefined) return describeValid(set, signature);
    reason ??= flaw;
  }
  return { isValid: false, reason: reason ?? `${describeSet(set)} has no signature by the zone ${zone}` };
}

/** `the SRV record of _xmpp-client._tcp.example.org`, for messages. */
export function describeSet({ name, type }: { name: DnsName; type: number }): string {
  return `the ${describeType(type)} record of ${name}`;
}

function describeValid(set: RrSet, signature: RecordOf<'RRSIG'>): SignatureVerdict {
  const ttls = set.records.map(({ ttlSeconds }) => ttlSeconds);
  const isExpanded = signature.labels < countLabels(set.name);
  return {
    isValid: true,
    ttlSeconds: Math.min(...ttls, signature.ttlSeconds, signature.originalTtlSeconds),
    ...(isExpanded && { wildcardLabels: signature.labels }),
  };
}

/** What is wrong with a signature before any key is looked at. */
function findFlaw(set: RrSet, signature: RecordOf<'RRSIG'>, nowSeconds: number): string | undefined {
  const of = `the signature of ${describeSet(set)}`;
  if (signature.labels > countLabels(set.name)) return `${of} is for a longer name`;
  // The times wrap around in 2106 (RFC 4034 §3.1.5).
  if (secondsBetween(signature.expiration, nowSeconds) > 0)
    return `${of} expired on ${formatTime(signature.expiration, nowSeconds)}`;
  if (secondsBetween(nowSeconds, signature.inception) > 0)
    return `${of} is not valid before ${formatTime(signature.inception, nowSeconds)}`;
  if (!isSupportedAlgorithm(signature.algorithm))
    return `${of} is by ${describeAlgorithm(signature.algorithm)}, which is not supported`;
  return undefined;
}

function checkAgainstKeys(
  set: RrSet,
  signature: RecordOf<'RRSIG'>,
  keys: readonly RecordOf<'DNSKEY'>[],
  checks: SignatureChecks,
): string | undefined {
  const of = `the signature of ${describeSet(set)}`;
  const candidates = keys.filter(
    (key) =>
      isZoneKey(key) && key.algorithm === signature.algorithm && computeKeyTag(key) === signature.keyTag,
  );
  if (candidates.length === 0)
    return `${of} is by the key ${signature.keyTag}, which the zone ${signature.signer} does not have`;
  const signed = buildSignedBytes(set, signature);
  for (const { publicKey } of candidates) {
    if (checks.left === 0) return `${of} was not checked: the answer holds too many signatures`;
    checks.left--;
    if (verifySignature(signature.algorithm, publicKey, signed, signature.signature)) return undefined;
  }
  return `${of} does not fit its data`;
}

/** RFC 4034 §3.1.8.1: the signature's own fields, then the records in canonical form and order. */
function buildSignedBytes(set: RrSet, { labels, originalTtlSeconds, signedPart }: RecordOf<'RRSIG'>): Buffer {
  const isExpanded = labels < countLabels(set.name);
  const owner = nameToWire(isExpanded ? wildcardOf(keepLabels(set.name, labels)) : set.name);
  const fields = Buffer.alloc(8);
  fields.writeUInt16BE(set.type, 0);
  fields.writeUInt16BE(1, 2);
  fields.writeUInt32BE(originalTtlSeconds, 4);
  const sorted = set.records.map(({ rdata }) => rdata).sort((a, b) => Buffer.compare(a, b));
  const distinct = sorted.filter((rdata, index) => index === 0 || !rdata.equals(sorted[index - 1] ?? rdata));
  return Buffer.concat([
    signedPart,
    ...distinct.flatMap((rdata) => {
      const length = Buffer.alloc(2);
      length.writeUInt16BE(rdata.length);
      return [owner, fields, length, rdata];
    }),
  ]);
}

/** Without a `*` in front and without the root (RFC 4034 §3.1.3). */
function countLabels(name: DnsName): number {
  const labels = labelsOf(name);
  return labels[0] === '*' ? labels.length - 1 : labels.length;
}

/** In serial number arithmetic (RFC 1982). */
function secondsBetween(from: number, to: number): number {
  return (to - from) | 0;
}

function formatTime(seconds: number, nowSeconds: number): string {
  const date = new Date((nowSeconds + secondsBetween(nowSeconds, seconds)) * 1000);
  return `${date.toISOString().slice(0, 19)}Z`;
}
