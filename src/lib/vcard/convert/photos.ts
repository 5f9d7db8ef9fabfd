/** PHOTO of vcard-temp: the first that is a picture becomes the avatar (XEP-0084), which is where clients look. */
import type { Element } from '../../xml/element.js';
import type { Avatar } from '../card.js';
import { dataUri, decodeBinval } from './base64.js';
import { readAvatar } from './read-avatar.js';
import { child, textOf } from './temp-card.js';
import { encodeUri, hasScheme } from './uris.js';
import { property } from './vcard4-elements.js';
import type { Warnings } from './warnings.js';

export type PhotoStyle = 'avatar' | 'property' | 'both';

/** What ejabberd takes in one item unless it is told otherwise: 250,000 characters of base64. */
const LARGE_BYTES = 187_000;

export interface ConvertedPhotos {
  avatar: Avatar | undefined;
  properties: Element[];
}

export function convertPhotos(
  photos: readonly Element[],
  style: PhotoStyle,
  warnings: Warnings,
): ConvertedPhotos {
  let avatar: Avatar | undefined;
  const properties: Element[] = [];
  for (const photo of photos) {
    const external = externalOf(photo, warnings);
    if (external !== undefined) {
      warnings.add('external-photo', 'PHOTO/EXTVAL', external);
      properties.push(property('photo', 'uri', encodeUri(external)));
      continue;
    }
    const picture = pictureOf(photo, warnings);
    if (!picture) continue;
    if (avatar) {
      warnings.add('multiple-photo', 'PHOTO', picture.mediaType);
      if (style !== 'avatar') properties.push(photoProperty(picture));
      continue;
    }
    avatar = picture;
    if (picture.data.length > LARGE_BYTES)
      warnings.add('avatar-large', 'PHOTO/BINVAL', `${picture.data.length} bytes`);
    if (style !== 'avatar') properties.push(photoProperty(picture));
  }
  return { avatar: style === 'property' ? undefined : avatar, properties };
}

export function photoProperty({ mediaType, data }: Avatar): Element {
  return property('photo', 'uri', dataUri(mediaType, data));
}

/** Where the picture is, of a PHOTO that has none in it. */
export function linkOf(photo: Element): string | undefined {
  const binval = child(photo, 'BINVAL');
  // What is in the card is there, whatever has become of the link.
  if (binval && textOf(binval) !== '') return undefined;
  return extvalOf(photo) ?? ownLinkOf(photo);
}

function extvalOf(photo: Element): string | undefined {
  const external = child(photo, 'EXTVAL');
  const url = external ? textOf(external) : '';
  return url === '' ? undefined : url;
}

function ownLinkOf(photo: Element): string | undefined {
  const own = textOf(photo);
  return own === '' || !hasScheme(own) || own.startsWith('data:') ? undefined : own;
}

function externalOf(photo: Element, warnings: Warnings): string | undefined {
  const link = linkOf(photo);
  if (link !== undefined && extvalOf(photo) === undefined) warnings.add('photo-cdata-url', 'PHOTO', link);
  return link;
}

/** @returns undefined when there is none in it that clients show */
function pictureOf(photo: Element, warnings: Warnings): Avatar | undefined {
  const binval = child(photo, 'BINVAL');
  const text = binval ? binval.getText() : photo.getText();
  if (text.trim() === '') {
    if (binval) warnings.add('empty-photo', 'PHOTO/BINVAL');
    return undefined;
  }
  const data = decodeBinval(text);
  if (!data) {
    warnings.add('bad-base64', 'PHOTO/BINVAL', text.slice(0, 200));
    return undefined;
  }
  const picture = readAvatar(data);
  if (!picture) {
    warnings.add('photo-format', 'PHOTO/BINVAL', `${data.length} bytes that are no picture`);
    return undefined;
  }
  const type = child(photo, 'TYPE');
  const told = type ? textOf(type).toLowerCase() : '';
  if (told === '') warnings.add('type-unknown', 'PHOTO/TYPE', picture.mediaType);
  else if (told !== picture.mediaType && told !== sameAs[picture.mediaType])
    warnings.add('type-mismatch', 'PHOTO/TYPE', told);
  return picture;
}

const sameAs: Readonly<Partial<Record<Avatar['mediaType'], string>>> = { 'image/jpeg': 'image/jpg' };
