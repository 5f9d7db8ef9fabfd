/** Which entries of two lists belong together, in order: a longest common subsequence, or nearly one where that costs too much. */

/** Lists that differ in more places are aligned greedily: the exact way takes memory by the square of it. */
const maxEdits = 1500;

/** Pairs of indices, rising in both. */
export function alignLists(a: readonly string[], b: readonly string[]): [number, number][] {
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start += 1;
  let [endA, endB] = [a.length, b.length];
  while (endA > start && endB > start && a[endA - 1] === b[endB - 1]) {
    endA -= 1;
    endB -= 1;
  }
  const middleA = a.slice(start, endA);
  const middleB = b.slice(start, endB);
  const middle = alignExactly(middleA, middleB) ?? alignGreedily(middleA, middleB);
  return [
    ...Array.from({ length: start }, (_, index): [number, number] => [index, index]),
    ...middle.map(([i, j]): [number, number] => [i + start, j + start]),
    ...Array.from({ length: a.length - endA }, (_, index): [number, number] => [endA + index, endB + index]),
  ];
}

/** Myers' algorithm. Undefined when there are too many differences for it. */
function alignExactly(a: readonly string[], b: readonly string[]): [number, number][] | undefined {
  if (a.length === 0 || b.length === 0) return [];
  const limit = Math.min(a.length + b.length, maxEdits);
  const offset = limit + 1;
  const reach = new Int32Array(2 * limit + 3);
  const history: Int32Array[] = [];
  for (let edits = 0; edits <= limit; edits += 1) {
    history.push(reach.slice(offset - edits - 1, offset + edits + 2));
    for (let k = -edits; k <= edits; k += 2) {
      let x = nextX(k, edits, (diagonal) => reach[offset + diagonal] ?? 0);
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x += 1;
      reach[offset + k] = x;
      if (x >= a.length && x - k >= b.length) return trace(history, a.length, b.length);
    }
  }
  return undefined;
}

/** Where a path with so many edits comes to a diagonal from: above, or left. */
function nextX(k: number, edits: number, reached: (diagonal: number) => number): number {
  const comesFromAbove = k === -edits || (k !== edits && reached(k - 1) < reached(k + 1));
  return comesFromAbove ? reached(k + 1) : reached(k - 1) + 1;
}

function trace(history: readonly Int32Array[], lengthA: number, lengthB: number): [number, number][] {
  const pairs: [number, number][] = [];
  let [x, y] = [lengthA, lengthB];
  for (let edits = history.length - 1; edits >= 0; edits -= 1) {
    const row = history[edits];
    const reached = (diagonal: number): number => row?.[diagonal + edits + 1] ?? 0;
    const k = x - y;
    const startX = edits === 0 ? 0 : nextX(k, edits, reached);
    while (x > startX && y > startX - k) {
      x -= 1;
      y -= 1;
      pairs.push([x, y]);
    }
    if (edits === 0) break;
    const comesFromAbove = k === -edits || (k !== edits && reached(k - 1) < reached(k + 1));
    if (comesFromAbove) y -= 1;
    else x -= 1;
  }
  return pairs.reverse();
}

/** Takes for each entry the next one that equals it. */
function alignGreedily(a: readonly string[], b: readonly string[]): [number, number][] {
  const places = new Map<string, number[]>();
  for (let index = b.length - 1; index >= 0; index -= 1) {
    const key = b[index] ?? '';
    const list = places.get(key);
    if (list) list.push(index);
    else places.set(key, [index]);
  }
  const pairs: [number, number][] = [];
  let next = 0;
  for (const [index, key] of a.entries()) {
    const list = places.get(key);
    while (list !== undefined && list.length > 0 && (list.at(-1) ?? 0) < next) list.pop();
    const found = list?.pop();
    // One that is far away would cost all between.
    if (found === undefined || found - next > 1000) continue;
    pairs.push([index, found]);
    next = found + 1;
  }
  return pairs;
}
