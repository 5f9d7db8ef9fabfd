/** What has changed in a card, line by line of its readable form. */
import { parseXml } from '../../xml/parse.js';
import { prettyXml } from '../../xml/canonical.js';

/** Pictures are long. */
const MAX_LINE = 200;
/** Of the table of common lines; beyond it nobody reads the result anyway. */
const MAX_CELLS = 1_000_000;

/** Lines that begin with a space, `-` or `+`; undefined when nothing has changed. */
export function diffCards(before: string | undefined, after: string | undefined): string[] | undefined {
  if (before === after) return undefined;
  const old = linesOf(before);
  const now = linesOf(after);
  if (old.length * now.length > MAX_CELLS)
    return [...old.map((line) => `-${line}`), ...now.map((line) => `+${line}`)];
  const table = commonLengths(old, now);
  const lines: string[] = [];
  let [i, j] = [0, 0];
  while (i < old.length || j < now.length) {
    const [left, right] = [old[i], now[j]];
    if (left !== undefined && left === right) {
      lines.push(` ${left}`);
      i++;
      j++;
    } else if (
      right === undefined ||
      (left !== undefined && (table[i + 1]?.[j] ?? 0) >= (table[i]?.[j + 1] ?? 0))
    ) {
      lines.push(`-${left ?? ''}`);
      i++;
    } else {
      lines.push(`+${right}`);
      j++;
    }
  }
  return lines;
}

function linesOf(card: string | undefined): string[] {
  if (card === undefined) return [];
  return prettyXml(parseXml(card, { maxLength: 128 * 1024 * 1024 }))
    .split('\n')
    .map((line) => (line.length > MAX_LINE ? `${line.slice(0, MAX_LINE)}…` : line));
}

/** How many lines the rests have in common, for each pair of places. */
function commonLengths(old: readonly string[], now: readonly string[]): number[][] {
  const table = Array.from({ length: old.length + 1 }, () => new Array<number>(now.length + 1).fill(0));
  for (let i = old.length - 1; i >= 0; i--) {
    for (let j = now.length - 1; j >= 0; j--) {
      const row = table[i];
      if (!row) continue;
      row[j] =
        old[i] === now[j]
          ? (table[i + 1]?.[j + 1] ?? 0) + 1
          : Math.max(table[i + 1]?.[j] ?? 0, row[j + 1] ?? 0);
    }
  }
  return table;
}
