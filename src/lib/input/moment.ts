/** Points in time as people type them. */
import { UsageError } from '../errors.js';

const unitMs: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** `90s`, `5m`, `1.5h`, `2d`, `1w` in milliseconds; undefined when it is not a duration. */
export function parseDuration(text: string): number | undefined {
  const [, amount, unit = ''] = /^(\d+(?:\.\d+)?)([smhdw])$/.exec(text) ?? [];
  const factor = unitMs[unit];
  return amount === undefined || factor === undefined ? undefined : Number(amount) * factor;
}

/** `now`, or a date with or without a time (ISO 8601; without a zone it is local). Undefined when it is neither. */
export function parseTime(text: string, nowMs: number): Date | undefined {
  if (text === 'now') return new Date(nowMs);
  if (!/^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?$/.test(text))
    return undefined;
  // A date alone is UTC to JavaScript, and the start of the local day to people.
  const time = new Date(/^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T00:00` : text);
  return Number.isNaN(time.getTime()) ? undefined : time;
}

/**
 * A time, or a duration from now.
 * @param direction whether durations count backwards or forwards
 * @throws UsageError it is neither
 */
export function parseMoment(option: string, text: string, nowMs: number, direction: 'ago' | 'ahead'): Date {
  const duration = parseDuration(text);
  if (duration !== undefined) return new Date(direction === 'ago' ? nowMs - duration : nowMs + duration);
  const time = parseTime(text, nowMs);
  if (time) return time;
  throw new UsageError(`${option} takes a time or a duration, not ${text}`, {
    hint: 'for example 2026-01-31T10:00:00Z, 90s, 5m, 2h, 1d or now',
  });
}
