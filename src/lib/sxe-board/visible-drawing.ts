/**
 * What the pages see of a drawing, followed as it is edited: what changes only the attributes or the text of something costs
 * the same in large drawings as in small ones.
 */
import type { Change, Edit, Outcome } from '../sxe/edits.js';
import { attributeNamespace } from '../sxe/namespaces.js';
import type { Participant } from '../sxe/participant.js';
import { treeOf } from '../sxe/tree.js';
import { diffNodes, isSame, withoutPlace, type Patch } from './diff-nodes.js';
import type { BoardNode, PlacedNode } from './messages.js';
import { AllowedValues, showAttributes, showText, visibleNodes, type Visible } from './visible-nodes.js';

export class VisibleDrawing {
  readonly #allowed = new AllowedValues();
  #now: Visible;
  #places: Map<string, number>;
  /** What has been edited since the last look; `all`: more than can be told one by one. */
  #edited: Set<string> | 'all' = new Set();

  constructor(private readonly participant: () => Participant) {
    this.#now = this.#look();
    this.#places = placesOf(this.#now);
  }

  get now(): Visible {
    return this.#now;
  }

  /** Notes an edit that was made. */
  note(edit: Edit | Change, outcome: Outcome | undefined): void {
    if (this.#edited === 'all' || outcome?.kind === 'ignored') return;
    const id = outcome?.kind === 'applied' ? this.#contentOf(edit) : undefined;
    if (id === undefined) this.#edited = 'all';
    else this.#edited.add(id);
  }

  noteAll(): void {
    this.#edited = 'all';
  }

  /** What has become different. `undefined`: everything, it is to be shown anew. */
  update(): Patch | undefined {
    const edited = this.#edited;
    this.#edited = new Set();
    if (edited !== 'all') return { gone: [], put: [], changed: this.#updateSome(edited) };
    const before = this.#now;
    this.#now = this.#look();
    this.#places = placesOf(this.#now);
    const isOther = before.isDrawing !== this.#now.isDrawing || before.isCutOff !== this.#now.isCutOff;
    return isOther ? undefined : diffNodes(before.nodes, this.#now.nodes);
  }

  /** The node whose content an edit changes and nothing else; `undefined` when it may be more. */
  #contentOf(edit: Edit | Change): string | undefined {
    if (edit.kind === 'remove') return undefined;
    const isNew = edit.kind === 'new';
    if (!isNew && (edit.parent ?? edit.weight ?? edit.name ?? edit.ns) !== undefined) return undefined;
    const record = this.participant().document.record(isNew ? edit.rid : edit.target);
    if (record?.type === 'attr') return record.placedIn;
    return record?.type === 'text' && !isNew ? record.rid : undefined;
  }

  #updateSome(ids: ReadonlySet<string>): BoardNode[] {
    const changed: BoardNode[] = [];
    for (const id of ids) {
      const place = this.#places.get(id);
      const old = this.#now.nodes[place ?? -1];
      const node = old && this.#shown(old);
      if (!node || place === undefined || isSame(old, node)) continue;
      this.#now.nodes[place] = node;
      changed.push(withoutPlace(node));
    }
    return changed;
  }

  #shown(old: PlacedNode): PlacedNode | undefined {
    const participant = this.participant();
    const { document } = participant;
    if (old.kind === 'text') {
      const record = document.record(old.id);
      return record && { ...old, text: showText(participant.view(record).chdata) };
    }
    const attributes = (document.container(old.id)?.attributes() ?? []).map((record) => {
      const fields = participant.view(record);
      return { rid: record.rid, name: fields.name, ns: attributeNamespace(fields), value: fields.chdata };
    });
    return { ...old, attributes: showAttributes(old.name, attributes, this.#allowed) };
  }

  #look(): Visible {
    const participant = this.participant();
    const tree = treeOf(participant.document, (record) => participant.view(record));
    return visibleNodes(tree, this.#allowed);
  }
}

function placesOf({ nodes }: Visible): Map<string, number> {
  return new Map(nodes.map(({ id }, index) => [id, index]));
}
