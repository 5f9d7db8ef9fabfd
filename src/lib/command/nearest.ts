import { closest, distance } from 'fastest-levenshtein';

/** The candidate that was probably meant, or undefined when none is near. */
export function nearest(typed: string, candidates: readonly string[]): string | undefined {
  if (candidates.length === 0) return undefined;
  const best = closest(typed, candidates);
  const changes = distance(typed, best);
  // Swapping two letters counts as two changes, so two of three letters may differ.
  return changes <= 3 && changes / Math.max(typed.length, best.length) < 0.7 ? best : undefined;
}
