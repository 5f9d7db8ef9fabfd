/** Reading what an account says about itself. That there is nothing is no error. */
import { createHash } from 'node:crypto';
import { RemoteError } from '../../errors.js';
import type { JID } from '../../jid/jid.js';
import { fetchItems } from '../../pubsub/items.js';
import { isNothingThere, isNotForUs, type IqRequester } from '../../pubsub/requester.js';
import type { WaitOptions } from '../../session/session.js';
import { xml, type Element } from '../../xml/element.js';
import { NS_VCARD4_XML, NS_VCARD_TEMP, type Avatar } from '../card.js';
import { decodeBase64 } from '../convert/base64.js';
import { readAvatar } from '../convert/read-avatar.js';
import { isVcardTemp, vcardTempToVcard4 } from '../convert/to-vcard4.js';
import {
  AvatarData,
  AvatarMetadata,
  NODE_VCARD4,
  NS_AVATAR_DATA,
  NS_AVATAR_METADATA,
  VCARD4_ITEM,
  type AvatarInfo,
} from './stanzas.js';

/**
 * @param account the own one when left out
 * @returns undefined when there is none, or none for us
 * @throws StanzaError @throws TimeoutError
 */
export async function fetchVcard4(
  requester: IqRequester,
  account: JID | undefined,
  options?: WaitOptions,
): Promise<Element | undefined> {
  const address = { service: account, node: NODE_VCARD4 };
  try {
    const items = await fetchItems(requester, { ...address, max: 1 }, options);
    // Some have several, and only one that counts.
    const item = items.find(({ id }) => id === VCARD4_ITEM) ?? items.at(-1);
    return item?.payload && isVcard4(item.payload) ? item.payload : undefined;
  } catch (error) {
    if (isNothingThere(error) || isNotForUs(error)) return undefined;
    throw error;
  }
}

function isVcard4(element: Element): boolean {
  return element.getName() === 'vcard' && element.getNS() === NS_VCARD4_XML;
}

/**
 * @param account the own one when left out
 * @returns undefined when there is none, or an empty one
 * @throws StanzaError @throws TimeoutError
 */
export async function fetchVcardTemp(
  requester: IqRequester,
  account: JID | undefined,
  options?: WaitOptions,
): Promise<Element | undefined> {
  const payload = xml('vCard', { xmlns: NS_VCARD_TEMP });
  try {
    const reply = await requester.request({ type: 'get', ...(account && { to: account }), payload }, options);
    const card = reply.getChild('vCard', NS_VCARD_TEMP);
    return card && isVcardTemp(card) ? card : undefined;
  } catch (error) {
    if (isNothingThere(error) || isNotForUs(error)) return undefined;
    throw error;
  }
}

export interface FoundAvatar {
  avatar: Avatar;
  source: 'pep' | 'vcard-temp';
}

/**
 * The picture: as XEP-0084 publishes it, or else the PHOTO of the vcard-temp.
 *
 * @param account the own one when left out
 * @returns undefined when there is none
 * @throws RemoteError what is there is not what it says: another hash, or no picture
 */
export async function fetchAvatar(
  requester: IqRequester,
  account: JID | undefined,
  options?: WaitOptions,
): Promise<FoundAvatar | undefined> {
  const info = await fetchAvatarInfo(requester, account, options);
  if (info && info.url === undefined) {
    const avatar = await fetchPublished(requester, account, info, options);
    if (avatar) return { avatar, source: 'pep' };
  }
  const temp = await fetchVcardTemp(requester, account, options);
  const avatar = temp && vcardTempToVcard4(temp).avatar;
  if (avatar) return { avatar, source: 'vcard-temp' };
  if (info?.url !== undefined)
    throw new RemoteError(`the avatar is not on the server but at ${info.url}`, {
      hint: 'nothing is fetched from elsewhere',
    });
  return undefined;
}

/** @returns undefined when there is none; of several, the one on the server */
export async function fetchAvatarInfo(
  requester: IqRequester,
  account: JID | undefined,
  options?: WaitOptions,
): Promise<AvatarInfo | undefined> {
  try {
    const [item] = await fetchItems(
      requester,
      { service: account, node: NS_AVATAR_METADATA, max: 1 },
      options,
    );
    const infos =
      item?.payload && AvatarMetadata.matches(item.payload) ? AvatarMetadata.decode(item.payload).infos : [];
    return infos.find(({ url }) => url === undefined) ?? infos[0];
  } catch (error) {
    if (isNothingThere(error) || isNotForUs(error)) return undefined;
    throw error;
  }
}

async function fetchPublished(
  requester: IqRequester,
  account: JID | undefined,
  info: AvatarInfo,
  options?: WaitOptions,
): Promise<Avatar | undefined> {
  let payload: Element | undefined;
  try {
    const items = await fetchItems(
      requester,
      { service: account, node: NS_AVATAR_DATA, ids: [info.id] },
      options,
    );
    payload = items.find(({ id }) => id === info.id)?.payload;
  } catch (error) {
    if (isNothingThere(error) || isNotForUs(error)) return undefined;
    throw error;
  }
  if (!payload || !AvatarData.matches(payload)) return undefined;
  const data = decodeBase64(AvatarData.decode(payload).base64);
  const id = info.id.toLowerCase();
  if (!data || createHash('sha1').update(data).digest('hex') !== id)
    throw new RemoteError('the avatar is not what it says it is: its hash is another', {
      details: { id: info.id },
    });
  const avatar = readAvatar(data);
  if (!avatar)
    throw new RemoteError('the avatar is no picture that clients show', {
      details: { type: info.type ?? '' },
    });
  return avatar;
}
