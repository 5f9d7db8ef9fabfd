/**
 * What a saved file changes: the edits that make one tree of another.
 *
 * Children are aligned by what they are down to the last leaf, then by their ids, then by their kind; what is gone in one
 * place and the same in another is moved; texts are changed by the pieces that differ.
 */
import { diffText } from './diff-text.js';
import type { Change, FieldChanges, SetChange } from './edits.js';
import { Fingerprints } from './fingerprints.js';
import { divideHunk, joinTexts, partsOf } from './join-texts.js';
import { newAttribute, newEdits, type Place } from './load-tree.js';
import { attributeKey } from './namespaces.js';
import { pairChildren } from './pair-children.js';
import { removalsOf } from './remove-subtree.js';
import type { SharedDocument } from './shared-document.js';
import { treeOf, type Tree, type TreeElement, type TreeLeaf, type TreeNode, type View } from './tree.js';
import { weightsBetween } from './weight-order.js';

/**
 * The changes that turn a document, as `view` shows it, into what a file says; for `participant.edit`.
 * The prolog is not compared: it cannot be edited (XEP-0284 §10.2).
 *
 * @param newRid gives ids for new records: `() => participant.newRid()`
 */
export function diffDocument(
  document: SharedDocument,
  after: Tree,
  newRid: () => string,
  view?: View,
): Change[] {
  return new DocumentDiff(document, treeOf(document, view), newRid).run(after.nodes);
}

interface Lists {
  place: Place;
  before: readonly TreeNode[];
  after: readonly TreeNode[];
}

class DocumentDiff {
  readonly #before: readonly TreeNode[];
  readonly #changes: Change[] = [];
  readonly #prints = new Fingerprints();
  readonly #open: Lists[] = [];
  /** Old elements that are in no list any more and may be somewhere else, by their fingerprints. */
  readonly #gone = new Map<number, TreeElement[]>();
  readonly #goneTops: TreeNode[] = [];
  readonly #moved = new Set<string>();
  /** Lists with something new in them, to be looked at when all that is gone is known. */
  readonly #insertions: (() => void)[] = [];

  constructor(
    private readonly document: SharedDocument,
    before: Tree,
    private readonly newRid: () => string,
  ) {
    this.#before = joinTexts(before.nodes);
    this.#prints.add(this.#before);
  }

  run(after: readonly TreeNode[]): Change[] {
    this.#prints.add(after);
    this.#open.push({ place: { parent: '', ns: '' }, before: this.#before, after });
    for (let lists = this.#open.pop(); lists; lists = this.#open.pop()) this.#compareLists(lists);
    for (const candidates of this.#gone.values()) candidates.reverse();
    for (const insert of this.#insertions) insert();
    // A root must not go before the new one is there, and what was moved out of it is safe by now.
    for (const node of this.#goneTops) {
      if (node.rid !== undefined && !this.#moved.has(node.rid))
        this.#changes.push(...removalsOf(this.document, node.rid, this.#moved));
    }
    return this.#changes;
  }

  #compareLists({ place, before, after }: Lists): void {
    const { partners, gone } = pairChildren(before, after, this.#prints);
    for (const node of gone) this.#noteGone(node);
    partners.forEach((partner, index) => {
      const node = after[index];
      if (partner && node && !partner.isSame) this.#compareNodes(partner.old, node);
    });
    if (partners.includes(undefined))
      this.#insertions.push(() =>
        this.#insert(
          place,
          after,
          partners.map((partner) => partner?.old),
        ),
      );
  }

  #noteGone(top: TreeNode): void {
    if (top.kind === 'element') this.#goneTops.push(top);
    else this.#goneTops.push(...partsOf(top));
    const open: TreeNode[] = [top];
    for (let node = open.pop(); node; node = open.pop()) {
      if (node.kind !== 'element') continue;
      const print = this.#prints.of(node);
      const others = this.#gone.get(print);
      if (others) others.push(node);
      else this.#gone.set(print, [node]);
      open.push(...node.children);
    }
  }

  #compareNodes(old: TreeNode, node: TreeNode): void {
    const rid = old.rid ?? '';
    if (old.kind === 'element' && node.kind === 'element') {
      this.#compareAttributes(old, node, rid);
      this.#open.push({ place: { parent: rid, ns: old.ns }, before: old.children, after: node.children });
    } else if (old.kind !== 'element' && node.kind !== 'element') this.#compareLeaves(old, node, rid);
  }

  #compareLeaves(old: TreeLeaf, node: TreeLeaf, target: string): void {
    if (old.kind === 'processinginstruction') {
      this.#changes.push({ kind: 'set', target, pidata: node.text });
      return;
    }
    const hunks = diffText(old.text, node.text);
    if (old.kind === 'comment' && hunks.length > 1) {
      // Half of the changes might leave a comment that is none.
      this.#changes.push({ kind: 'set', target, chdata: node.text });
      return;
    }
    // From the end to the beginning, so that no piece moves another.
    for (const whole of hunks.reverse()) {
      for (const { part, hunk } of divideHunk(partsOf(old), whole)) {
        const { from, count, inserted } = hunk;
        const range = { replaceFrom: from, replaceCount: count };
        this.#changes.push({ kind: 'set', target: part.rid ?? target, chdata: inserted, ...range });
      }
    }
  }

  #compareAttributes(old: TreeElement, node: TreeElement, parent: string): void {
    const left = new Map(old.attributes.map((attribute) => [attributeKey(attribute), attribute]));
    let weight = old.attributes.length;
    for (const attribute of node.attributes) {
      const key = attributeKey(attribute);
      const known = left.get(key);
      left.delete(key);
      if (!known) this.#changes.push(newAttribute(attribute, this.newRid(), parent, weight++));
      else if (known.value !== attribute.value || known.name !== attribute.name) {
        const change: SetChange = { kind: 'set', target: known.rid ?? '' };
        if (known.value !== attribute.value) change.chdata = attribute.value;
        if (known.name !== attribute.name) change.name = attribute.name;
        this.#changes.push(change);
      }
    }
    for (const { rid } of left.values()) {
      if (rid !== undefined) this.#changes.push(...removalsOf(this.document, rid));
    }
  }

  /** Puts what is new between what has stayed. */
  #insert(place: Place, after: readonly TreeNode[], stayed: readonly (TreeNode | undefined)[]): void {
    const weightOf = (index: number, side: 'first' | 'last'): number | undefined => {
      const node = stayed[index];
      const parts = node && node.kind !== 'element' ? partsOf(node) : [];
      const record = side === 'first' ? parts[0] : parts.at(-1);
      return this.document.record(record?.rid ?? node?.rid ?? '')?.fields.weight;
    };
    const inserted = new Set<TreeNode>();
    let previous: number | undefined;
    for (let start = 0; start < after.length; start++) {
      if (stayed[start]) {
        previous = weightOf(start, 'last');
        continue;
      }
      let end = start;
      while (end < after.length && !stayed[end]) end++;
      let weights = weightsBetween(previous, weightOf(end, 'first'), end - start);
      // No room: those behind move on until there is.
      while (!weights && end < after.length) {
        end++;
        while (end < after.length && !stayed[end]) end++;
        weights = weightsBetween(previous, weightOf(end, 'first'), end - start);
      }
      if (!weights) {
        // Not even at the end: somebody has gone to the limits of what a number can be. All get new weights.
        start = 0;
        end = after.length;
        weights = weightsBetween(undefined, undefined, end) ?? [];
      }
      weights.forEach((weight, offset) => {
        const node = after[start + offset];
        const old = stayed[start + offset];
        if (old) this.#reweigh(old, weight, weights[offset + 1] ?? weightOf(end, 'first'));
        else if (node && !inserted.has(node)) this.#insertNode(node, place, weight);
        if (node) inserted.add(node);
      });
      previous = weights.at(-1) ?? previous;
      start = end - 1;
    }
  }

  /** @param next what is behind it gets, or has */
  #reweigh(old: TreeNode, weight: number, next: number | undefined): void {
    const [first = old, ...others] = old.kind === 'element' ? [old] : partsOf(old);
    const between = weightsBetween(weight, next, others.length) ?? [];
    this.#changes.push({ kind: 'set', target: first.rid ?? '', weight });
    others.forEach(({ rid = '' }, index) =>
      this.#changes.push({ kind: 'set', target: rid, weight: between[index] ?? weight }),
    );
  }

  #insertNode(node: TreeNode, place: Place, weight: number): void {
    if (this.#move(node, place, weight)) return;
    const edits = newEdits(node, place, weight, this.newRid, (inner, ...where) =>
      this.#move(inner, ...where),
    );
    for (const edit of edits) this.#changes.push(edit);
  }

  /** Takes an element that is gone elsewhere instead of making a new one. */
  #move(node: TreeNode, place: Place, weight: number): boolean {
    if (node.kind !== 'element') return false;
    const candidates = this.#gone.get(this.#prints.of(node)) ?? [];
    let old = candidates.pop();
    while (old && !this.#isWhole(old)) old = candidates.pop();
    const record = this.document.record(old?.rid ?? '');
    if (!old || !record) return false;
    const changes: FieldChanges = { parent: place.parent, weight };
    // In another namespace it would inherit another one.
    if (record.fields.ns === undefined && place.ns !== old.ns) changes.ns = old.ns;
    this.#changes.push({ kind: 'set', target: record.rid, ...changes });
    forEachElement(old, ({ rid }) => {
      if (rid !== undefined) this.#moved.add(rid);
    });
    return true;
  }

  /** Nothing has been moved out of it. */
  #isWhole(top: TreeElement): boolean {
    let isWhole = true;
    forEachElement(top, ({ rid }) => {
      if (rid !== undefined && this.#moved.has(rid)) isWhole = false;
    });
    return isWhole;
  }
}

function forEachElement(top: TreeElement, visit: (element: TreeElement) => void): void {
  const open: TreeNode[] = [top];
  for (let node = open.pop(); node; node = open.pop()) {
    if (node.kind !== 'element') continue;
    visit(node);
    for (const child of node.children) open.push(child);
  }
}
