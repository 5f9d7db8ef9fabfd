/**
 * Rows as aligned columns on a terminal, as tab-separated values elsewhere: a stable format for scripts that
 * do not want JSON.
 */
import type { Output } from './output.js';
import { safeText } from './safe-text.js';

/**
 * @param header column titles; shown on a terminal only
 */
export function renderTable(
  output: Pick<Output, 'isTerminal' | 'style'>,
  header: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const safe = rows.map((row) =>
    row.map((cell) => safeText(cell, { singleLine: true }).replaceAll('\t', ' ')),
  );
  if (!output.isTerminal) return safe.map((row) => row.join('\t')).join('\n');
  const widths = header.map((title, column) =>
    Math.max(title.length, ...safe.map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
      .join('  ')
      .trimEnd();
  return [output.style.dim(line(header)), ...safe.map(line)].join('\n');
}
