/** What of a document the page can show. */
import { localNameOf } from '../sxe/namespaces.js';
import type { Tree, TreeAttribute, TreeElement, TreeNode } from '../sxe/tree.js';
import { isAllowedAttribute, isAllowedElement, MAX_TEXT_LENGTH, NS_SVG } from './allowed-svg.js';
import type { PlacedNode } from './messages.js';

/** A browser can be made to stand still by more. */
const MAX_NODES = 20_000;
const MAX_DEPTH = 64;
const MAX_LENGTH = 16 * 1024 * 1024;
/** Attributes of some drawings of the largest kind. */
const MAX_REMEMBERED = 500_000;

export interface Visible {
  /** In document order. */
  nodes: PlacedNode[];
  /** The root is that of a drawing. */
  isDrawing: boolean;
  /** There is more than is shown. */
  isCutOff: boolean;
}

interface Place {
  node: TreeNode;
  parent: string;
  depth: number;
}

/** What was found of values before: most stay as they are. */
export class AllowedValues {
  readonly #known = new Map<string, { element: string; name: string; value: string; isAllowed: boolean }>();

  has(element: string, { name, value, rid = '' }: TreeAttribute): boolean {
    const known = this.#known.get(rid);
    if (known?.value === value && known.name === name && known.element === element) return known.isAllowed;
    const isAllowed = isAllowedAttribute(element, name, value);
    if (rid !== '') this.#known.set(rid, { element, name, value, isAllowed });
    return isAllowed;
  }

  /** Before it has more that is gone than that is there. */
  forget(): void {
    this.#known.clear();
  }

  get size(): number {
    return this.#known.size;
  }
}

export function visibleNodes(tree: Tree, allowed = new AllowedValues()): Visible {
  if (allowed.size > MAX_REMEMBERED) allowed.forget();
  const root = rootOf(tree);
  const visible: Visible = { nodes: [], isDrawing: root !== undefined, isCutOff: false };
  /** Behind which sibling the next child of a parent comes. */
  const last = new Map<string, string>();
  let length = 0;
  const open: Place[] = root ? [{ node: root, parent: '', depth: 0 }] : [];
  for (let place = open.pop(); place; place = open.pop()) {
    const { node, parent, depth } = place;
    const shown = showNode(node, parent, last.get(parent) ?? '', allowed);
    if (!shown) continue;
    length += lengthOf(shown);
    if (visible.nodes.length >= MAX_NODES || length > MAX_LENGTH) {
      visible.isCutOff = true;
      break;
    }
    visible.nodes.push(shown);
    last.set(parent, shown.id);
    if (node.kind !== 'element') continue;
    if (depth >= MAX_DEPTH) {
      visible.isCutOff ||= node.children.length > 0;
      continue;
    }
    for (let index = node.children.length - 1; index >= 0; index--) {
      const child = node.children[index];
      if (child) open.push({ node: child, parent: shown.id, depth: depth + 1 });
    }
  }
  return visible;
}

/** Of a drawing. */
export function rootOf({ nodes }: Tree): TreeElement | undefined {
  const root = nodes.find((node) => node.kind === 'element');
  return root?.kind === 'element' && root.ns === NS_SVG && localNameOf(root.name) === 'svg'
    ? root
    : undefined;
}

function showNode(
  node: TreeNode,
  parent: string,
  after: string,
  allowed: AllowedValues,
): PlacedNode | undefined {
  const { rid: id } = node;
  if (id === undefined) return undefined;
  if (node.kind === 'text') return { id, kind: 'text', text: showText(node.text), parent, after };
  if (node.kind !== 'element' || node.ns !== NS_SVG) return undefined;
  const name = localNameOf(node.name);
  if (!isAllowedElement(name)) return undefined;
  const attributes = showAttributes(name, node.attributes, allowed);
  return { id, kind: 'element', name, attributes, parent, after };
}

/** Of one that is too long nothing. */
export function showText(text: string): string {
  return text.length > MAX_TEXT_LENGTH ? '' : text;
}

export function showAttributes(
  element: string,
  attributes: readonly TreeAttribute[],
  allowed: AllowedValues,
): [string, string][] {
  const shown: [string, string][] = [];
  for (const attribute of attributes) {
    if (attribute.ns === '' && allowed.has(element, attribute)) shown.push([attribute.name, attribute.value]);
  }
  return shown;
}

function lengthOf(node: PlacedNode): number {
  if (node.kind === 'text') return node.text.length;
  return node.attributes.reduce((sum, [, value]) => sum + value.length, 0);
}
