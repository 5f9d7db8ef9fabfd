/**
 * Clients that know vcard-temp only shall see what the vCard4 and the avatar say (XEP-0153 beside XEP-0084). Some servers
 * make the one out of the other whenever it is asked for (Prosody); on others (ejabberd) they are two things, and both
 * have to be written.
 */
import type { Session, WaitOptions } from '../../session/session.js';
import { canonicalXml } from '../../xml/canonical.js';
import { childElements, xml, type Element } from '../../xml/element.js';
import { NS_VCARD_TEMP, type Avatar } from '../card.js';
import { vcard4ToVcardTemp } from '../convert/to-vcard-temp.js';
import { fetchConversions } from './account-features.js';
import { fetchVcard4, fetchVcardTemp } from './read-profile.js';
import { publishVcard4, setVcardTemp } from './write-profile.js';

/**
 * Call when the vCard4 and the avatar have been published.
 * @returns whether the server left the vcard-temp to us
 * @throws StanzaError
 */
export async function bringVcardTempInStep(
  session: Session,
  card: Element,
  avatar: Avatar | undefined,
  options: WaitOptions = {},
): Promise<boolean> {
  if ((await fetchConversions(session, options)).cards) return false;
  await setVcardTemp(session, vcard4ToVcardTemp(card, { avatar, target: 'ejabberd' }).card, options);
  // A server that converts without saying so has made a poorer vCard4 of it by now.
  const after = await fetchVcard4(session, undefined, options);
  if (after && canonicalXml(after) === canonicalXml(card)) return true;
  await publishVcard4(session, card, { access: 'keep', ...options });
  return false;
}

/**
 * Call when the avatar was published, or (undefined) taken away.
 * @returns whether the vcard-temp had to be written
 * @throws StanzaError
 */
export async function bringPhotoInStep(
  session: Session,
  avatar: Avatar | undefined,
  options: WaitOptions,
): Promise<boolean> {
  if ((await fetchConversions(session, options)).avatars) return false;
  const card = await fetchVcardTemp(session, undefined, options);
  if (!card && !avatar) return false;
  await setVcardTemp(session, withPhoto(card, avatar), options);
  return true;
}

/** Everything else stays as it is. */
function withPhoto(card: Element | undefined, avatar: Avatar | undefined): Element {
  const kept = card ? childElements(card).filter((child) => child.getName() !== 'PHOTO') : [];
  const photo =
    avatar &&
    xml('PHOTO', {}, xml('TYPE', {}, avatar.mediaType), xml('BINVAL', {}, avatar.data.toString('base64')));
  return xml('vCard', { xmlns: NS_VCARD_TEMP }, ...kept, photo);
}
