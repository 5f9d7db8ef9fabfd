/**
 * Numbers for subtrees: the same for two that are the same, whatever records they stand for. They are kept in the nodes: a map
 * of all nodes takes longer than what is compared with it. So a tree has the numbers of the last one that has numbered it.
 */
import type { TreeAttribute, TreeNode } from './tree.js';

export class Fingerprints {
  readonly #texts = new Map<string, number>();
  readonly #others = new Map<string, number>();
  #count = 0;

  /** The number of a node that was in a tree given to `add`. */
  of(node: TreeNode): number {
    return node.print ?? -1;
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
      if (node) node.print = this.#number(node);
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
    for (const attribute of inOrder(attributes)) description += describeAttribute(attribute);
    description += '\x02';
    for (const child of children) description += `${this.of(child)},`;
    return description;
  }
}

/** The order of attributes says nothing (XML 1.0 §3.1). */
function inOrder(attributes: readonly TreeAttribute[]): readonly TreeAttribute[] {
  for (let index = 1; index < attributes.length; index++) {
    const [left, right] = [attributes[index - 1], attributes[index]];
    if (left && right && compareAttributes(left, right) > 0) return attributes.toSorted(compareAttributes);
  }
  return attributes;
}

function compareAttributes(left: TreeAttribute, right: TreeAttribute): number {
  if (left.name !== right.name) return left.name < right.name ? -1 : 1;
  return left.ns === right.ns ? 0 : left.ns < right.ns ? -1 : 1;
}

function describeAttribute({ name, ns, value }: TreeAttribute): string {
  return `\x01${name}\0${ns}\0${value}`;
}
