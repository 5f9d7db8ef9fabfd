/** Finds addresses of a list that mean the same account, or look as if they did. Keeps one entry for each address seen. */
import { skeleton } from './confusables/skeleton.js';

export interface ListedAddress {
  /** Line of the list, or place among the arguments, counted from 1. */
  line: number;
  input: string;
}

export interface Collision {
  /** `same`: the prepared addresses are equal, so that the two accounts become one. `look-alike`: only the looks are. */
  kind: 'same' | 'look-alike';
  /** The first address of the list with which it collides. */
  with: ListedAddress;
}

export class CollisionFinder {
  readonly #byAddress = new Map<string, ListedAddress>();
  readonly #byLooks = new Map<string, ListedAddress>();

  /** Adds a prepared address, and says with which earlier one it collides. */
  add(prepared: string, listed: ListedAddress): Collision | undefined {
    const same = this.#byAddress.get(prepared);
    if (same) return { kind: 'same', with: same };
    this.#byAddress.set(prepared, listed);
    const looks = skeleton(prepared);
    const alike = this.#byLooks.get(looks);
    if (alike) return { kind: 'look-alike', with: alike };
    this.#byLooks.set(looks, listed);
    return undefined;
  }
}
