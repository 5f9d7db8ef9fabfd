/** The properties of vcard-temp that stand for themselves, one function for each. */
import { childElements, type Element } from '../../xml/element.js';
import { NS_VCARD_TEMP } from '../card.js';
import { dataUri, decodeBinval } from './base64.js';
import { readDate, readTimestamp, readUtcOffset, type DateStyle } from './dates.js';
import { readAvatar } from './read-avatar.js';
import { child, childText, childTexts, isBlank, textOf, type TempCard } from './temp-card.js';
import { encodeUri, geoUri, hasScheme, isMoreThanAddress, isUuid, webUri, xmppUri } from './uris.js';
import { property, structured } from './vcard4-elements.js';
import type { Warnings } from './warnings.js';

/** Properties whose text is their value. */
export function texts(temp: TempCard, from: string, to: string): Element[] {
  return temp.takeTexts(from).map((text) => property(to, 'text', text));
}

const N_SOURCES = [
  ['surname', 'FAMILY'],
  ['given', 'GIVEN'],
  ['additional', 'MIDDLE'],
  ['prefix', 'PREFIX'],
  ['suffix', 'SUFFIX'],
] as const;

/** RFC 6350 §6.2.2: one name; what it is sorted by is a parameter of it. */
export function names(temp: TempCard, warnings: Warnings): Element[] {
  const [sortAs, ...otherSorts] = temp.takeTexts('SORT-STRING');
  for (const text of otherSorts) warnings.add('duplicate', 'SORT-STRING', text);
  const found = temp.take('N').filter((element) => !isBlank(element));
  const [first, ...others] = found;
  for (const other of others) warnings.add('duplicate', 'N', other);
  if (!first) {
    if (sortAs !== undefined) warnings.add('dropped', 'SORT-STRING', sortAs);
    return [];
  }
  const parts = N_SOURCES.map(([part, source]) => [part, childTexts(first, source)] as const);
  if (parts.every(([, values]) => values.length === 0)) {
    warnings.add('unknown-element', 'N', first);
    return [];
  }
  return [structured('n', parts, { sortAs })];
}

/** RFC 6350 §6.2.1: there has to be one; where there is none it is made of what else names the person. */
export function formattedNames(temp: TempCard, localpart: string | undefined, warnings: Warnings): Element[] {
  const found = texts(temp, 'FN', 'fn');
  if (found.length > 0) return found;
  const made = nameOf(temp) ?? localpart ?? '';
  warnings.add('fn-synthesized', 'FN', made);
  return [property('fn', 'text', made)];
}

function nameOf(temp: TempCard): string | undefined {
  const [name] = temp.take('N').filter((element) => !isBlank(element));
  const full =
    name &&
    ['PREFIX', 'GIVEN', 'MIDDLE', 'FAMILY', 'SUFFIX'].flatMap((part) => childTexts(name, part)).join(' ');
  if (full) return full;
  const [nickname] = temp.takeTexts('NICKNAME');
  if (nickname !== undefined) return nickname;
  const [organisation] = temp.take('ORG').map((element) => childText(element, 'ORGNAME') || textOf(element));
  return organisation === '' ? undefined : organisation;
}

/** Not guessed: `06/08/1966` stays a text. */
export function birthday(temp: TempCard, style: DateStyle, warnings: Warnings): Element[] {
  const [first, ...others] = temp.takeTexts('BDAY');
  for (const other of others) if (other !== first) warnings.add('duplicate', 'BDAY', other);
  if (first === undefined) return [];
  const date = readDate(first, style);
  if (date) return [property('bday', date.kind, date.text)];
  warnings.add('bday-text', 'BDAY', first);
  return [property('bday', 'text', first)];
}

export function addressesOfXmpp(temp: TempCard, warnings: Warnings): Element[] {
  return temp.take('JABBERID').flatMap((element) => {
    const children = childElements(element);
    const address = textOf(element) || children.map(textOf).join('');
    if (children.length > 0) warnings.add('nonstandard', 'JABBERID', element);
    if (/^xmpp:/i.test(address) && isMoreThanAddress(address)) warnings.add('dropped', 'JABBERID', address);
    return address === '' ? [] : [property('impp', 'uri', xmppUri(address))];
  });
}

export function timeZones(temp: TempCard): Element[] {
  return temp.takeTexts('TZ').map((text) => {
    const offset = readUtcOffset(text);
    return offset === undefined ? property('tz', 'text', text) : property('tz', 'utc-offset', offset);
  });
}

export function places(temp: TempCard, warnings: Warnings): Element[] {
  return temp.take('GEO').flatMap((element) => {
    if (isBlank(element)) return [];
    const uri = geoUri(childText(element, 'LAT'), childText(element, 'LON'));
    if (uri !== undefined) return [property('geo', 'uri', uri)];
    warnings.add('bad-geo', 'GEO', element);
    return [];
  });
}

/** LOGO and SOUND: in the card, or somewhere on the web. */
export function media(temp: TempCard, from: string, to: string, warnings: Warnings): Element[] {
  return temp.take(from).flatMap((element) => {
    const phonetic = childText(element, 'PHONETIC');
    if (phonetic !== '') warnings.add('dropped', `${from}/PHONETIC`, phonetic);
    const uri = embedded(
      element,
      from,
      from === 'SOUND' ? 'audio/basic' : 'application/octet-stream',
      warnings,
    );
    if (uri !== undefined) return [property(to, 'uri', uri)];
    const external = childText(element, 'EXTVAL');
    return external === '' ? [] : [property(to, 'uri', encodeUri(external))];
  });
}

function embedded(
  element: Element,
  name: string,
  defaultType: string,
  warnings: Warnings,
): string | undefined {
  const binval = child(element, 'BINVAL');
  if (!binval || binval.getText().trim() === '') return undefined;
  const data = decodeBinval(binval.getText());
  if (!data) {
    warnings.add('bad-base64', `${name}/BINVAL`, binval.getText().slice(0, 200));
    return undefined;
  }
  const told = childText(element, 'TYPE').toLowerCase();
  return dataUri(readAvatar(data)?.mediaType ?? (isMediaType(told) ? told : defaultType), data);
}

function isMediaType(text: string): boolean {
  return /^[a-z0-9!#$&^_.+-]+\/[a-z0-9!#$&^_.+-]+$/.test(text);
}

/** XEP-0292 has `<agent/>`, which vCard4 does not: RFC 6350 §6.6.6 has `related` for it. */
export function agents(temp: TempCard, warnings: Warnings): Element[] {
  const types = ['agent'];
  return temp.take('AGENT').flatMap((element) => {
    if (isBlank(element)) return [];
    const external = childText(element, 'EXTVAL');
    if (external !== '') return [property('related', 'uri', encodeUri(external), { types })];
    const inner = childElements(element).find(
      (candidate) => candidate.getName() === 'vCard' && candidate.getNS() === NS_VCARD_TEMP,
    );
    const card = inner ?? element;
    const address = childText(card, 'JABBERID');
    const name = childText(card, 'FN') || (inner ? '' : textOf(element));
    if (childElements(card).length > 1) warnings.add('dropped', 'AGENT', element);
    if (address !== '') return [property('related', 'uri', xmppUri(address), { types })];
    if (name !== '') return [property('related', 'text', name, { types })];
    warnings.add('dropped', 'AGENT', element);
    return [];
  });
}

/** RFC 6350 §6.6.4: the units follow the name; XEP-0292 says that vCard4 has none, which is a mistake. */
export function organisations(temp: TempCard): Element[] {
  return temp.take('ORG').flatMap((element) => {
    const units = childTexts(element, 'ORGUNIT');
    const name = childText(element, 'ORGNAME') || textOf(element);
    // The first text is the name, so it is there even when it is empty.
    return name === '' && units.length === 0 ? [] : [property('org', 'text', [name, ...units])];
  });
}

export function categories(temp: TempCard, warnings: Warnings): Element[] {
  const keywords = temp.take('CATEGORIES').flatMap((element) => {
    const found = childTexts(element, 'KEYWORD');
    const own = textOf(element);
    if (found.length > 0 || own === '') return found;
    // COMPAT(Prosody 0.12): what its view of a vCard4 makes of them.
    warnings.add('nonstandard', 'CATEGORIES', own);
    return [own];
  });
  return keywords.length === 0 ? [] : [property('categories', 'text', keywords)];
}

/** Many clients write the same into both. */
export function notes(temp: TempCard): Element[] {
  const all = new Set([...temp.takeTexts('NOTE'), ...temp.takeTexts('DESC')]);
  return [...all].map((text) => property('note', 'text', text));
}

export function product(temp: TempCard, warnings: Warnings): Element[] {
  const [first, ...others] = temp.takeTexts('PRODID');
  for (const other of others) warnings.add('duplicate', 'PRODID', other);
  return first === undefined ? [] : [property('prodid', 'text', first)];
}

export function revision(temp: TempCard, warnings: Warnings): Element[] {
  const [first, ...others] = temp.takeTexts('REV');
  for (const other of others) warnings.add('duplicate', 'REV', other);
  if (first === undefined) return [];
  const timestamp = readTimestamp(first);
  if (timestamp !== undefined) return [property('rev', 'timestamp', timestamp)];
  warnings.add('dropped', 'REV', first);
  return [];
}

export function identifiers(temp: TempCard, warnings: Warnings): Element[] {
  const [first, ...others] = temp.takeTexts('UID');
  for (const other of others) warnings.add('duplicate', 'UID', other);
  if (first === undefined) return [];
  return [property('uid', 'uri', isUuid(first) ? `urn:uuid:${first}` : encodeUri(first))];
}

export function webPages(temp: TempCard, warnings: Warnings): Element[] {
  return temp.takeTexts('URL').map((text) => {
    if (!hasScheme(text)) warnings.add('url-scheme', 'URL', text);
    return property('url', 'uri', webUri(text));
  });
}

export function keys(temp: TempCard, warnings: Warnings): Element[] {
  return temp.take('KEY').flatMap((element) => {
    const uri = embedded(element, 'KEY', 'application/octet-stream', warnings);
    if (uri !== undefined) return [property('key', 'uri', uri)];
    const credential = childText(element, 'CRED') || textOf(element);
    if (credential === '') return [];
    const type = childText(element, 'TYPE');
    if (type !== '') warnings.add('dropped', 'KEY/TYPE', type);
    return [property('key', 'text', credential)];
  });
}
