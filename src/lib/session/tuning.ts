/** What a test replaces: time and chance. */
import { setTimeout as wait } from 'node:timers/promises';
import { defaultBackOff, type BackOffOptions } from './back-off.js';

export interface SessionTuning {
  /** Milliseconds since the epoch. */
  now: () => number;
  /** From 0 (inclusive) to 1 (exclusive). */
  random: () => number;
  sleep: (ms: number, signal: AbortSignal) => Promise<unknown>;
  backOff: BackOffOptions;
  /** How long a resumable session stays silent before it asks whether the server is still there. */
  idleMs: number;
  /** How long a resumed stream may be silent before the server has answered on it once. */
  resumedQuietMs: number;
}

export const defaultTuning: SessionTuning = {
  now: () => Date.now(),
  random: Math.random,
  sleep: (ms, signal) => wait(ms, undefined, { signal }),
  backOff: defaultBackOff,
  idleMs: 60_000,
  resumedQuietMs: 5000,
};
