/**
 * What a service has confirmed and may have forgotten all the same: one that is killed can lose what it had not yet
 * written to its disk. COMPAT(ejabberd 23.01): its database writes up to two seconds later.
 */
import { StanzaError } from '../errors.js';
import { fetchItems } from './items.js';
import type { OutgoingItem } from './publish-items.js';
import { isNothingThere, type IqRequester, type NodeAddress } from './requester.js';

/** So many are remembered, and so many asked for at a time. */
const MOST = 1000;
const STEP = 100;

export class ConfirmedItems {
  #items: OutgoingItem[] = [];

  add(item: OutgoingItem): void {
    this.#items.push(item);
    if (this.#items.length >= 2 * MOST) this.#items = this.#items.slice(-MOST);
  }

  /**
   * Those near the end that are not there, oldest first. What is older than the oldest that is there may have had to make
   * room, and what is newer may not: it is lost. None when nothing of all that is remembered is there: then the
   * node does not keep its items, or somebody has emptied it.
   *
   * @throws ConnectionLostError @throws TimeoutError
   */
  async findLost(requester: IqRequester, address: NodeAddress): Promise<OutgoingItem[]> {
    const lost: OutgoingItem[] = [];
    const items = this.#items.slice(-MOST);
    for (let end = items.length; end > 0; end -= STEP) {
      const some = items.slice(Math.max(0, end - STEP), end);
      const there = await idsThere(requester, address, some);
      const oldestThere = some.findIndex(({ id }) => there.has(id));
      lost.unshift(...some.slice(oldestThere + 1).filter(({ id }) => !there.has(id)));
      if (oldestThere >= 0) return lost;
    }
    return [];
  }
}

async function idsThere(
  requester: IqRequester,
  address: NodeAddress,
  items: readonly OutgoingItem[],
): Promise<Set<string>> {
  const ids = items.map(({ id }) => id);
  try {
    return await fetchIds(requester, address, ids);
  } catch (error) {
    // It may not be read, or is not there: publishing will tell.
    if (!(error instanceof StanzaError)) throw error;
    if (!isNothingThere(error) || ids.length === 1) return new Set();
    // COMPAT(ejabberd 23.01): one that is not there, and the answer is that nothing is.
    const each = await Promise.all(items.map((item) => idsThere(requester, address, [item])));
    return new Set(each.flatMap((one) => [...one]));
  }
}

async function fetchIds(
  requester: IqRequester,
  address: NodeAddress,
  ids: readonly string[],
): Promise<Set<string>> {
  const found = await fetchItems(requester, { ...address, ids });
  return new Set(found.map(({ id }) => id));
}
