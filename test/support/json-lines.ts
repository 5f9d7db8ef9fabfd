/** What `--json` prints: an object on each line. */
export function jsonLines(lines: string): Record<string, unknown>[] {
  return lines
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}
