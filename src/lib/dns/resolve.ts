/**
 * Looks names up and says how far the answers can be believed. Signatures are checked here, from a trust anchor down:
 * what a resolver says of itself (the AD bit) can be forged by whoever is between us and it.
 */
import { DnsError } from '../errors.js';
import { judgeAbsence, judgeRrSet } from './dnssec/judge.js';
import { findRrSet, groupRrSets, type RrSet } from './dnssec/rrsets.js';
import { findWeakest, type Security, type SecurityVerdict } from './dnssec/security.js';
import { ROOT_TRUST_ANCHORS, type TrustAnchor } from './dnssec/trust-anchors.js';
import { ZoneChain } from './dnssec/zone-chain.js';
import { isWithin, replaceEnd, parseName, type DnsName } from './name.js';
import type { DnsClient, QueryResult } from './query.js';
import { TYPE_NUMBERS, type RecordType } from './record-types.js';
import { readRecord, type RecordOf } from './records.js';

export type LookupType = Exclude<RecordType, 'RRSIG' | 'NSEC' | 'NSEC3'>;

export interface Lookup<T extends LookupType = LookupType> {
  /** As asked. */
  name: DnsName;
  type: T;
  /** Empty unless the status is `found`. Also those of a bogus answer are here, to be looked at. */
  records: RecordOf<T>[];
  status: 'found' | 'no-data' | 'no-domain' | 'failed';
  security: Security;
  /** Why it failed or is not secure, or why a secure answer is in doubt; one sentence without a full stop. */
  reason?: string;
  /** Where the aliases (CNAME, DNAME) lead; the name itself without any. */
  canonicalName: DnsName;
  /** The name of every step to there. */
  cnames: DnsName[];
  /** How long the answer may be kept; 0 for a failure. */
  ttlSeconds: number;
  /** Of the last answer, if there was one. */
  rcode?: string;
}

export interface ValidatingResolverOptions {
  client: Pick<DnsClient, 'query'>;
  /** The keys of the root unless told. */
  trustAnchors?: readonly TrustAnchor[];
  /** Milliseconds since 1970, for the times of signatures; the system's clock unless told. */
  now?: () => number;
}

const MAX_ALIASES = 8;

type Reply = (QueryResult & { isDisputed: boolean }) | { failure: string; rcode?: string };

/** Every question is asked once in its life, and so are the keys of each zone. */
export class ValidatingResolver {
  readonly #client: Pick<DnsClient, 'query'>;
  readonly #now: () => number;
  readonly #chain: ZoneChain;
  readonly #replies = new Map<string, Promise<Reply>>();
  readonly #lookups = new Map<string, Promise<Lookup>>();

  constructor({ client, trustAnchors = ROOT_TRUST_ANCHORS, now = Date.now }: ValidatingResolverOptions) {
    this.#client = client;
    this.#now = now;
    this.#chain = new ZoneChain((name, type) => this.#ask(name, type), trustAnchors, now);
  }

  /**
   * Failures of the network and nonsense in answers are results with the status `failed`.
   *
   * @throws {DnsError} for what is not a name
   */
  lookup<T extends LookupType>(name: string, type: T): Promise<Lookup<T>> {
    const asked = parseName(name);
    const key = `${type} ${asked}`;
    const lookup = (this.#lookups.get(key) as Promise<Lookup<T>> | undefined) ?? this.#lookUp(asked, type);
    this.#lookups.set(key, lookup);
    return lookup;
  }

  async #lookUp<T extends LookupType>(name: DnsName, type: T): Promise<Lookup<T>> {
    const walk: Walk = { names: [name], verdicts: [], ttlSeconds: Infinity };
    const describe = (rest: Pick<Lookup<T>, 'status' | 'security'> & Partial<Lookup<T>>): Lookup<T> => ({
      name,
      type,
      records: [],
      canonicalName: walk.names.at(-1) ?? name,
      cnames: walk.names.slice(1),
      ttlSeconds: 0,
      ...rest,
    });
    try {
      return describe(await this.#walk(type, walk));
    } catch (error) {
      if (!(error instanceof DnsError)) throw error;
      return describe({ status: 'failed', security: 'indeterminate', reason: error.message });
    }
  }

  /** Follows aliases to where there is a record, or none. Each step is a question of its own, so each is judged. */
  async #walk<T extends LookupType>(
    type: T,
    walk: Walk,
  ): Promise<Pick<Lookup<T>, 'status' | 'security'> & Partial<Lookup<T>>> {
    for (;;) {
      const name = walk.names.at(-1) ?? '';
      const reply = await this.#ask(name, type);
      if ('failure' in reply) {
        const { failure, rcode } = reply;
        return { status: 'failed', security: 'indeterminate', reason: failure, ...(rcode && { rcode }) };
      }
      const { rcode } = reply;
      const set = findRrSet(reply.answers, name, TYPE_NUMBERS[type]);
      if (set) {
        const records = set.records.map((record) => readRecord(record, type));
        await this.#judgeStep(set, reply, walk);
        return { status: 'found', records, ...summarize(walk, reply), rcode };
      }
      const alias = type === 'CNAME' ? undefined : findAlias(reply, name);
      if (!alias) {
        const status = rcode === 'NXDOMAIN' ? 'no-domain' : 'no-data';
        const question = { name, type: TYPE_NUMBERS[type] };
        walk.verdicts.push(await judgeAbsence(question, reply, this.#chain, this.#now()));
        walk.ttlSeconds = Math.min(walk.ttlSeconds, findNegativeTtl(reply));
        return { status, ...summarize(walk, reply), rcode };
      }
      await this.#judgeStep(alias.set, reply, walk);
      const isCircle = walk.names.includes(alias.target);
      if (isCircle || walk.names.length > MAX_ALIASES) {
        const reason = isCircle
          ? `the aliases of ${walk.names[0] ?? name} lead in a circle`
          : `${walk.names[0] ?? name} has more than ${MAX_ALIASES} aliases in a row`;
        return { status: 'failed', security: findWeakest(walk.verdicts).security, reason, rcode };
      }
      walk.names.push(alias.target);
    }
  }

  async #judgeStep(set: RrSet, reply: QueryResult, walk: Walk): Promise<void> {
    const { ttlSeconds, ...verdict } = await judgeRrSet(set, reply, this.#chain, this.#now());
    walk.verdicts.push(verdict);
    walk.ttlSeconds = Math.min(walk.ttlSeconds, ttlSeconds);
  }

  #ask(name: DnsName, type: RecordType): Promise<Reply> {
    const key = `${type} ${name}`;
    const reply = this.#replies.get(key) ?? this.#fetch(name, type);
    this.#replies.set(key, reply);
    return reply;
  }

  /** A validating resolver answers SERVFAIL for what it finds bogus; we want to see it, and why. */
  async #fetch(name: DnsName, type: RecordType): Promise<Reply> {
    try {
      const first = await this.#client.query(name, type);
      if (first.rcode !== 'SERVFAIL') return checkReply(first, name, false);
      return checkReply(await this.#client.query(name, type, { checkingDisabled: true }), name, true);
    } catch (error) {
      if (!(error instanceof DnsError)) throw error;
      return { failure: error.message };
    }
  }
}

/** What has been found on the way so far. */
interface Walk {
  /** The name asked for, and the aliases it led to. */
  names: DnsName[];
  verdicts: SecurityVerdict[];
  ttlSeconds: number;
}

function checkReply(result: QueryResult, name: DnsName, isDisputed: boolean): Reply {
  const { rcode, flags, answers, authorities } = result;
  if (rcode !== 'NOERROR' && rcode !== 'NXDOMAIN')
    return { failure: `the resolver answers ${rcode} for ${name}`, rcode };
  const isReferral =
    answers.length === 0 &&
    !flags.aa &&
    !flags.ra &&
    authorities.some(({ type }) => type === TYPE_NUMBERS.NS) &&
    !authorities.some(({ type }) => type === TYPE_NUMBERS.SOA);
  if (isReferral)
    return { failure: `the server asked for ${name} only refers to others: it is not a resolver`, rcode };
  return { ...result, isDisputed };
}

function summarize(
  { verdicts, ttlSeconds }: Walk,
  { isDisputed }: { isDisputed: boolean },
): SecurityVerdict & { ttlSeconds: number } {
  const verdict = findWeakest(verdicts);
  return {
    ...verdict,
    ...(isDisputed &&
      verdict.security === 'secure' && {
        reason: 'the resolver refuses this answer, though nothing is wrong with it here',
      }),
    ttlSeconds,
  };
}

/** The alias at the name itself, or that of a whole subtree it is in (RFC 6672 §2.2). */
function findAlias({ answers }: QueryResult, name: DnsName): { set: RrSet; target: DnsName } | undefined {
  const sets = groupRrSets(answers);
  const dname = sets.find(
    (set) => set.type === TYPE_NUMBERS.DNAME && set.name !== name && isWithin(name, set.name),
  );
  const set = dname ?? sets.find((one) => one.type === TYPE_NUMBERS.CNAME && one.name === name);
  const [record] = set?.records ?? [];
  if (!set || !record) return undefined;
  if (!dname) return { set, target: readRecord(record, 'CNAME').target };
  return { set, target: replaceEnd(name, set.name, readRecord(record, 'DNAME').target) };
}

/** RFC 2308 §5. */
function findNegativeTtl({ authorities }: QueryResult): number {
  const soa = authorities.find(({ type }) => type === TYPE_NUMBERS.SOA);
  return soa ? Math.min(soa.ttlSeconds, readRecord(soa, 'SOA').minimumSeconds) : 0;
}
