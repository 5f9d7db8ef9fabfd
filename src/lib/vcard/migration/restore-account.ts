/** One account taken back to what it was before it was migrated. */
import { RemoteError } from '../../errors.js';
import { publishItem, retractItem } from '../../pubsub/items.js';
import { configureNode } from '../../pubsub/nodes.js';
import { isNothingThere } from '../../pubsub/requester.js';
import type { WaitOptions } from '../../session/session.js';
import { canonicalXml } from '../../xml/canonical.js';
import { NS_AVATAR_DATA } from '../profile/stanzas.js';
import { migratedNodes, readState, type AccountHandle, type SavedItem } from './account-state.js';
import type { JournalAccount } from './journal.js';

type SavedNodes = NonNullable<JournalAccount['before']>;

/**
 * Puts back what was there: the items as they were, and nothing where nothing was; the access of the nodes.
 * @throws StanzaError @throws TimeoutError
 */
export async function restoreAccount(
  handle: AccountHandle,
  { before, planned }: { before: SavedNodes; planned: JournalAccount['planned'] },
  options: WaitOptions,
): Promise<void> {
  const { account, requester, isBlind } = handle;
  const now = await readState(handle, options);
  // The picture before what points to it, as always; what there was not goes in the other order.
  for (const node of [...migratedNodes].reverse()) {
    const { item, access } = before[node];
    const current = now.nodes[node];
    if (!item) continue;
    const isSame =
      current.item?.id === item.id && canonicalXml(current.item.payload) === canonicalXml(item.payload);
    if (!isSame) await publishItem(requester, { service: account, node, ...item }, options);
    if (access !== undefined && access !== current.access)
      await configureNode(requester, { service: account, node, fields: { access_model: access } }, options);
  }
  const added = migratedNodes.flatMap((node) => {
    const current = now.nodes[node].item;
    return !current || before[node].item?.id === current.id ? [] : [{ node, id: current.id }];
  });
  // Ended in the middle, nothing points to the picture any more, and it is there all the same.
  const picture = planned?.avatar;
  if (
    picture != null &&
    ![now, { nodes: before }].some(({ nodes }) => nodes[NS_AVATAR_DATA].item?.id === picture)
  )
    added.push({ node: NS_AVATAR_DATA, id: picture });
  for (const { node, id } of added) {
    try {
      await retractItem(requester, { service: account, node, id }, options);
    } catch (error) {
      if (!isNothingThere(error)) throw error;
    }
  }
  if (isBlind === true) await confirmRestored(handle, before, options);
}

/** @throws RemoteError something is not as it was */
async function confirmRestored(
  handle: AccountHandle,
  before: SavedNodes,
  options: WaitOptions,
): Promise<void> {
  const { nodes } = await readState(handle, options);
  const textOf = (item: SavedItem | undefined): string => (item ? canonicalXml(item.payload) : '');
  for (const node of migratedNodes)
    if (textOf(nodes[node].item) !== textOf(before[node].item))
      throw new RemoteError(`it was put back, and ${node} is not as it was`);
}
