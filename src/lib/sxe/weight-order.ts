/**
 * The order of siblings (XEP-0284 §3): the primary weight, and where it is the same the first differing characters of
 * the record ids.
 */

export interface Weighted {
  readonly rid: string;
  readonly weight: number;
}

export function compareWeights(left: Weighted, right: Weighted): number {
  if (left.weight !== right.weight) return left.weight < right.weight ? -1 : 1;
  return compareRids(left.rid, right.rid);
}

/** By Unicode value, which is not the order of UTF-16 code units. What is a beginning of the other comes first. */
export function compareRids(left: string, right: string): number {
  if (left === right) return 0;
  const length = Math.min(left.length, right.length);
  for (let at = 0; at < length; at++) {
    const leftCode = left.charCodeAt(at);
    const rightCode = right.charCodeAt(at);
    if (leftCode === rightCode) continue;
    const isLeftSurrogate = (leftCode & 0xf800) === 0xd800;
    const isRightSurrogate = (rightCode & 0xf800) === 0xd800;
    // Halves of surrogate pairs stand for characters above all others.
    if (isLeftSurrogate !== isRightSurrogate) return isLeftSurrogate ? 1 : -1;
    return leftCode < rightCode ? -1 : 1;
  }
  return left.length - right.length;
}

/**
 * `count` weights that lie between two others, in order; `undefined` when floating point has no room for them.
 *
 * @param after the weight they come after; `undefined` for the beginning
 * @param before the weight they come before; `undefined` for the end
 */
export function weightsBetween(
  after: number | undefined,
  before: number | undefined,
  count: number,
): number[] | undefined {
  const weights: number[] = [];
  if (after === undefined || before === undefined) {
    const edge = after ?? before ?? 0;
    // Beside a number of 2^53 and more one is nothing.
    const step = Math.max(1, Math.abs(edge) * 2 ** -40);
    const start = after ?? (before === undefined ? -step : before - step * (count + 1));
    for (let index = 1; index <= count; index++) weights.push(start + step * index);
  } else {
    const step = (before - after) / (count + 1);
    for (let index = 1; index <= count; index++) weights.push(after + step * index);
  }
  let previous = after ?? -Infinity;
  for (const weight of weights) {
    if (!(weight > previous) || !Number.isFinite(weight)) return undefined;
    previous = weight;
  }
  return before !== undefined && previous >= before ? undefined : weights;
}

/** The lowest of some names, as all participants see it. */
export function lowestName(names: Iterable<string>): string | undefined {
  let found: string | undefined;
  for (const name of names) if (found === undefined || compareRids(name, found) < 0) found = name;
  return found;
}
