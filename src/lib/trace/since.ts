/** `--since`: a point in a recording. */
import { UsageError } from '../errors.js';

/** Given when the recording began (milliseconds since the epoch): how far into it the point is, in milliseconds. */
export type Since = (startedMs: number) => number;

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/**
 * A duration is counted from the start of the recording; a time without a zone is local.
 * @throws UsageError it is neither
 */
export function parseSince(text: string): Since {
  const [, amount, unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text) ?? [];
  const factor = unitMs[unit];
  if (amount !== undefined && factor !== undefined) return () => Number(amount) * factor;
  const time = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(time)) {
    throw new UsageError(`--since takes a time or a duration, not ${text}`, {
      hint: 'for example 2026-01-31T10:00:00Z, or 1.5s after the start of the recording',
    });
  }
  return (startedMs) => time - startedMs;
}
