/** Which items have been seen: by node and id, and with what content, so that a change counts as new. */
import { createHash } from 'node:crypto';
import { isRecord } from '../json-object.js';
import type { Element } from '../xml/element.js';
import { canonicalXml } from '../xml/canonical.js';

export class SeenItems {
  readonly #nodes: Map<string, Map<string, string>>;

  private constructor(nodes: Map<string, Map<string, string>>) {
    this.#nodes = nodes;
  }

  static empty(): SeenItems {
    return new SeenItems(new Map());
  }

  /** What `toString` wrote. @returns undefined for anything else */
  static parse(text: string): SeenItems | undefined {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      return undefined;
    }
    if (!isRecord(value)) return undefined;
    const nodes = new Map<string, Map<string, string>>();
    for (const [node, items] of Object.entries(value)) {
      if (!isRecord(items)) return undefined;
      const entries = Object.entries(items).filter(
        (entry): entry is [string, string] => typeof entry[1] === 'string',
      );
      nodes.set(node, new Map(entries));
    }
    return new SeenItems(nodes);
  }

  /** True when it is new, or has changed; it counts as seen from now on. */
  add(node: string, id: string, payload: Element | undefined): boolean {
    const items = this.#nodes.get(node) ?? new Map<string, string>();
    this.#nodes.set(node, items);
    const digest = digestOf(payload);
    if (items.get(id) === digest) return false;
    items.set(id, digest);
    return true;
  }

  remove(node: string, id: string): void {
    this.#nodes.get(node)?.delete(id);
  }

  clear(node: string): void {
    this.#nodes.delete(node);
  }

  /** Forgets what a node no longer has. */
  keepOnly(node: string, ids: ReadonlySet<string>): void {
    const items = this.#nodes.get(node);
    for (const id of [...(items?.keys() ?? [])]) if (!ids.has(id)) items?.delete(id);
  }

  toString(): string {
    return JSON.stringify(
      Object.fromEntries([...this.#nodes].map(([node, items]) => [node, Object.fromEntries(items)])),
    );
  }
}

/** COMPAT(Prosody 0.12): the attributes of what it has read from its disk again come in any order. */
function digestOf(payload: Element | undefined): string {
  return createHash('sha256')
    .update(payload ? canonicalXml(payload) : '')
    .digest('base64url')
    .slice(0, 22);
}
