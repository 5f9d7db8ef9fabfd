/** A vcard-temp in which the picture stands itself, where there was only a link to it. */
import { InterruptedError, XmppctlError } from '../../errors.js';
import { childElements, xml, type Element } from '../../xml/element.js';
import { NS_VCARD_TEMP, type CardWarning } from '../card.js';
import { linkOf } from '../convert/photos.js';
import { readAvatar } from '../convert/read-avatar.js';
import { vcardTempToVcard4 } from '../convert/to-vcard4.js';

/** @throws XmppctlError it cannot be had */
export type PhotoSource = (link: string) => Promise<Buffer>;

export interface EmbeddedCard {
  card: Element;
  warnings: CardWarning[];
}

/**
 * The first link that leads to a picture counts; a card with a picture of its own stays as it is.
 * @throws InterruptedError
 */
export async function embedPhoto(card: Element, fetch: PhotoSource): Promise<EmbeddedCard> {
  const photos = childElements(card).filter((child) => child.getName() === 'PHOTO');
  const links = photos.flatMap((photo) => linkOf(photo) ?? []);
  if (links.length === 0 || vcardTempToVcard4(card).avatar) return { card, warnings: [] };
  const warnings: CardWarning[] = [];
  for (const photo of photos) {
    const link = linkOf(photo);
    if (link === undefined) continue;
    try {
      const data = await fetch(link);
      const type = xml('TYPE', {}, readAvatar(data)?.mediaType ?? '');
      const embedded = xml('PHOTO', {}, type, xml('BINVAL', {}, data.toString('base64')));
      const children = childElements(card).map((child) => (child === photo ? embedded : child));
      return { card: xml('vCard', { xmlns: NS_VCARD_TEMP }, ...children), warnings };
    } catch (error) {
      if (!(error instanceof XmppctlError) || error instanceof InterruptedError) throw error;
      const value = `${link}: ${error.message}`.slice(0, 500);
      warnings.push({ code: 'photo-not-fetched', element: 'PHOTO/EXTVAL', value });
    }
  }
  return { card, warnings };
}
