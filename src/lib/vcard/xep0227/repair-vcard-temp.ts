/**
 * COMPAT(ejabberd 23.01): its import ends at the first account whose card it cannot read, and those behind it are not
 * imported. So what it cannot read is repaired, or left out and told.
 */
import { childElements, xml, type Element } from '../../xml/element.js';
import type { CardWarning } from '../card.js';
import { decodeBase64 } from '../convert/base64.js';
import { readAvatar } from '../convert/read-avatar.js';

/**
 * Changes the card.
 * @returns what was done; nothing when it was well as it was
 */
export function repairVcardTemp(card: Element, maxPictureBytes: number): CardWarning[] {
  const warnings: CardWarning[] = [];
  for (const element of childElements(card)) {
    const binval = element.getChild('BINVAL');
    const text = binval?.getText() ?? '';
    if (!binval || text.trim() === '') continue;
    const name = element.getName();
    const data = decodeBase64(text);
    const leaveOut = (code: CardWarning['code'], value: string): void => {
      card.children = card.children.filter((child) => child !== element);
      warnings.push({ code, element: `${name}/BINVAL`, value });
    };
    if (!data) leaveOut('bad-base64', text.slice(0, 60));
    else if (name === 'PHOTO' && data.length > maxPictureBytes)
      leaveOut('avatar-large', `${data.length} bytes`);
    else {
      // Without its padding it is none to ejabberd.
      if (text.replace(/\s+/g, '').length % 4 !== 0) {
        binval.children = [data.toString('base64')];
        warnings.push({ code: 'nonstandard', element: `${name}/BINVAL`, value: text.slice(-20) });
      }
      // It makes an avatar without a type of it, which nobody can fetch.
      const type = name === 'PHOTO' && !element.getChild('TYPE') ? readAvatar(data)?.mediaType : undefined;
      if (type !== undefined) {
        element.cnode(xml('TYPE', {}, type));
        warnings.push({ code: 'type-unknown', element: name, value: type });
      }
    }
  }
  return warnings;
}
