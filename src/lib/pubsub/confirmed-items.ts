/**
 * What a service has confirmed and may have forgotten all the same: one that is killed can lose what it had not yet
 * written to its disk. COMPAT(ejabberd 23.01): its database writes up to two seconds later.
 */
import { queryInfo } from '../disco/query.js';
import { StanzaError } from '../errors.js';
import type { Session } from '../session/session.js';
import { fetchItems } from './items.js';
import type { OutgoingItem } from './publish-items.js';
import { isNothingThere, type IqRequester, type NodeAddress } from './requester.js';

/** So many are remembered, and so many asked for at a time. */
const MOST = 1000;
const STEP = 100;

export interface LostItems {
  /** Oldest first. */
  items: readonly OutgoingItem[];
  /** So many more are lost, and no longer remembered. */
  older: number;
  /** The node is gone, too, and with it how it was configured. */
  isNodeLost: boolean;
}

export class ConfirmedItems {
  #items: OutgoingItem[] = [];
  #count = 0;

  add(item: OutgoingItem): void {
    this.#count += 1;
    this.#items.push(item);
    if (this.#items.length >= 2 * MOST) this.#items = this.#items.slice(-MOST);
  }

  /**
   * Those near the end that are not there. What is older than the oldest that is there may have had to make room, and
   * what is newer may not: it is lost. When nothing of all that is remembered is there, all is lost with the node
   * where that is gone, and nothing where it is there: then it does not keep its items, or somebody has emptied it.
   *
   * @throws ConnectionLostError @throws TimeoutError
   */
  async findLost(session: Session, address: NodeAddress): Promise<LostItems> {
    const lost: OutgoingItem[] = [];
    const items = this.#items.slice(-MOST);
    for (let end = items.length; end > 0; end -= STEP) {
      const some = items.slice(Math.max(0, end - STEP), end);
      const there = await idsThere(session, address, some);
      const oldestThere = some.findIndex(({ id }) => there.has(id));
      lost.unshift(...some.slice(oldestThere + 1).filter(({ id }) => !there.has(id)));
      if (oldestThere >= 0) return { items: lost, older: 0, isNodeLost: false };
    }
    if (items.length === 0 || !(await isNodeGone(session, address)))
      return { items: [], older: 0, isNodeLost: false };
    return { items, older: this.#count - items.length, isNodeLost: true };
  }
}

/** XEP-0060 §5.4. A service that answers with anything else does not say. */
async function isNodeGone(session: Session, { service, node }: NodeAddress): Promise<boolean> {
  try {
    await queryInfo(session, service ?? session.jid.bare, node);
    return false;
  } catch (error) {
    if (!(error instanceof StanzaError)) throw error;
    return error.condition === 'item-not-found';
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
