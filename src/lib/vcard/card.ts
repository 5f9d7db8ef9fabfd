/**
 * What the parts of this room hand to each other: a card is an element of vCard4 (`urn:ietf:params:xml:ns:vcard-4.0`,
 * RFC 6351) or of vcard-temp (XEP-0054); what a conversion could not keep is a `CardWarning`.
 */
import type { Element } from '../xml/element.js';

export const NS_VCARD4_XML = 'urn:ietf:params:xml:ns:vcard-4.0';
export const NS_VCARD_TEMP = 'vcard-temp';

/** A picture as XEP-0084 publishes it. */
export interface Avatar {
  /** SHA-1 of `data`, lower-case hexadecimal: the id of the item. */
  id: string;
  /** Told from the bytes; whatever somebody wrote about them is a hint at best. */
  mediaType: 'image/png' | 'image/jpeg' | 'image/gif' | 'image/webp';
  data: Buffer;
  /** Pixels, where the bytes tell them. */
  width?: number;
  height?: number;
}

export const warningCodes = [
  'fn-synthesized',
  'type-mismatch',
  'type-unknown',
  'bad-base64',
  'empty-photo',
  'external-photo',
  'photo-not-fetched',
  'multiple-photo',
  'photo-format',
  'photo-cdata-url',
  'avatar-large',
  'avatar-hidden',
  'bday-text',
  'duplicate',
  'dropped',
  'dropped-type',
  'tel-cdata',
  'tel-text',
  'email-cdata',
  'nonstandard',
  'bad-geo',
  'unknown-element',
  'foreign-namespace',
  'lowercase-element',
  'url-scheme',
] as const;

export type WarningCode = (typeof warningCodes)[number];

/** Something of a card that was repaired, changed its form or found no home. */
export interface CardWarning {
  code: WarningCode;
  /** Where in the source, as a path: `PHOTO/BINVAL`, `tel[2]`. */
  element: string;
  /** What was there, cut to a length that can be shown. */
  value: string;
}

export interface Conversion {
  /** `undefined`: there is nothing in the card, so there is nothing to publish. */
  card: Element | undefined;
  /** The picture of the card, where it is one that can be an avatar. */
  avatar: Avatar | undefined;
  warnings: CardWarning[];
}
