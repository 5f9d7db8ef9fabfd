/**
 * What is below a record id, whether there is a record of that id (any more, or yet) or not.
 */
import type { SharedRecord } from './record.js';
import { SortedChildren } from './sorted-children.js';
import { compareRids, compareWeights } from './weight-order.js';

export class Container {
  readonly nodes = new SortedChildren<SharedRecord>();
  readonly #attributes = new Map<string, SharedRecord[]>();

  get isEmpty(): boolean {
    return this.nodes.size === 0 && this.#attributes.size === 0;
  }

  add(record: SharedRecord): void {
    if (record.attributeKey === '') {
      this.nodes.add(record);
      return;
    }
    const twins = this.#attributes.get(record.attributeKey);
    if (twins) twins.push(record);
    else this.#attributes.set(record.attributeKey, [record]);
  }

  delete(record: SharedRecord): void {
    if (record.attributeKey === '') {
      this.nodes.delete(record);
      return;
    }
    const twins = this.#attributes.get(record.attributeKey)?.filter((twin) => twin !== record) ?? [];
    if (twins.length > 0) this.#attributes.set(record.attributeKey, twins);
    else this.#attributes.delete(record.attributeKey);
  }

  /**
   * The attributes an element has, in the order of their weights. Of several with one name the one with the greatest id
   * counts (XEP-0284 §10.3); the others stay and show again when it goes (CLARIFICATIONS 5).
   */
  attributes(): SharedRecord[] {
    const shown: SharedRecord[] = [];
    for (const twins of this.#attributes.values()) shown.push(greatestRid(twins));
    return shown.length < 2 ? shown : shown.sort(compareWeights);
  }

  /** All of one name, shown or not. */
  attributeTwins(key: string): readonly SharedRecord[] {
    return this.#attributes.get(key) ?? [];
  }

  /** Everything, shown or not. */
  all(): SharedRecord[] {
    return [...this.#attributes.values()].flat().concat(this.nodes.toArray());
  }
}

function greatestRid(records: readonly SharedRecord[]): SharedRecord {
  return records.reduce((best, record) => (compareRids(record.rid, best.rid) > 0 ? record : best));
}
