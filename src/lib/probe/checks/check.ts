/**
 * What a check is: texts, what it reads, and a judgement. A new check is one row in one of the tables of this folder;
 * everything else (selection, reports, grades, `--list-checks`, `explain`) comes from it.
 */
import type { CheckTexts, Verdict } from '../model.js';
import type { EndpointFacts, Measured, ProbeFacts, Service } from '../facts/facts.js';

/** What has to be collected for a check; nothing else is, where only some checks are chosen. */
export const parts = [
  'dns',
  'stream',
  'handshakes',
  'certificate',
  'scan',
  'starttls',
  'sasl',
  'conformance',
  'limits',
  'registration',
  'federation',
  'web',
  'posh',
  'stun',
  'services',
  'account',
] as const;
export type Part = (typeof parts)[number];

export interface Check extends CheckTexts {
  reads: readonly Part[];
  /** Pure: what was collected goes in, what is to be said about it comes out. */
  judge: (facts: ProbeFacts) => readonly Verdict[];
}

/** A verdict about an endpoint that is at hand. */
export type LocalVerdict = Omit<Verdict, 'endpoint'>;

interface EndpointRule {
  /** All of them unless given. */
  services?: readonly Service[];
  judge: (facts: EndpointFacts, all: ProbeFacts) => LocalVerdict | readonly LocalVerdict[] | undefined;
}

/**
 * The same question to each endpoint. An endpoint that could not be connected to is passed over: `tcp.connect` says so,
 * once. Without any endpoint the answer is `skip`.
 */
export function atEachEndpoint({ services, judge }: EndpointRule): Check['judge'] {
  return (all) => {
    const chosen = all.endpoints.filter(
      ({ endpoint, tcp }) => tcp.value !== undefined && (services?.includes(endpoint.service) ?? true),
    );
    if (chosen.length === 0) {
      return [
        skip(`there is no ${services ? `${services.join(' or ')} ` : ''}endpoint that could be connected to`),
      ];
    }
    return chosen.flatMap((facts) => {
      const verdicts = judge(facts, all);
      if (verdicts === undefined) return [];
      return (isList(verdicts) ? verdicts : [verdicts]).map((verdict) => ({
        ...verdict,
        endpoint: facts.endpoint.id,
      }));
    });
  };
}

/** The judgement of a part, or `skip` with the reason why it was not measured. */
export function of<T>(
  part: Measured<T> | undefined,
  judge: (value: T) => LocalVerdict | readonly LocalVerdict[] | undefined,
): LocalVerdict | readonly LocalVerdict[] | undefined {
  if (part === undefined) return undefined;
  return part.value === undefined ? skip(part.reason ?? 'not measured') : judge(part.value);
}

/** The judgement of something that belongs to the domain as a whole. */
export function ofDomain<T>(
  part: Measured<T> | undefined,
  judge: (value: T) => Verdict | readonly Verdict[] | undefined,
): readonly Verdict[] {
  if (part === undefined) return [];
  if (part.value === undefined) return [skip(part.reason ?? 'not measured')];
  const verdicts = judge(part.value);
  if (verdicts === undefined) return [];
  return isList(verdicts) ? verdicts : [verdicts];
}

const isList = <T>(value: T | readonly T[]): value is readonly T[] => Array.isArray(value);

export const pass = (observed: string, more: Partial<LocalVerdict> = {}): LocalVerdict => ({
  ...more,
  status: 'pass',
  observed,
});
export const info = (observed: string, more: Partial<LocalVerdict> = {}): LocalVerdict => ({
  ...more,
  status: 'info',
  observed,
});
export const warn = (observed: string, more: Partial<LocalVerdict> = {}): LocalVerdict => ({
  ...more,
  status: 'warn',
  observed,
});
export const fail = (observed: string, more: Partial<LocalVerdict> = {}): LocalVerdict => ({
  ...more,
  status: 'fail',
  observed,
});
export const skip = (reason: string): LocalVerdict => ({ status: 'skip', observed: reason });

/** `a, b and c`; `none` for nothing. */
export function list(words: readonly string[]): string {
  if (words.length === 0) return 'none';
  return words.length === 1 ? (words[0] ?? '') : `${words.slice(0, -1).join(', ')} and ${words.at(-1) ?? ''}`;
}
