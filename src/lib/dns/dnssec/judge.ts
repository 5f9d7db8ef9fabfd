/** Judges one answer: is what it says, or says that there is not, signed by the zone it belongs to? */
import { isWithin, parentOf, type DnsName } from '../name.js';
import type { QueryResult } from '../query.js';
import { describeType, TYPE_NUMBERS } from '../record-types.js';
import { collectDenial, findDenyingSets } from './proofs.js';
import type { RrSet } from './rrsets.js';
import { NO_SIGNATURES, type SecurityVerdict } from './security.js';
import { allowSignatureChecks, describeSet, verifyRrSet } from './signatures.js';
import type { ZoneChain } from './zone-chain.js';

export interface RrSetVerdict extends SecurityVerdict {
  ttlSeconds: number;
}

/**
 * A set of records from the answer section of `reply`.
 *
 * @param nowMs milliseconds since 1970
 */
export async function judgeRrSet(
  set: RrSet,
  reply: QueryResult,
  chain: ZoneChain,
  nowMs: number,
): Promise<RrSetVerdict> {
  const ttlSeconds = Math.min(...set.records.map((record) => record.ttlSeconds));
  const signer = findSigner([set], set);
  const state = await chain.findZone(signer ?? homeOf(set));
  if (state.security !== 'secure') return { ...state, ttlSeconds };
  if (signer === undefined)
    return {
      ...explainMissing(reply, `${describeSet(set)} is not signed, though the zone ${state.zone} is`),
      ttlSeconds,
    };
  if (state.zone !== signer) return { ...notAZone(signer, set), ttlSeconds };
  const checks = allowSignatureChecks(nowMs);
  const verdict = verifyRrSet(set, signer, state.keys, checks);
  if (!verdict.isValid) return { security: 'bogus', reason: verdict.reason, ttlSeconds };
  if (verdict.wildcardLabels === undefined) return { security: 'secure', ttlSeconds: verdict.ttlSeconds };
  const denial = collectDenial(reply.authorities, state, checks);
  const proof = denial.proveWildcardUse(set.name, verdict.wildcardLabels);
  const judged = fromProof(
    proof.result === 'none' ? undefined : proof,
    denial.flaw ?? `nothing proves that ${describeSet(set)} may come from a wildcard`,
  );
  return { ...judged, ttlSeconds: verdict.ttlSeconds };
}

/** That there is no such name (NXDOMAIN), or no record of the type (any other answer without records). */
export async function judgeAbsence(
  question: { name: DnsName; type: number },
  reply: QueryResult,
  chain: ZoneChain,
  nowMs: number,
): Promise<SecurityVerdict> {
  const signer = findSigner(findDenyingSets(reply.authorities), question);
  const state = await chain.findZone(signer ?? homeOf(question));
  if (state.security !== 'secure') return state;
  const claim =
    reply.rcode === 'NXDOMAIN' ? 'does not exist' : `has no ${describeType(question.type)} record`;
  const unproven = `the zone ${state.zone} does not prove that ${question.name} ${claim}`;
  if (signer === undefined) return explainMissing(reply, unproven);
  if (state.zone !== signer) return notAZone(signer, question);
  const denial = collectDenial(reply.authorities, state, allowSignatureChecks(nowMs));
  const proof =
    reply.rcode === 'NXDOMAIN'
      ? denial.proveNoDomain(question.name)
      : denial.proveNoData(question.name, question.type);
  return fromProof(proof.result === 'none' ? undefined : proof, denial.flaw ?? unproven);
}

function fromProof(
  proof: { result: 'proven' } | { result: 'unsigned'; reason: string } | undefined,
  flaw: string,
): SecurityVerdict {
  if (!proof) return { security: 'bogus', reason: flaw };
  return proof.result === 'proven' ? { security: 'secure' } : { security: 'insecure', reason: proof.reason };
}

/** The deepest zone that claims to have signed one of the sets and that the name can be in. */
function findSigner(
  sets: readonly RrSet[],
  { name, type }: { name: DnsName; type: number },
): DnsName | undefined {
  const home = homeOf({ name, type });
  return sets
    .flatMap(({ signatures }) => signatures.map(({ signer }) => signer))
    .filter((signer) => isWithin(home, signer))
    .sort((a, b) => b.length - a.length)[0];
}

/** The zone that has the record is at or above this name; a DS record is in the zone above its own. */
function homeOf({ name, type }: { name: DnsName; type: number }): DnsName {
  return type === TYPE_NUMBERS.DS ? parentOf(name) : name;
}

function explainMissing(reply: QueryResult, reason: string): SecurityVerdict {
  return reply.hasEdns ? { security: 'bogus', reason } : { security: 'indeterminate', reason: NO_SIGNATURES };
}

function notAZone(signer: DnsName, { name }: { name: DnsName }): SecurityVerdict {
  return {
    security: 'bogus',
    reason: `what is said of ${name} is signed by ${signer}, which is no signed zone`,
  };
}
