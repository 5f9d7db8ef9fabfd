/** How far an answer can be believed (RFC 4035 §4.3). */

export type Security =
  /** Signed all the way from a trust anchor. */
  | 'secure'
  /** Proven to be in a zone that is not signed, or not in a way that counts. */
  | 'insecure'
  /** It should be signed and is not, or wrongly: somebody made a mistake, or it is forged. */
  | 'bogus'
  /** It cannot be told: the resolver gives too little. */
  | 'indeterminate';

export interface SecurityVerdict {
  security: Security;
  /** Why it is not secure; one sentence without a full stop. */
  reason?: string;
}

/** The reason when signatures are missing everywhere, or the resolver knows no EDNS: the zones are not to blame. */
export const NO_SIGNATURES = 'the resolver does not pass on signatures';

const ORDER: readonly Security[] = ['bogus', 'indeterminate', 'insecure', 'secure'];

/** A chain is as good as its weakest link; of equals, the first gives the reason. */
export function findWeakest(verdicts: readonly SecurityVerdict[]): SecurityVerdict {
  return verdicts.reduce((weakest, verdict) =>
    ORDER.indexOf(verdict.security) < ORDER.indexOf(weakest.security) ? verdict : weakest,
  );
}
