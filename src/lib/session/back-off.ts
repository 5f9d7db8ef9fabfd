/**
 * How long to wait before the next attempt to reconnect: doubling, with jitter so that a restarted server does not meet
 * everybody at once.
 */
export interface BackOffOptions {
  /** Before the second attempt; the first follows within `firstMs`. */
  firstMs: number;
  maxMs: number;
}

export const defaultBackOff: BackOffOptions = { firstMs: 500, maxMs: 60_000 };

/**
 * @param attempt 1 for the first
 * @param random from 0 (inclusive) to 1 (exclusive)
 * @returns milliseconds
 */
export function backOffMs(attempt: number, random: number, { firstMs, maxMs }: BackOffOptions): number {
  const ceiling = Math.min(maxMs, firstMs * 2 ** Math.min(attempt - 1, 30));
  // Half fixed, half by chance.
  return Math.round(ceiling / 2 + (ceiling / 2) * random);
}
