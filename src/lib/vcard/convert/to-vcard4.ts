/**
 * XEP-0292: vCard4 Over XMPP, version 0.12.0: vcard-temp (XEP-0054) becomes vCard4 (RFC 6351).
 *
 * Where the narrative of the specification, its example, its style sheet and RFC 6351 disagree, the result is what the
 * schema of RFC 6351 takes (with `dates: 'rfc'` all of it); what people have in their cards and vCard4 has no place for
 * is told as a warning.
 */
import { childElements, xml, type Element } from '../../xml/element.js';
import { NS_VCARD4_XML, NS_VCARD_TEMP, type Conversion } from '../card.js';
import type { DateStyle } from './dates.js';
import { convertPhotos, type PhotoStyle } from './photos.js';
import { TempCard } from './temp-card.js';
import { addresses, emails, labels, telephones } from './to-vcard4-contacts.js';
import * as convert from './to-vcard4-properties.js';
import { Warnings } from './warnings.js';

export interface ToVcard4Options {
  /** `extended`, unless given: what clients read. `rfc`: what the schema of RFC 6351 takes. */
  dates?: DateStyle;
  /** Where the picture goes: into the avatar (unless given), into a property, or both. */
  photo?: PhotoStyle;
  /** Of the account: the name of last resort. */
  localpart?: string | undefined;
}

/** Never fails: what cannot be kept is told. */
export function vcardTempToVcard4(card: Element, options: ToVcard4Options = {}): Conversion {
  const { dates = 'extended', photo = 'avatar', localpart } = options;
  const warnings = new Warnings();
  const temp = new TempCard(card, warnings);
  const { avatar, properties: photos } = convertPhotos(temp.take('PHOTO'), photo, warnings);
  const homeless = labels(temp);
  const names = convert.names(temp, warnings);
  const others = [
    ...names,
    ...convert.texts(temp, 'NICKNAME', 'nickname'),
    ...convert.birthday(temp, dates, warnings),
    ...addresses(temp, homeless, warnings),
    ...telephones(temp, warnings),
    ...emails(temp, warnings),
    ...convert.addressesOfXmpp(temp, warnings),
    ...convert.timeZones(temp),
    ...convert.places(temp, warnings),
    ...convert.texts(temp, 'TITLE', 'title'),
    ...convert.texts(temp, 'ROLE', 'role'),
    ...convert.media(temp, 'LOGO', 'logo', warnings),
    ...convert.agents(temp, warnings),
    ...convert.organisations(temp),
    ...convert.categories(temp, warnings),
    ...convert.notes(temp),
    ...convert.product(temp, warnings),
    ...convert.revision(temp, warnings),
    ...convert.media(temp, 'SOUND', 'sound', warnings),
    ...convert.identifiers(temp, warnings),
    ...convert.webPages(temp, warnings),
    ...convert.keys(temp, warnings),
    ...photos,
  ];
  temp.reportRest();
  const isEmpty = others.length === 0 && !temp.has('FN');
  if (isEmpty) return { card: undefined, avatar, warnings: warnings.all };
  const formatted = convert.formattedNames(temp, localpart, warnings);
  const vcard4 = xml('vcard', { xmlns: NS_VCARD4_XML });
  for (const element of formatted) vcard4.cnode(element);
  for (const element of others) vcard4.cnode(element);
  return { card: vcard4, avatar, warnings: warnings.all };
}

/** Whether it is a card with something in it; servers answer with an empty one where there is none. */
export function isVcardTemp(element: Element): boolean {
  return (
    element.getName() === 'vCard' && element.getNS() === NS_VCARD_TEMP && childElements(element).length > 0
  );
}
