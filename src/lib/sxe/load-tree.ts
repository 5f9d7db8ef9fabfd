/**
 * The records of a tree.
 */
import type { NewEdit } from './edits.js';
import { parseDocument, type DocumentLimits } from './parse-document.js';
import { ProtocolError } from '../errors.js';
import { splitChange } from './split-change.js';
import { SharedDocument } from './shared-document.js';
import type { TreeAttribute, TreeElement, TreeNode } from './tree.js';

/** Where nodes are put. */
export interface Place {
  /** The record id of the parent; empty for the document. */
  parent: string;
  /** The namespace there. */
  ns: string;
}

/**
 * The `<new/>` edits of a node and all that is in it, parents first. Namespaces are said only where they are not inherited.
 *
 * @param takeOver asked for each element below the first; `true`: it is taken care of, together with what is in it
 */
export function* newEdits(
  top: TreeNode,
  place: Place,
  weight: number,
  newRid: () => string,
  takeOver: (node: TreeNode, place: Place, weight: number) => boolean = () => false,
): Generator<NewEdit> {
  const open: { node: TreeNode; place: Place; weight: number }[] = [{ node: top, place, weight }];
  for (let next = open.pop(); next; next = open.pop()) {
    const { node } = next;
    if (node !== top && takeOver(node, next.place, next.weight)) continue;
    const rid = newRid();
    if (node.kind !== 'element') {
      yield newLeaf(node, rid, next.place.parent, next.weight);
      continue;
    }
    yield newElement(node, rid, next.place, next.weight);
    let count = 0;
    for (const attribute of node.attributes) yield newAttribute(attribute, newRid(), rid, count++);
    const inner = { parent: rid, ns: node.ns };
    for (let index = node.children.length - 1; index >= 0; index--) {
      const child = node.children[index];
      if (child) open.push({ node: child, place: inner, weight: index });
    }
  }
}

function newElement({ name, ns }: TreeElement, rid: string, place: Place, weight: number): NewEdit {
  const edit: NewEdit = { kind: 'new', rid, type: 'element', name };
  if (ns !== place.ns) edit.ns = ns;
  return placed(edit, place.parent, weight);
}

export function newAttribute(
  { name, ns, value }: TreeAttribute,
  rid: string,
  parent: string,
  weight: number,
): NewEdit {
  const edit: NewEdit = { kind: 'new', rid, type: 'attr', name };
  if (ns !== '') edit.ns = ns;
  edit.chdata = value;
  return placed(edit, parent, weight);
}

function newLeaf(
  { kind, text, target }: Exclude<TreeNode, TreeElement>,
  rid: string,
  parent: string,
  weight: number,
): NewEdit {
  const content = kind === 'processinginstruction' ? { pitarget: target, pidata: text } : { chdata: text };
  return placed({ kind: 'new', rid, type: kind, ...content }, parent, weight);
}

/** What is assumed when it is not said is not said. */
function placed(edit: NewEdit, parent: string, weight: number): NewEdit {
  if (parent !== '') edit.parent = parent;
  if (weight !== 0) edit.weight = weight;
  return edit;
}

/**
 * What a session begins with.
 *
 * @param name who begins it
 * @param site what the ids of that participant begin with
 * @throws ProtocolError the text is not well-formed, has entities or a DTD of its own, or something too long to be sent
 */
export function createDocument(
  text: string,
  name: string,
  site: string,
  limits?: DocumentLimits,
): SharedDocument {
  const tree = parseDocument(text, limits);
  const document = new SharedDocument(tree.prolog);
  let count = 0;
  const newRid = (): string => `${site}_${(count++).toString(36)}`;
  tree.nodes.forEach((node, index) => {
    for (const edit of newEdits(node, { parent: '', ns: '' }, index, newRid)) {
      splitChange(edit).forEach((change, version) => {
        const outcome = document.apply(change.kind === 'set' ? { ...change, version } : change, name);
        if (outcome.kind === 'refused')
          throw new ProtocolError(`the document cannot be shared: ${outcome.reason}`);
      });
    }
  });
  return document;
}
