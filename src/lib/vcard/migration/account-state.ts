/** What an account has before it is migrated: all that a migration may change, so that it can be put back. */
import type { JID } from '../../jid/jid.js';
import { fetchItems } from '../../pubsub/items.js';
import { fetchAccessModel, type AccessModel } from '../../pubsub/nodes.js';
import { isNothingThere, isNotForUs, type IqRequester } from '../../pubsub/requester.js';
import type { WaitOptions } from '../../session/session.js';
import type { Element } from '../../xml/element.js';
import { fetchVcardTemp } from '../profile/read-profile.js';
import { AvatarMetadata, NODE_VCARD4, NS_AVATAR_DATA, NS_AVATAR_METADATA } from '../profile/stanzas.js';

/** Speaks for one account. */
export interface AccountHandle {
  account: JID;
  requester: IqRequester;
  /** What becomes of a change is not said: it has to be read back. */
  isBlind?: boolean;
}

export interface SavedItem {
  id: string;
  payload: Element;
}

/** A node that a migration writes to. */
export interface SavedNode {
  item: SavedItem | undefined;
  /** Undefined where there is no node, or the server does not say. */
  access: AccessModel | undefined;
  /** There is one, and not for us: what is in it is not known. */
  isHidden?: boolean;
}

export const migratedNodes = [NODE_VCARD4, NS_AVATAR_METADATA, NS_AVATAR_DATA] as const;
export type MigratedNode = (typeof migratedNodes)[number];

export interface AccountState {
  nodes: Readonly<Record<MigratedNode, SavedNode>>;
  temp: Element | undefined;
}

/** @throws StanzaError @throws TimeoutError */
export async function readState(
  { account, requester }: AccountHandle,
  options: WaitOptions,
): Promise<AccountState> {
  // First the node: of an account that is not there this is refused, where a vcard-temp is merely empty.
  const vcard4 = await readNode(requester, account, NODE_VCARD4, {}, options);
  const metadata = await readNode(requester, account, NS_AVATAR_METADATA, {}, options);
  const id = avatarIdIn(metadata.item);
  const none: SavedNode = { item: undefined, access: undefined };
  const data = id === undefined ? none : await readNode(requester, account, NS_AVATAR_DATA, { id }, options);
  return {
    nodes: { [NODE_VCARD4]: vcard4, [NS_AVATAR_METADATA]: metadata, [NS_AVATAR_DATA]: data },
    temp: await fetchVcardTemp(requester, account, options),
  };
}

/** The picture alone, which nothing may point to yet. @throws StanzaError @throws TimeoutError */
export async function hasAvatarData(
  { account, requester }: AccountHandle,
  id: string,
  options: WaitOptions,
): Promise<boolean> {
  const { item } = await readNode(requester, account, NS_AVATAR_DATA, { id }, options);
  return item?.id === id;
}

export function avatarIdIn(item: SavedItem | undefined): string | undefined {
  if (!item || !AvatarMetadata.matches(item.payload)) return undefined;
  return AvatarMetadata.decode(item.payload).infos.find(({ url }) => url === undefined)?.id;
}

async function readNode(
  requester: IqRequester,
  account: JID,
  node: MigratedNode,
  { id }: { id?: string },
  options: WaitOptions,
): Promise<SavedNode> {
  const address = { service: account, node };
  try {
    const items = await fetchItems(
      requester,
      { ...address, ...(id === undefined ? { max: 1 } : { ids: [id] }) },
      options,
    );
    const found = items.find(({ payload }) => payload);
    if (!found?.payload) return { item: undefined, access: undefined };
    const item = { id: found.id, payload: found.payload };
    return { item, access: await readAccess(requester, address, options) };
  } catch (error) {
    if (isNothingThere(error)) return { item: undefined, access: undefined };
    // A picture that we may not see is one that is there already, and can stay. A card has to be seen.
    if (node !== NODE_VCARD4 && isNotForUs(error))
      return { item: undefined, access: undefined, isHidden: true };
    throw error;
  }
}

/** Who may read a node is said to its owner, who is not always the one who asks. */
async function readAccess(
  requester: IqRequester,
  address: { service: JID; node: string },
  options: WaitOptions,
): Promise<AccessModel | undefined> {
  try {
    return await fetchAccessModel(requester, address, options);
  } catch (error) {
    if (isNothingThere(error) || isNotForUs(error)) return undefined;
    throw error;
  }
}
