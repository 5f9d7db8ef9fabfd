/** Publishing what an account says about itself, so that clients of the new and of the old kind see the same. */
import type { JID } from '../../jid/jid.js';
import { configureNode } from '../../pubsub/nodes.js';
import { publishItem, retractItem } from '../../pubsub/items.js';
import { isNothingThere, isPreconditionNotMet, type IqRequester } from '../../pubsub/requester.js';
import type { WaitOptions } from '../../session/session.js';
import { xml, type Element } from '../../xml/element.js';
import { NS_VCARD_TEMP, type Avatar } from '../card.js';
import {
  AvatarData,
  AvatarMetadata,
  NODE_VCARD4,
  NS_AVATAR_DATA,
  NS_AVATAR_METADATA,
  VCARD4_ITEM,
} from './stanzas.js';

/** `keep`: as the node is; a new one is open, as a vcard-temp has always been. */
export type Access = 'open' | 'presence' | 'keep';

interface Target extends WaitOptions {
  /** The own account when left out. */
  account?: JID | undefined;
  /** `as-it-is`: for a node that is there. */
  access: Access | 'as-it-is';
}

/** @throws StanzaError */
export async function publishVcard4(
  requester: IqRequester,
  card: Element,
  { account, access, ...options }: Target,
): Promise<void> {
  const publication = { service: account, node: NODE_VCARD4, id: VCARD4_ITEM, payload: card };
  await publishWithAccess(requester, publication, access, options);
}

/** XEP-0084 §3: first the data, then what points to it. @throws StanzaError */
export async function publishAvatar(requester: IqRequester, avatar: Avatar, target: Target): Promise<void> {
  await publishAvatarData(requester, avatar, target);
  await publishAvatarMetadata(requester, avatar, target);
}

/** @throws StanzaError */
async function publishAvatarData(
  requester: IqRequester,
  { id, data }: Avatar,
  { account, access, ...options }: Target,
): Promise<void> {
  const payload = AvatarData.encode({ base64: data.toString('base64') });
  await publishWithAccess(
    requester,
    { service: account, node: NS_AVATAR_DATA, id, payload },
    access,
    options,
  );
}

/** Only when the data is there. @throws StanzaError */
export async function publishAvatarMetadata(
  requester: IqRequester,
  { id, mediaType, data, width, height }: Avatar,
  { account, access, ...options }: Target,
): Promise<void> {
  const size = { ...(width !== undefined && { width }), ...(height !== undefined && { height }) };
  const payload = AvatarMetadata.encode({ infos: [{ id, bytes: data.length, type: mediaType, ...size }] });
  await publishWithAccess(
    requester,
    { service: account, node: NS_AVATAR_METADATA, id, payload },
    access,
    options,
  );
}

/** XEP-0084 §4.3: empty metadata says that there is none; the data goes, too. @throws StanzaError */
export async function clearAvatar(
  requester: IqRequester,
  earlierId: string | undefined,
  { account, access, ...options }: Target,
): Promise<void> {
  await publishWithAccess(
    requester,
    {
      service: account,
      node: NS_AVATAR_METADATA,
      id: VCARD4_ITEM,
      payload: AvatarMetadata.encode({ infos: [] }),
    },
    access,
    options,
  );
  if (earlierId === undefined) return;
  try {
    await retractItem(requester, { service: account, node: NS_AVATAR_DATA, id: earlierId }, options);
  } catch (error) {
    if (!isNothingThere(error)) throw error;
  }
}

interface Publishing {
  service: JID | undefined;
  node: string;
  id: string;
  payload: Element;
}

/** The node is made as it should be; one that is there already is changed only when that was asked for. */
async function publishWithAccess(
  requester: IqRequester,
  publication: Publishing,
  access: Target['access'],
  options: WaitOptions,
): Promise<void> {
  if (access === 'as-it-is') {
    await publishItem(requester, publication, options);
    return;
  }
  const wanted = access === 'keep' ? 'open' : access;
  try {
    const publishOptions = { persist_items: 'true', access_model: wanted };
    await publishItem(requester, { ...publication, publishOptions }, options);
    return;
  } catch (error) {
    if (!isPreconditionNotMet(error)) throw error;
  }
  const { service, node } = publication;
  if (access !== 'keep')
    await configureNode(requester, { service, node, fields: { access_model: wanted } }, options);
  await publishItem(requester, publication, options);
}

/** @throws StanzaError */
export async function setVcardTemp(
  requester: IqRequester,
  card: Element | undefined,
  { account, ...options }: WaitOptions & { account?: JID | undefined } = {},
): Promise<void> {
  const payload = card ?? xml('vCard', { xmlns: NS_VCARD_TEMP });
  await requester.request({ type: 'set', ...(account && { to: account }), payload }, options);
}
