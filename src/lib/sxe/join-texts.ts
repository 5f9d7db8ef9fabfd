/**
 * Texts of several records that are beside each other: a file shows them as one, and nothing in it says where one ends.
 */
import type { Hunk } from './diff-text.js';
import type { TreeElement, TreeLeaf, TreeNode } from './tree.js';

/** Makes one node of texts that are beside each other, everywhere below; those that say nothing are left out. */
export function joinTexts(nodes: readonly TreeNode[]): TreeNode[] {
  const joined = joinList(nodes);
  const open = joined.filter(isElement);
  for (let element = open.pop(); element; element = open.pop()) {
    element.children = joinList(element.children);
    for (const child of element.children) if (isElement(child)) open.push(child);
  }
  return joined;
}

const isElement = (node: TreeNode): node is TreeElement => node.kind === 'element';

function joinList(nodes: readonly TreeNode[]): TreeNode[] {
  const joined: TreeNode[] = [];
  for (const node of nodes) {
    const last = joined.at(-1);
    if (node.kind === 'text' && last?.kind === 'text') {
      joined[joined.length - 1] = joinLeaves([last, node]);
    } else joined.push(node);
  }
  return joined.filter((node) => node.kind !== 'text' || node.text !== '');
}

export function joinLeaves(leaves: readonly TreeLeaf[]): TreeLeaf {
  const parts = leaves.flatMap(partsOf);
  return { kind: 'text', text: leaves.map(({ text }) => text).join(''), target: '', parts };
}

/** The nodes that records stand for. */
export function partsOf(leaf: TreeLeaf): readonly TreeLeaf[] {
  return leaf.parts ?? [leaf];
}

/** A change of what is one text in a file: that of each record. What is inserted goes to where the change begins. */
export function divideHunk(
  parts: readonly TreeLeaf[],
  { from, count, inserted }: Hunk,
): { part: TreeLeaf; hunk: Hunk }[] {
  const divided: { part: TreeLeaf; hunk: Hunk }[] = [];
  let start = 0;
  let left = inserted;
  parts.forEach((part, index) => {
    const end = start + part.text.length;
    const first = Math.max(from, start);
    const removed = Math.max(0, Math.min(from + count, end) - first);
    const isPlace =
      from >= start && (from < end || (from === end && (count === 0 || index === parts.length - 1)));
    const own = isPlace ? left : '';
    if (own !== '' || removed > 0)
      divided.push({ part, hunk: { from: first - start, count: removed, inserted: own } });
    if (isPlace) left = '';
    start = end;
  });
  return divided;
}
