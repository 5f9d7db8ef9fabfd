/** What is wrong with a text, as data: rules and code points, so that a program can act on it. */

/** The rule that was broken. */
export type Rule =
  | 'empty'
  | 'too-long'
  | 'disallowed'
  | 'unassigned'
  | 'excluded'
  | 'context'
  | 'bidi'
  | 'unstable'
  | 'empty-label'
  | 'label-too-long'
  | 'hyphen'
  | 'leading-mark'
  | 'a-label'
  | 'ip-literal';

export interface Violation {
  rule: Rule;
  /** A phrase that follows the name of the part: `may not contain a space`. */
  message: string;
  /** `U+0020` */
  codePoint?: string;
  /** Which character of the text it is, counted in code points from 0. */
  index?: number;
}

/** The prepared text, or what keeps it from being prepared (the first violation decides, the others help). */
export type Prepared =
  { ok: true; text: string } | { ok: false; violations: readonly [Violation, ...Violation[]] };

export function prepared(text: string): Prepared {
  return { ok: true, text };
}

export function refused(first: Violation, others: readonly Violation[] = []): Prepared {
  return { ok: false, violations: [first, ...others] };
}
