/**
 * A document as a tree of plain objects: what a file says, and what the records of a session amount to.
 */
import { attributeNamespace } from './namespaces.js';
import type { Fields, SharedRecord } from './record.js';
import type { SharedDocument } from './shared-document.js';

export interface TreeAttribute {
  name: string;
  ns: string;
  value: string;
  /** The record, where there is one. */
  rid?: string;
}

export interface TreeElement {
  kind: 'element';
  name: string;
  /** The namespace it is in, inherited or not; empty for none. */
  ns: string;
  attributes: TreeAttribute[];
  children: TreeNode[];
  rid?: string;
  /** Of `Fingerprints`, while trees are compared. */
  print?: number;
}

export interface TreeLeaf {
  kind: 'text' | 'comment' | 'processinginstruction';
  /** The text, the comment, or the data of the instruction. */
  text: string;
  /** Of an instruction. */
  target: string;
  rid?: string;
  /** Texts of several records that are taken for one (`join-texts.ts`). */
  parts?: readonly TreeLeaf[];
  /** Of `Fingerprints`, while trees are compared. */
  print?: number;
}

export type TreeNode = TreeElement | TreeLeaf;

export interface Tree {
  prolog: string;
  /** Comments and instructions, and the root between them. */
  nodes: TreeNode[];
}

/** How a participant sees a record: `participant.view`, or what holds. */
export type View = (record: SharedRecord) => Readonly<Fields>;
const whatHolds: View = (record) => record.fields;

/** What the records amount to: without orphans, second roots and second attributes of a name. */
export function treeOf(document: SharedDocument, view: View = whatHolds): Tree {
  const { root } = document;
  const nodes: TreeNode[] = [];
  const open: { rid: string; ns: string; into: TreeNode[] }[] = [];
  const add = (record: SharedRecord, into: TreeNode[], inheritedNs: string): void => {
    const { rid, type } = record;
    const { ns = inheritedNs, name, chdata, pitarget, pidata } = view(record);
    if (type === 'element') {
      const element: TreeElement = { kind: 'element', name, ns, attributes: [], children: [], rid };
      into.push(element);
      const container = document.container(rid);
      if (!container) return;
      element.attributes = container.attributes().map((attribute) => attributeOf(attribute, view));
      open.push({ rid, ns, into: element.children });
    } else if (type === 'processinginstruction') {
      into.push({ kind: type, text: pidata, target: pitarget, rid });
    } else if (type !== 'attr') into.push({ kind: type, text: chdata, target: '', rid });
  };
  for (const record of document.container('')?.nodes ?? []) {
    if (record.type === 'text' || (record.type === 'element' && record !== root)) continue;
    add(record, nodes, '');
  }
  for (let parent = open.pop(); parent; parent = open.pop()) {
    for (const record of document.container(parent.rid)?.nodes ?? []) add(record, parent.into, parent.ns);
  }
  return { prolog: document.prolog, nodes };
}

function attributeOf(record: SharedRecord, view: View): TreeAttribute {
  const fields = view(record);
  return { name: fields.name, ns: attributeNamespace(fields), value: fields.chdata, rid: record.rid };
}
