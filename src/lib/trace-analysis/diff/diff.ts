/** What two recordings differ in, stanza by stanza. */
import type { Direction } from '../../trace/events.js';
import { alignLists } from './align.js';
import { compareElements, type Change } from './compare-elements.js';
import type { Item, RecordedConnection } from './recording.js';

export type Difference =
  | { kind: 'connection'; only: 'a' | 'b'; conn: number; label: string | undefined }
  | { kind: 'only'; only: 'a' | 'b'; conn: number; dir: Direction | undefined; n: number; what: string }
  | {
      kind: 'changed';
      conn: number;
      dir: Direction | undefined;
      a: number;
      b: number;
      what: string;
      changes: Change[];
    };

/** Connections are compared in the order in which they were opened. */
export function diffRecordings(
  a: readonly RecordedConnection[],
  b: readonly RecordedConnection[],
): Difference[] {
  const differences: Difference[] = [];
  for (let index = 0; index < Math.max(a.length, b.length); index += 1) {
    const [left, right] = [a[index], b[index]];
    if (left && right) differences.push(...diffConnections(left, right));
    else if (left) differences.push({ kind: 'connection', only: 'a', conn: left.conn, label: left.label });
    else if (right) differences.push({ kind: 'connection', only: 'b', conn: right.conn, label: right.label });
  }
  return differences;
}

function diffConnections(a: RecordedConnection, b: RecordedConnection): Difference[] {
  const found: { place: number; difference: Difference }[] = [];
  const only = (side: 'a' | 'b', { n, dir, what }: Item): void => {
    found.push({ place: n, difference: { kind: 'only', only: side, conn: a.conn, dir, n, what } });
  };
  const compare = (left: Item, right: Item): void => {
    const changes = compareElements(left.normal, right.normal);
    if (changes.length > 0) {
      const { n, dir, what } = left;
      const difference: Difference = { kind: 'changed', conn: a.conn, dir, a: n, b: right.n, what, changes };
      found.push({ place: n, difference });
    }
    if (left.reply && right.reply) compare(left.reply, right.reply);
    else if (left.reply) only('a', left.reply);
    else if (right.reply) only('b', right.reply);
  };
  for (const lane of new Set([...a.lanes.keys(), ...b.lanes.keys()])) {
    const matched = matchLane(a.lanes.get(lane) ?? [], b.lanes.get(lane) ?? [], lane.endsWith('presence'));
    for (const [left, right] of matched.pairs) compare(left, right);
    for (const item of matched.onlyA) {
      only('a', item);
      if (item.reply) only('a', item.reply);
    }
    for (const item of matched.onlyB) {
      only('b', item);
      if (item.reply) only('b', item.reply);
    }
  }
  return found.sort((x, y) => x.place - y.place).map(({ difference }) => difference);
}

interface Matched {
  pairs: [Item, Item][];
  onlyA: Item[];
  onlyB: Item[];
}

/** First what is equal, then what is of the same kind, then nothing. */
function matchLane(a: readonly Item[], b: readonly Item[], isUnordered: boolean): Matched {
  const exact = (item: Item): string => item.normal.canonical;
  const first = isUnordered ? matchAnywhere(a, b, exact) : matchBetween(a, b, exact);
  if (isUnordered) {
    const second = matchAnywhere(first.onlyA, first.onlyB, (item) => item.key);
    return { ...second, pairs: [...first.pairs, ...second.pairs] };
  }
  return first;
}

/** In order; what is left between two pairs is matched by its kind. */
function matchBetween(a: readonly Item[], b: readonly Item[], keyOf: (item: Item) => string): Matched {
  const matched: Matched = { pairs: [], onlyA: [], onlyB: [] };
  let [fromA, fromB] = [0, 0];
  const pairs = alignLists(a.map(keyOf), b.map(keyOf));
  for (const [toA, toB] of [...pairs, [a.length, b.length] as [number, number]]) {
    const between = matchAnywhere(a.slice(fromA, toA), b.slice(fromB, toB), (item) => item.key);
    matched.pairs.push(...between.pairs);
    matched.onlyA.push(...between.onlyA);
    matched.onlyB.push(...between.onlyB);
    const [left, right] = [a[toA], b[toB]];
    if (left && right) matched.pairs.push([left, right]);
    [fromA, fromB] = [toA + 1, toB + 1];
  }
  return matched;
}

function matchAnywhere(a: readonly Item[], b: readonly Item[], keyOf: (item: Item) => string): Matched {
  const waiting = new Map<string, Item[]>();
  for (const item of [...b].reverse()) {
    const list = waiting.get(keyOf(item));
    if (list) list.push(item);
    else waiting.set(keyOf(item), [item]);
  }
  const pairs: [Item, Item][] = [];
  const onlyA: Item[] = [];
  const used = new Set<Item>();
  for (const item of a) {
    const partner = waiting.get(keyOf(item))?.pop();
    if (partner === undefined) onlyA.push(item);
    else {
      pairs.push([item, partner]);
      used.add(partner);
    }
  }
  return { pairs, onlyA, onlyB: b.filter((item) => !used.has(item)) };
}
