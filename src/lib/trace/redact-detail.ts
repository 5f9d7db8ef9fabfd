/** Secrets in the facts of lifecycle events. Nothing should put one there; this is the second lock. */
import { REDACTION_MARKER } from './record.js';

const secretKey = /passw|secret|token|credential|authorization|cookie/i;

/** A copy in which values under secret-sounding names are replaced. */
export function redactDetail(detail: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(detail).map(([key, value]) => [
      key,
      secretKey.test(key) ? REDACTION_MARKER : redactValue(value),
    ]),
  );
}

function redactValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(redactValue);
  if (value !== null && typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype)
    return redactDetail(value as Record<string, unknown>);
  return value;
}
