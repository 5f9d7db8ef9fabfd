/** Changing some properties of a card and leaving everything else as it is, also what is not known here. */
import { UsageError } from '../../errors.js';
import { childElements, xml, type Element } from '../../xml/element.js';
import { NS_VCARD4_XML } from '../card.js';
import { telUri } from '../convert/telephone.js';
import { encodeUri, hasScheme, xmppUri } from '../convert/uris.js';
import { valuesOf } from '../convert/vcard4-elements.js';
import {
  defaultKind,
  isCardName,
  isList,
  partsOfProperty,
  type CardProperty,
} from '../formats/card-property.js';
import { xcardOfProperties } from '../formats/xcard.js';

/** What is set replaces all of its name. */
export interface CardEdit {
  set: readonly CardProperty[];
  remove: readonly string[];
}

/**
 * `email:work=juliet@example.org` as typed.
 * @throws UsageError it is not a name, types and a value
 */
export function parseField(text: string): CardProperty {
  const found = /^([A-Za-z][A-Za-z0-9-]*)((?::[A-Za-z0-9-]+)*)=(.*)$/s.exec(text);
  const [, written = '', types = '', value = ''] = found ?? [];
  if (!found || value.trim() === '')
    throw new UsageError(`"${text}" is not NAME=VALUE or NAME:TYPE=VALUE`, {
      hint: 'for example fn="Juliet Capulet", email:work=juliet@example.org',
    });
  const name = written.toLowerCase();
  const kinds = types
    .toLowerCase()
    .split(':')
    .filter((type) => type !== '');
  const parameters = {
    ...(kinds.includes('pref') && { pref: ['1'] }),
    ...(kinds.some((type) => type !== 'pref') && { type: kinds.filter((type) => type !== 'pref') }),
  };
  return { name, parameters, ...valueFor(name, value.trim()) };
}

function valueFor(name: string, value: string): Pick<CardProperty, 'kind' | 'components'> {
  if (partsOfProperty(name) || name === 'org') {
    const parts = value.split(';').map((part) => (part.trim() === '' ? [] : [part.trim()]));
    return { kind: 'text', components: parts };
  }
  if (isList(name)) return { kind: 'text', components: [value.split(',').map((text) => text.trim())] };
  switch (name) {
    case 'tel': {
      const uri = telUri(value);
      return { kind: uri === undefined ? 'text' : 'uri', components: [[uri ?? value]] };
    }
    case 'impp':
      return { kind: 'uri', components: [[hasScheme(value) ? encodeUri(value) : xmppUri(value)]] };
    case 'bday':
    case 'anniversary':
      return { kind: 'date', components: [[value]] };
    default:
      return { kind: defaultKind(name), components: [[value]] };
  }
}

/** @throws UsageError it is no name of a property */
export function parseFieldName(text: string): string {
  const name = text.toLowerCase();
  if (!isCardName(name)) throw new UsageError(`"${text}" is no name of a property`);
  return name;
}

/**
 * @param card what is there; undefined when there is nothing
 * @returns a new card; `card` stays as it is
 */
export function editCard(card: Element | undefined, { set, remove }: CardEdit): Element {
  return replaceProperties(card, childElements(xcardOfProperties(set)), remove);
}

/** The properties of `added` in place of all of their names; the rest of `card` stays. */
export function overlayCard(card: Element | undefined, added: Element): Element {
  return replaceProperties(card, childElements(added), []);
}

function replaceProperties(
  card: Element | undefined,
  added: readonly Element[],
  remove: readonly string[],
): Element {
  const names = new Set([...remove, ...added.map((element) => element.getName())]);
  const stays = (element: Element): boolean =>
    element.getNS() !== NS_VCARD4_XML || !names.has(element.getName());
  const kept = (card ? childElements(card) : []).flatMap((element) => {
    if (element.getName() !== 'group') return stays(element) ? [element] : [];
    const inner = childElements(element).filter(stays);
    return inner.length === 0 ? [] : [xml('group', element.attrs, ...inner)];
  });
  return xml('vcard', { xmlns: NS_VCARD4_XML }, ...kept, ...added);
}

/** RFC 6350 §6.2.1. */
export function hasFormattedName(card: Element): boolean {
  return childElements(card)
    .flatMap((child) => (child.getName() === 'group' ? childElements(child) : [child]))
    .some((child) => child.getName() === 'fn' && valuesOf(child).length > 0);
}
