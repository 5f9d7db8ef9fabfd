/**
 * What is done to a drawing, as edits of its records: one element for each shape, and each step with the one that takes it
 * back. What others have changed meanwhile is not taken back with it.
 */
import { diffOnce } from '../sxe/diff-text.js';
import type { Change } from '../sxe/edits.js';
import { newAttribute, newEdits } from '../sxe/load-tree.js';
import { attributeKey, localNameOf } from '../sxe/namespaces.js';
import type { Participant } from '../sxe/participant.js';
import type { SharedRecord } from '../sxe/record.js';
import { removalsOf } from '../sxe/remove-subtree.js';
import { treeOf, type TreeElement, type TreeNode } from '../sxe/tree.js';
import { weightsBetween } from '../sxe/weight-order.js';
import { isAllowedAttribute, NS_SVG } from './allowed-svg.js';

export type Step =
  /** Without `place` on top of everything. The records of `tree`, if it has any, are those it had before. */
  | { kind: 'create'; tree: TreeElement; place?: { parent: string; weight: number } }
  | { kind: 'erase'; id: string }
  /** Undefined: it has none. */
  | { kind: 'attribute'; id: string; name: string; value: string | undefined; expected?: Expected }
  | { kind: 'text'; id: string; text: string; expected?: Expected };

/** A step back is taken only while everything is as the step has left it. */
interface Expected {
  value: string | undefined;
}

export interface Plan {
  changes: Change[];
  inverse: Step;
  /** Which record stands for which now. */
  renamed: [old: string | undefined, now: string][];
}

/** The edits of a step. `undefined`: there is nothing to do, or it cannot be done any more. */
export function planStep(participant: Participant, step: Step): Plan | undefined {
  switch (step.kind) {
    case 'create':
      return planCreation(participant, step);
    case 'erase':
      return planRemoval(participant, step.id);
    case 'attribute':
      return planAttribute(participant, step);
    case 'text':
      return planText(participant, step);
  }
}

function planCreation(
  participant: Participant,
  { tree, place }: Step & { kind: 'create' },
): Plan | undefined {
  const { document } = participant;
  const parent = place?.parent ?? document.root?.rid;
  if (parent === undefined || document.record(parent)?.type !== 'element') return undefined;
  const weight = place?.weight ?? weightOnTop(participant, parent);
  if (weight === undefined) return undefined;
  const ns = namespaceOf(participant, parent);
  const changes = [...newEdits(tree, { parent, ns }, weight, () => participant.newRid())];
  const old = elementsOf(tree);
  const renamed: Plan['renamed'] = [];
  for (const { type, rid } of changes) if (type === 'element') renamed.push([old[renamed.length]?.rid, rid]);
  const id = renamed[0]?.[1];
  return id === undefined ? undefined : { changes, inverse: { kind: 'erase', id }, renamed };
}

function planRemoval(participant: Participant, id: string): Plan | undefined {
  const { document } = participant;
  const record = document.record(id);
  if (record?.type !== 'element' || record === document.root) return undefined;
  const tree = findElement(treeOf(document, (each) => participant.view(each)).nodes, id);
  if (!tree) return undefined;
  const { parent, weight } = record.fields;
  const inverse: Step = { kind: 'create', tree, place: { parent, weight } };
  return { changes: removalsOf(document, id), inverse, renamed: [] };
}

function planAttribute(participant: Participant, step: Step & { kind: 'attribute' }): Plan | undefined {
  const { id, name, value, expected } = step;
  const element = elementRecord(participant, id);
  if (!element || element === participant.document.root) return undefined;
  const elementName = localNameOf(participant.view(element).name);
  if (value !== undefined && !isAllowedAttribute(elementName, name, value)) return undefined;
  const attributes = participant.document.container(id)?.attributes() ?? [];
  const key = attributeKey({ ns: undefined, name });
  const record = attributes.find((each) => each.attributeKey === key);
  const now = record && participant.view(record).chdata;
  if (now === value || (expected && expected.value !== now)) return undefined;
  const inverse: Step = { kind: 'attribute', id, name, value: now, expected: { value } };
  const changes = ((): Change[] => {
    if (value === undefined) return removalsOf(participant.document, record?.rid ?? '');
    if (!record || now === undefined)
      return [newAttribute({ name, ns: '', value }, participant.newRid(), id, attributes.length)];
    return [setText(record, now, value)];
  })();
  return { changes, inverse, renamed: [] };
}

/** Of an element with nothing but text in it. */
function planText(
  participant: Participant,
  { id, text, expected }: Step & { kind: 'text' },
): Plan | undefined {
  const { document } = participant;
  const element = elementRecord(participant, id);
  if (!element || element === document.root) return undefined;
  const children = document.container(id)?.nodes.toArray() ?? [];
  if (children.some(({ type }) => type !== 'text')) return undefined;
  const now = children.map((child) => participant.view(child).chdata).join('');
  if (now === text || (expected && expected.value !== now)) return undefined;
  const [first, ...others] = children;
  const changes: Change[] = others.flatMap(({ rid }) => removalsOf(document, rid));
  if (first) changes.unshift(setText(first, participant.view(first).chdata, text));
  else changes.push({ kind: 'new', rid: participant.newRid(), type: 'text', parent: id, chdata: text });
  const inverse: Step = { kind: 'text', id, text: now, expected: { value: text } };
  return { changes, inverse, renamed: [] };
}

/** Of long texts, as of what a pen draws, only what is new is sent. */
function setText({ rid }: SharedRecord, before: string, after: string): Change {
  const { from, count, inserted } = diffOnce(before, after);
  if (after.length - inserted.length < 64) return { kind: 'set', target: rid, chdata: after };
  return { kind: 'set', target: rid, chdata: inserted, replaceFrom: from, replaceCount: count };
}

function elementRecord({ document }: Participant, id: string): SharedRecord | undefined {
  const record = document.record(id);
  return record?.type === 'element' ? record : undefined;
}

function weightOnTop({ document }: Participant, parent: string): number | undefined {
  const last = document.container(parent)?.nodes.toArray().at(-1);
  return weightsBetween(last?.weight, undefined, 1)?.[0];
}

/** The one that is inherited in an element. */
function namespaceOf(participant: Participant, rid: string): string {
  let record = participant.document.record(rid);
  // What has been placed is in no cycle.
  while (record) {
    const { ns } = participant.view(record);
    if (ns !== undefined) return ns;
    record = participant.document.record(record.placedIn);
  }
  return '';
}

function findElement(nodes: readonly TreeNode[], id: string): TreeElement | undefined {
  const open = [...nodes];
  for (let node = open.pop(); node; node = open.pop()) {
    if (node.kind !== 'element') continue;
    if (node.rid === id) return node;
    for (const child of node.children) open.push(child);
  }
  return undefined;
}

/** In document order, as `newEdits` makes them. */
function elementsOf(top: TreeElement): TreeElement[] {
  const found: TreeElement[] = [];
  const open: TreeNode[] = [top];
  for (let node = open.pop(); node; node = open.pop()) {
    if (node.kind !== 'element') continue;
    found.push(node);
    for (let index = node.children.length - 1; index >= 0; index--) {
      const child = node.children[index];
      if (child) open.push(child);
    }
  }
  return found;
}

/** A new shape, as it stands in a drawing. */
export function shapeElement(
  name: string,
  attributes: Readonly<Record<string, string>>,
  text?: string,
): TreeElement {
  return {
    kind: 'element',
    name,
    ns: NS_SVG,
    attributes: Object.entries(attributes).map(([each, value]) => ({ name: each, ns: '', value })),
    children: text === undefined ? [] : [{ kind: 'text', text, target: '' }],
  };
}
