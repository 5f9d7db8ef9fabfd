/** What an account has before it is migrated: all that a migration may change, so that it can be put back. */
import type { JID } from '../../jid/jid.js';
import { fetchItems } from '../../pubsub/items.js';
import { fetchAccessModel, type AccessModel } from '../../pubsub/nodes.js';
import { isNothingThere, isNotForUs, type IqRequester } from '../../pubsub/requester.js';
import type { WaitOptions } from '../../session/session.js';
import type { Element } from '../../xml/element.js';
import { fetchVcardTemp } from '../profile/read-profile.js';
import {
  AvatarData,
  AvatarMetadata,
  NODE_VCARD4,
  NS_AVATAR_DATA,
  NS_AVATAR_METADATA,
} from '../profile/stanzas.js';

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

const NONE: SavedNode = { item: undefined, access: undefined };

/** All of it is asked at once. @throws StanzaError @throws TimeoutError */
export async function readState(handle: AccountHandle, options: WaitOptions): Promise<AccountState> {
  const { account, requester } = handle;
  const [vcard4, { metadata, data }, temp] = await allOrFirst([
    // Of an account that is not there this is refused, where a vcard-temp is merely empty.
    readNode(handle, NODE_VCARD4, {}, options),
    readAvatarNodes(handle, options),
    fetchVcardTemp(requester, account, options),
  ]);
  return {
    nodes: { [NODE_VCARD4]: vcard4, [NS_AVATAR_METADATA]: metadata, [NS_AVATAR_DATA]: data },
    temp,
  };
}

async function readAvatarNodes(
  handle: AccountHandle,
  options: WaitOptions,
): Promise<{ metadata: SavedNode; data: SavedNode }> {
  const metadata = await readNode(handle, NS_AVATAR_METADATA, {}, options);
  const id = avatarIdIn(metadata.item);
  const data = id === undefined ? NONE : await readNode(handle, NS_AVATAR_DATA, { id }, options);
  return { metadata, data };
}

/** Waits for all of them, so that nothing goes on behind a failure. @throws what the first in the list does that fails */
async function allOrFirst<T extends readonly unknown[]>(works: {
  [K in keyof T]: Promise<T[K]>;
}): Promise<T> {
  await Promise.allSettled(works);
  for (const work of works) await work;
  return Promise.all(works);
}

/** What is there of what a migration publishes, and nothing else. */
export interface PublishedParts {
  card: Element | undefined;
  /** What the metadata points to. */
  avatarId: string | undefined;
  /** The picture that was asked for, as base64. */
  picture: string | undefined;
}

/**
 * @param wanted whether the card is of interest, and the id of the picture that is
 * @throws StanzaError @throws TimeoutError
 */
export async function readPublished(
  handle: AccountHandle,
  wanted: { card: boolean; avatar: string | undefined },
  options: WaitOptions,
): Promise<PublishedParts> {
  const { avatar } = wanted;
  const itemOf = async (
    isWanted: boolean,
    node: MigratedNode,
    id?: string,
  ): Promise<SavedItem | undefined> =>
    isWanted ? (await readItem(handle, node, { id }, options))?.item : undefined;
  const [card, metadata, data] = await allOrFirst([
    itemOf(wanted.card, NODE_VCARD4),
    itemOf(avatar !== undefined, NS_AVATAR_METADATA),
    itemOf(avatar !== undefined, NS_AVATAR_DATA, avatar),
  ]);
  return {
    card: card?.payload,
    avatarId: avatarIdIn(metadata),
    picture: data && AvatarData.matches(data.payload) ? AvatarData.decode(data.payload).base64 : undefined,
  };
}

/** The picture alone, which nothing may point to yet. @throws StanzaError @throws TimeoutError */
export async function hasAvatarData(
  handle: AccountHandle,
  id: string,
  options: WaitOptions,
): Promise<boolean> {
  const found = await readItem(handle, NS_AVATAR_DATA, { id }, options);
  return found?.item?.id === id;
}

export function avatarIdIn(item: SavedItem | undefined): string | undefined {
  if (!item || !AvatarMetadata.matches(item.payload)) return undefined;
  return AvatarMetadata.decode(item.payload).infos.find(({ url }) => url === undefined)?.id;
}

async function readNode(
  handle: AccountHandle,
  node: MigratedNode,
  wanted: { id?: string },
  options: WaitOptions,
): Promise<SavedNode> {
  const found = await readItem(handle, node, wanted, options);
  if (!found?.item) return found ?? NONE;
  return { ...found, access: await readAccess(handle, node, options) };
}

/** @returns undefined where there is none */
async function readItem(
  { account, requester }: AccountHandle,
  node: MigratedNode,
  { id }: { id?: string | undefined },
  options: WaitOptions,
): Promise<SavedNode | undefined> {
  const wanted = id === undefined ? { max: 1 } : { ids: [id] };
  try {
    const items = await fetchItems(requester, { service: account, node, ...wanted }, options);
    const found = items.find(({ payload }) => payload);
    return found?.payload && { item: { id: found.id, payload: found.payload }, access: undefined };
  } catch (error) {
    if (isNothingThere(error)) return undefined;
    // A picture that we may not see is one that is there already, and can stay. A card has to be seen.
    if (node !== NODE_VCARD4 && isNotForUs(error)) return { ...NONE, isHidden: true };
    throw error;
  }
}

/** Who may read a node is said to its owner, who is not the one who asks where changes are blind. */
async function readAccess(
  { account, requester, isBlind }: AccountHandle,
  node: MigratedNode,
  options: WaitOptions,
): Promise<AccessModel | undefined> {
  if (isBlind === true) return undefined;
  try {
    return await fetchAccessModel(requester, { service: account, node }, options);
  } catch (error) {
    if (isNothingThere(error) || isNotForUs(error)) return undefined;
    throw error;
  }
}
