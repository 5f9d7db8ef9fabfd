/**
 * Follows the zones from a trust anchor down to a name: DS and DNSKEY, or the proof that a zone is not signed
 * (RFC 4035 §5, RFC 6840 §4).
 */
import { labelsOf, parentOf, ROOT, type DnsName } from '../name.js';
import type { QueryResult } from '../query.js';
import { TYPE_NUMBERS, type RecordType } from '../record-types.js';
import { readRecord, type RecordOf } from '../records.js';
import { describeAlgorithm, isSupportedAlgorithm, WEAK_DIGEST_SHA1 } from './algorithms.js';
import { isSupportedDs, matchesDs } from './keys.js';
import { collectDenial } from './proofs.js';
import { findRrSet, type RrSet } from './rrsets.js';
import { NO_SIGNATURES, type SecurityVerdict } from './security.js';
import { allowSignatureChecks, describeSet, verifyRrSet } from './signatures.js';
import { isAnchoredBy, type TrustAnchor } from './trust-anchors.js';

/** A zone with keys that are to be believed, or why there is none. */
export type ZoneState =
  | { security: 'secure'; zone: DnsName; keys: readonly RecordOf<'DNSKEY'>[] }
  | (SecurityVerdict & { security: 'insecure' | 'bogus' | 'indeterminate'; reason: string });

/** Asks, or says why there is no answer. */
export type Ask = (name: DnsName, type: RecordType) => Promise<QueryResult | { failure: string }>;

/** Every label may cost a question; names as long as DNS allows are only made to cost many. */
const MAX_LABELS = 32;
/** More keys than any zone has while it changes them. */
const MAX_KEYS = 32;

export class ZoneChain {
  readonly #ask: Ask;
  readonly #anchors: readonly TrustAnchor[];
  readonly #nowMs: () => number;
  readonly #states = new Map<DnsName, Promise<ZoneState>>();

  constructor(ask: Ask, anchors: readonly TrustAnchor[], nowMs: () => number) {
    this.#ask = ask;
    this.#anchors = anchors;
    this.#nowMs = nowMs;
  }

  /** The signed zone that the name is in, as its parents say. Found out once for each name. */
  findZone(name: DnsName): Promise<ZoneState> {
    const known = this.#states.get(name);
    if (known) return known;
    const state = this.#follow(name);
    this.#states.set(name, state);
    return state;
  }

  async #follow(name: DnsName): Promise<ZoneState> {
    const anchors = this.#anchors.filter(({ zone }) => zone === name);
    if (anchors.length > 0) return this.#startAt(name, anchors);
    if (name === ROOT) return indeterminate('no trust anchor is above the name');
    if (labelsOf(name).length > MAX_LABELS)
      return indeterminate(`the name has more than ${MAX_LABELS} labels, which is not followed`);
    const above = await this.findZone(parentOf(name));
    return above.security === 'secure' ? this.#descend(name, above) : above;
  }

  async #startAt(zone: DnsName, anchors: readonly TrustAnchor[]): Promise<ZoneState> {
    return this.#readKeys(
      zone,
      (key) => anchors.some((anchor) => isAnchoredBy(key, anchor)),
      `no key of the zone ${zone} is one of its trust anchors`,
    );
  }

  async #descend(name: DnsName, above: ZoneState & { security: 'secure' }): Promise<ZoneState> {
    const reply = await this.#ask(name, 'DS');
    if ('failure' in reply)
      return indeterminate(`whether ${name} is a signed zone could not be found out: ${reply.failure}`);
    const checks = allowSignatureChecks(this.#nowMs());
    const set = findRrSet(reply.answers, name, TYPE_NUMBERS.DS);
    if (set) {
      const flaw = this.#judge(set, above, reply.hasEdns);
      return flaw ?? this.#readIntroduced(name, set);
    }
    // An alias is not the beginning of a zone.
    const alias = findRrSet(reply.answers, name, TYPE_NUMBERS.CNAME);
    if (alias) return this.#judge(alias, above, reply.hasEdns) ?? above;
    const denial = collectDenial(reply.authorities, above, checks);
    const proof =
      reply.rcode === 'NXDOMAIN' ? denial.proveNoDomain(name) : denial.proveNoData(name, TYPE_NUMBERS.DS);
    if (proof.result === 'unsigned') return { security: 'insecure', reason: proof.reason };
    if (proof.result === 'none')
      return reply.hasEdns
        ? bogus(denial.flaw ?? `the zone ${above.zone} does not prove whether ${name} is a signed zone`)
        : indeterminate(NO_SIGNATURES);
    return proof.isDelegation
      ? {
          security: 'insecure',
          reason: `the zone ${name} is not signed: ${above.zone} has no DS record for it`,
        }
      : above;
  }

  /** Why a set is not to be believed, if so. */
  #judge(
    set: RrSet,
    { zone, keys }: ZoneState & { security: 'secure' },
    hasEdns: boolean,
  ): ZoneState | undefined {
    if (set.signatures.length === 0 && !hasEdns) return indeterminate(NO_SIGNATURES);
    const verdict = verifyRrSet(set, zone, keys, allowSignatureChecks(this.#nowMs()));
    if (!verdict.isValid) return bogus(verdict.reason);
    // A wildcard can begin no zone, and must not seem to begin one anywhere.
    return verdict.wildcardLabels !== undefined && set.type === TYPE_NUMBERS.DS
      ? bogus(`${describeSet(set)} comes from a wildcard`)
      : undefined;
  }

  async #readIntroduced(zone: DnsName, set: RrSet): Promise<ZoneState> {
    const all = set.records.map((record) => readRecord(record, 'DS'));
    const supported = all.filter(isSupportedDs);
    if (supported.length === 0)
      return {
        security: 'insecure',
        reason: `the zone ${zone} counts as unsigned: ${explainUnsupported(all)}`,
      };
    return this.#readKeys(
      zone,
      (key) => supported.some((ds) => matchesDs(key, ds)),
      `no key of the zone ${zone} is the one that its DS record names`,
    );
  }

  /** The keys of the zone, if one that is known to be good signs them all. */
  async #readKeys(
    zone: DnsName,
    isKnownGood: (key: RecordOf<'DNSKEY'>) => boolean,
    otherwise: string,
  ): Promise<ZoneState> {
    const reply = await this.#ask(zone, 'DNSKEY');
    if ('failure' in reply)
      return indeterminate(`the keys of the zone ${zone} could not be got: ${reply.failure}`);
    const set = findRrSet(reply.answers, zone, TYPE_NUMBERS.DNSKEY);
    // That the zone at an anchor is signed is certain, so it is the resolver that leaves out its keys or signatures.
    const isAnchor = this.#anchors.some((anchor) => anchor.zone === zone);
    if (!set) {
      return reply.hasEdns && !isAnchor
        ? bogus(`the zone ${zone} has no keys`)
        : indeterminate(NO_SIGNATURES);
    }
    if (set.signatures.length === 0 && (isAnchor || !reply.hasEdns)) return indeterminate(NO_SIGNATURES);
    if (set.records.length > MAX_KEYS) return bogus(`the zone ${zone} has more than ${MAX_KEYS} keys`);
    const keys = set.records.map((record) => readRecord(record, 'DNSKEY'));
    const good = keys.filter(isKnownGood);
    if (good.length === 0) return bogus(otherwise);
    const verdict = verifyRrSet(set, zone, good, allowSignatureChecks(this.#nowMs()));
    return verdict.isValid ? { security: 'secure', zone, keys } : bogus(verdict.reason);
  }
}

function explainUnsupported(all: readonly RecordOf<'DS'>[]): string {
  const byAlgorithm = all.filter(({ algorithm }) => isSupportedAlgorithm(algorithm));
  if (byAlgorithm.length === 0) {
    const names = [...new Set(all.map(({ algorithm }) => describeAlgorithm(algorithm)))];
    return `it is signed only by ${names.join(' and ')}, which is not supported`;
  }
  return byAlgorithm.every(({ digestType }) => digestType === WEAK_DIGEST_SHA1)
    ? 'its DS records are digests by SHA-1, which is too weak'
    : 'its DS records are digests of a kind that is not supported';
}

function bogus(reason: string): ZoneState {
  return { security: 'bogus', reason };
}

function indeterminate(reason: string): ZoneState {
  return { security: 'indeterminate', reason };
}
