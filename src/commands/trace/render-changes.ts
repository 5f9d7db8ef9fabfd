/** Differences between stanzas, as lines for people. */
import type { Style } from '../../lib/output/output.js';
import { safeText } from '../../lib/output/safe-text.js';
import type { Change } from '../../lib/trace-analysis/diff/compare-elements.js';
import type { Direction } from '../../lib/trace/events.js';

/** The paths, and under each what was there before (-) and is there now (+). */
export function renderChanges(changes: readonly Change[], style: Style): string[] {
  return changes.flatMap(({ path, a, b }) => [
    `    ${style.dim(singleLine(path))}`,
    ...(a === undefined ? [] : [style.bad(`    - ${singleLine(a)}`)]),
    ...(b === undefined ? [] : [style.good(`    + ${singleLine(b)}`)]),
  ]);
}

/** Which way something went, as a connection's client sees it. */
export function arrow(dir: Direction | undefined): string {
  if (dir === undefined) return '';
  return dir === 'in' ? ' ←' : ' →';
}

/** What was recorded, on one line and harmless. */
export function singleLine(text: string): string {
  return safeText(text, { singleLine: true });
}
