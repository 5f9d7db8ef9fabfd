/**
 * Numbers for subtrees: the same for two that are the same, whatever records they stand for.
 */
import type { TreeAttribute, TreeNode } from './tree.js';

export class Fingerprints {
  readonly #texts = new Map<string, number>();
  readonly #others = new Map<string, number>();
  #count = 0;
  readonly #ofNode = new Map<TreeNode, number>();

  /** The number of a node that was in a tree given to `add`. */
  of(node: TreeNode): number {
    return this.#ofNode.get(node) ?? -1;
  }

  /** Numbers everything in a list of nodes, the innermost first. */
  add(nodes: readonly TreeNode[]): void {
    const order: TreeNode[] = [];
    const open: (readonly TreeNode[])[] = [nodes];
    for (let list = open.pop(); list; list = open.pop()) {
      for (const node of list) {
        order.push(node);
        if (node.kind === 'element') open.push(node.children);
      }
    }
    for (let index = order.length - 1; index >= 0; index--) {
      const node = order[index];
      if (node) this.#ofNode.set(node, this.#number(node));
    }
  }

  #number(node: TreeNode): number {
    if (node.kind === 'text') return this.#look(this.#texts, node.text);
    return this.#look(this.#others, this.#describe(node));
  }

  #look(numbers: Map<string, number>, description: string): number {
    let number = numbers.get(description);
    if (number === undefined) numbers.set(description, (number = this.#count++));
    return number;
  }

  #describe(node: TreeNode): string {
    if (node.kind !== 'element') return `${node.kind}\0${node.target}\0${node.text}`;
    const { name, ns, attributes, children } = node;
    let description = `${name}\0${ns}`;
    const [first, second] = attributes;
    if (first && !second) description += describeAttribute(first);
    // The order of attributes says nothing (XML 1.0 §3.1).
    else if (second) description += attributes.map(describeAttribute).sort().join('');
    description += '\x02';
    for (const child of children) description += `${this.of(child)},`;
    return description;
  }
}

function describeAttribute({ name, ns, value }: TreeAttribute): string {
  return `\x01${name}\0${ns}\0${value}`;
}
