/**
 * Which child of the old list has become which child of the new one.
 */
import { alignSequences } from './align-sequences.js';
import type { Fingerprints } from './fingerprints.js';
import { joinLeaves } from './join-texts.js';
import type { TreeLeaf, TreeNode } from './tree.js';

export interface Pairing {
  /** For each new child the old one it was, and whether it is the same down to the last leaf. */
  partners: ({ old: TreeNode; isSame: boolean } | undefined)[];
  /** Old children that are nowhere in the new list. */
  gone: TreeNode[];
}

export function pairChildren(
  before: readonly TreeNode[],
  after: readonly TreeNode[],
  prints: Fingerprints,
): Pairing {
  const partners: Pairing['partners'] = after.map(() => undefined);
  const taken = new Set<number>();
  const texts: { left: number; right: number }[] = [];
  const note = (left: number, right: number, isSame: boolean): void => {
    const old = before[left];
    if (!old) return;
    partners[right] = { old, isSame };
    taken.add(left);
    if (old.kind === 'text' && !isSame) texts.push({ left, right });
  };
  pairBy(
    before,
    after,
    [{ left: 0, leftEnd: before.length, right: 0, rightEnd: after.length }],
    [
      { keyOf: (node) => prints.of(node), note: (left, right) => note(left, right, true) },
      // An id says more than a place; then the same kind of node in the same order.
      { keyOf: (node, side) => identityOf(node) ?? side, note: (left, right) => note(left, right, false) },
      { keyOf: (node) => kindOf(node), note: (left, right) => note(left, right, false) },
    ],
  );
  for (const { left, right } of texts) {
    const node = after[right];
    const run = node?.kind === 'text' ? findBeside(before, left, node, taken) : [];
    if (run.length > 1) partners[right] = { old: joinLeaves(run), isSame: false };
  }
  return { partners, gone: before.filter((_, index) => !taken.has(index)) };
}

/**
 * When what was between two texts goes, they become one in a file. Their records stay, for what others write into them
 * meanwhile.
 */
function findBeside(
  before: readonly TreeNode[],
  at: number,
  { text }: TreeLeaf,
  taken: Set<number>,
): TreeLeaf[] {
  const run: TreeLeaf[] = [];
  const add = (index: number, isBehind: boolean): void => {
    const node = before[index];
    if (node?.kind !== 'text' || node.text.trim() === '' || !text.includes(node.text)) return;
    taken.add(index);
    if (isBehind) run.push(node);
    else run.unshift(node);
  };
  const own = before[at];
  if (own?.kind === 'text') run.push(own);
  for (let index = at - 1; index >= 0 && !taken.has(index); index--) add(index, false);
  for (let index = at + 1; index < before.length && !taken.has(index); index++) add(index, true);
  return run;
}

interface Gap {
  left: number;
  leftEnd: number;
  right: number;
  rightEnd: number;
}

interface Pass {
  /** @param side a key that is never the same on both sides */
  keyOf: (node: TreeNode, side: string) => string | number;
  note: (left: number, right: number) => void;
}

/** Pairs by the first key, and what is left between the pairs by the next one. */
function pairBy(
  before: readonly TreeNode[],
  after: readonly TreeNode[],
  gaps: readonly Gap[],
  passes: readonly Pass[],
): void {
  const [pass, ...others] = passes;
  if (!pass) return;
  const rest: Gap[] = [];
  for (const gap of gaps) {
    const left = before.slice(gap.left, gap.leftEnd).map((node) => pass.keyOf(node, 'old'));
    const right = after.slice(gap.right, gap.rightEnd).map((node) => pass.keyOf(node, 'new'));
    let from = { left: gap.left, right: gap.right };
    const end = { left: left.length, right: right.length, length: 0 };
    for (const run of [...alignSequences(left, right), end]) {
      const next = { left: gap.left + run.left, right: gap.right + run.right };
      if (from.left < next.left && from.right < next.right)
        rest.push({ ...from, leftEnd: next.left, rightEnd: next.right });
      for (let at = 0; at < run.length; at++) pass.note(next.left + at, next.right + at);
      from = { left: next.left + run.length, right: next.right + run.length };
    }
  }
  if (rest.length > 0) pairBy(before, after, rest, others);
}

function kindOf(node: TreeNode): string {
  return node.kind === 'element' ? `<${node.name} ${node.ns}` : `${node.kind} ${node.target}`;
}

function identityOf(node: TreeNode): string | undefined {
  if (node.kind !== 'element') return undefined;
  const id = node.attributes.find(({ name }) => name === 'id' || name === 'xml:id');
  return id && `${kindOf(node)} ${id.value}`;
}
