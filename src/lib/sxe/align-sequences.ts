/**
 * What two sequences have in common, in order: Myers' algorithm while they differ little, and the elements that each has
 * exactly once where they differ much.
 */

/** `length` elements from `left` on are those from `right` on in the other sequence. */
export interface Run {
  left: number;
  right: number;
  length: number;
}

/** Differences beyond which the quadratic algorithm is left. */
const MAX_DIFFERENCES = 1500;

type Sequence = readonly (string | number)[];

/** The runs in common, in order. */
export function alignSequences(left: Sequence, right: Sequence): Run[] {
  const runs: Run[] = [];
  alignRange(left, right, { left: 0, right: 0, leftEnd: left.length, rightEnd: right.length }, runs, true);
  return runs;
}

interface Range {
  left: number;
  leftEnd: number;
  right: number;
  rightEnd: number;
}

function alignRange(left: Sequence, right: Sequence, range: Range, runs: Run[], mayAnchor: boolean): void {
  let { left: i, right: j, leftEnd, rightEnd } = range;
  let prefix = 0;
  while (i + prefix < leftEnd && j + prefix < rightEnd && left[i + prefix] === right[j + prefix]) prefix++;
  addRun(runs, { left: i, right: j, length: prefix });
  i += prefix;
  j += prefix;
  let suffix = 0;
  while (leftEnd > i && rightEnd > j && left[leftEnd - 1] === right[rightEnd - 1]) {
    leftEnd--;
    rightEnd--;
    suffix++;
  }
  if (i < leftEnd && j < rightEnd) {
    const middle = { left: i, leftEnd, right: j, rightEnd };
    const found = alignByMyers(left, right, middle);
    if (found) for (const run of found) addRun(runs, run);
    else if (mayAnchor) alignByAnchors(left, right, middle, runs);
  }
  addRun(runs, { left: leftEnd, right: rightEnd, length: suffix });
}

function addRun(runs: Run[], run: Run): void {
  if (run.length === 0) return;
  const last = runs.at(-1);
  if (last && last.left + last.length === run.left && last.right + last.length === run.right)
    last.length += run.length;
  else runs.push(run);
}

/** E. Myers, "An O(ND) difference algorithm", the greedy one. `undefined`: too many differences. */
function alignByMyers(left: Sequence, right: Sequence, range: Range): Run[] | undefined {
  const n = range.leftEnd - range.left;
  const m = range.rightEnd - range.right;
  const max = Math.min(n + m, MAX_DIFFERENCES);
  const offset = max + 1;
  const furthest = new Int32Array(2 * max + 3);
  const trace: Int32Array[] = [];
  for (let d = 0; d <= max; d++) {
    trace.push(furthest.slice(offset - d - 1, offset + d + 2));
    for (let k = -d; k <= d; k += 2) {
      const down = furthest[offset + k + 1] ?? 0;
      const across = furthest[offset + k - 1] ?? 0;
      let x = k === -d || (k !== d && across < down) ? down : across + 1;
      let y = x - k;
      while (x < n && y < m && left[range.left + x] === right[range.right + y]) {
        x++;
        y++;
      }
      furthest[offset + k] = x;
      if (x >= n && y >= m) return walkBack(trace, d, n, m, range);
    }
  }
  return undefined;
}

function walkBack(trace: readonly Int32Array[], last: number, n: number, m: number, range: Range): Run[] {
  const runs: Run[] = [];
  let x = n;
  let y = m;
  for (let d = last; d >= 0; d--) {
    // `at(k)` is where diagonal k had come to with d - 1 differences.
    const at = (k: number): number => trace[d]?.[k + d + 1] ?? 0;
    const k = x - y;
    const isDown = k === -d || (k !== d && at(k - 1) < at(k + 1));
    const previousK = isDown ? k + 1 : k - 1;
    const previousX = d === 0 ? 0 : at(previousK);
    const previousY = d === 0 ? 0 : previousX - previousK;
    const startX = d === 0 ? 0 : isDown ? previousX : previousX + 1;
    if (x > startX)
      runs.push({ left: range.left + startX, right: range.right + startX - k, length: x - startX });
    x = previousX;
    y = previousY;
  }
  return runs.reverse();
}

/** Elements that both have exactly once, as far as they are in the same order; the gaps between them once more. */
function alignByAnchors(left: Sequence, right: Sequence, range: Range, runs: Run[]): void {
  const positions = new Map<string | number, { left: number; right: number; isUnique: boolean }>();
  for (let at = range.left; at < range.leftEnd; at++) {
    const element = left[at] ?? '';
    const seen = positions.get(element);
    if (seen) seen.isUnique = false;
    else positions.set(element, { left: at, right: -1, isUnique: true });
  }
  for (let at = range.right; at < range.rightEnd; at++) {
    const seen = positions.get(right[at] ?? '');
    if (!seen) continue;
    if (seen.right >= 0) seen.isUnique = false;
    seen.right = at;
  }
  const pairs = [...positions.values()].filter((pair) => pair.isUnique && pair.right >= 0);
  let from = { left: range.left, right: range.right };
  for (const index of longestIncreasing(pairs.map((pair) => pair.right))) {
    const pair = pairs[index];
    if (!pair) continue;
    alignRange(left, right, { ...from, leftEnd: pair.left, rightEnd: pair.right }, runs, false);
    addRun(runs, { left: pair.left, right: pair.right, length: 1 });
    from = { left: pair.left + 1, right: pair.right + 1 };
  }
  alignRange(left, right, { ...from, leftEnd: range.leftEnd, rightEnd: range.rightEnd }, runs, false);
}

/** The places of a longest subsequence that only rises. */
export function longestIncreasing(values: readonly number[]): number[] {
  const tails: number[] = [];
  const previous = new Int32Array(values.length);
  values.forEach((value, index) => {
    let low = 0;
    let high = tails.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((values[tails[middle] ?? 0] ?? 0) < value) low = middle + 1;
      else high = middle;
    }
    previous[index] = low > 0 ? (tails[low - 1] ?? -1) : -1;
    tails[low] = index;
  });
  const chosen: number[] = [];
  for (let at = tails.at(-1) ?? -1; at >= 0; at = previous[at] ?? -1) chosen.push(at);
  return chosen.reverse();
}
