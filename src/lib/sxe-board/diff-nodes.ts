/** What has to be said to somebody who sees one state of a drawing, so that the other one is seen. */
import { longestIncreasing } from '../sxe/align-sequences.js';
import type { BoardNode, PlacedNode } from './messages.js';

export interface Patch {
  /** The ids of what is gone. */
  gone: string[];
  /** What is new or elsewhere, in document order: each is put behind its sibling, which is in its place by then. */
  put: PlacedNode[];
  /** What is where it was. */
  changed: BoardNode[];
}

/** Both in document order. */
export function diffNodes(before: readonly PlacedNode[], after: readonly PlacedNode[]): Patch {
  const old = new Map(before.map((node, index) => [node.id, { node, index }]));
  const patch: Patch = { gone: [], put: [], changed: [] };
  const stayed = findStayed(old, after);
  for (const node of after) {
    const known = old.get(node.id)?.node;
    if (!known || !stayed.has(node.id)) patch.put.push(node);
    else if (!isSame(known, node)) patch.changed.push(withoutPlace(node));
  }
  const now = new Set(after.map(({ id }) => id));
  for (const { id } of before) if (!now.has(id)) patch.gone.push(id);
  return patch;
}

/** Of the children of each parent those that are in the order they were in. */
function findStayed(
  old: ReadonlyMap<string, { node: PlacedNode; index: number }>,
  after: readonly PlacedNode[],
): Set<string> {
  const children = new Map<string, { id: string; index: number }[]>();
  for (const { id, parent } of after) {
    const known = old.get(id);
    if (known?.node.parent !== parent) continue;
    const others = children.get(parent);
    if (others) others.push({ id, index: known.index });
    else children.set(parent, [{ id, index: known.index }]);
  }
  const stayed = new Set<string>();
  for (const list of children.values()) {
    for (const at of longestIncreasing(list.map(({ index }) => index))) stayed.add(list[at]?.id ?? '');
  }
  return stayed;
}

export function isSame(left: BoardNode, right: BoardNode): boolean {
  if (left.kind === 'text' || right.kind === 'text')
    return left.kind === 'text' && right.kind === 'text' && left.text === right.text;
  return (
    left.name === right.name &&
    left.attributes.length === right.attributes.length &&
    left.attributes.every(([name, value], index) => {
      const other = right.attributes[index];
      return name === other?.[0] && value === other[1];
    })
  );
}

export function withoutPlace(node: PlacedNode): BoardNode {
  if (node.kind === 'text') return { id: node.id, kind: node.kind, text: node.text };
  return { id: node.id, kind: node.kind, name: node.name, attributes: node.attributes };
}
