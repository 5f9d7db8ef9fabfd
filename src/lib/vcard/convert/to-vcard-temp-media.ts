/** Pictures, sounds, keys and those who act for somebody, from vCard4 to vcard-temp. */
import { xml, type Element } from '../../xml/element.js';
import type { Avatar } from '../card.js';
import { parseDataUri } from './base64.js';
import { readAvatar } from './read-avatar.js';
import { parametersOf, valuesOf } from './vcard4-elements.js';
import type { Warnings } from './warnings.js';

export function media(name: 'LOGO' | 'SOUND'): (elements: readonly Element[]) => Element[] {
  return (elements) =>
    elements.flatMap((element) =>
      valuesOf(element).map(({ text }) => {
        const embedded = parseDataUri(text);
        if (!embedded) return xml(name, {}, xml('EXTVAL', {}, text));
        const binval = xml('BINVAL', {}, embedded.data.toString('base64'));
        // XEP-0054's DTD has no TYPE for sounds.
        return name === 'SOUND'
          ? xml(name, {}, binval)
          : xml(name, {}, xml('TYPE', {}, embedded.mediaType), binval);
      }),
    );
}

export function agents(elements: readonly Element[], warnings: Warnings): Element[] {
  return elements.flatMap((element) => {
    if (!parametersOf(element).types.includes('agent')) {
      warnings.add('dropped', 'related', element);
      return [];
    }
    return valuesOf(element).map(({ kind, text }) =>
      kind === 'text'
        ? xml('AGENT', {}, xml('vCard', {}, xml('FN', {}, text)))
        : xml('AGENT', {}, xml('EXTVAL', {}, text)),
    );
  });
}

export function keys(elements: readonly Element[]): Element[] {
  return elements.flatMap((element) =>
    valuesOf(element).map(({ text }) => {
      const embedded = parseDataUri(text);
      return embedded
        ? xml(
            'KEY',
            {},
            xml('TYPE', {}, embedded.mediaType),
            xml('BINVAL', {}, embedded.data.toString('base64')),
          )
        : xml('KEY', {}, xml('CRED', {}, text));
    }),
  );
}

export function pictureIn(elements: readonly Element[]): Avatar | undefined {
  for (const element of elements)
    for (const { text } of valuesOf(element)) {
      const data = parseDataUri(text)?.data;
      const picture = data && readAvatar(data);
      if (picture) return picture;
    }
  return undefined;
}

export function photos(
  elements: readonly Element[],
  avatar: Avatar | undefined,
  warnings: Warnings,
): Element[] {
  const external = elements.flatMap((element) =>
    valuesOf(element).flatMap(({ text }) => {
      const data = parseDataUri(text)?.data;
      if (!data && !/^data:/i.test(text)) return [xml('PHOTO', {}, xml('EXTVAL', {}, text))];
      const picture = data && readAvatar(data);
      if (!picture) warnings.add('photo-format', 'photo', text);
      else if (picture.id !== avatar?.id) warnings.add('multiple-photo', 'photo', picture.mediaType);
      return [];
    }),
  );
  const own = avatar && [
    xml('PHOTO', {}, xml('TYPE', {}, avatar.mediaType), xml('BINVAL', {}, avatar.data.toString('base64'))),
  ];
  return [...(own ?? []), ...external];
}
