/**
 * XEP-0054: vcard-temp, version 1.3.0: what of a vCard4 (RFC 6351) has a place in it. Not here: the protocol around it.
 */
import { childElements, xml, type Element } from '../../xml/element.js';
import { NS_VCARD_TEMP, NS_VCARD4_XML, type Avatar, type Conversion } from '../card.js';
import { extendedTimestamp, readDate, readUtcOffset } from './dates.js';
import { numberOfTelUri } from './telephone.js';
import { agents, keys, media, photos, pictureIn } from './to-vcard-temp-media.js';
import { addressOfXmppUri, isMoreThanAddress, parseGeoUri } from './uris.js';
import { parametersOf, partsOf, propertiesOf, valuesOf } from './vcard4-elements.js';
import { Warnings } from './warnings.js';

export interface ToVcardTempOptions {
  /** The picture that the account publishes beside the card (XEP-0084). */
  avatar?: Avatar | undefined;
  /** Whose repetitions have to be joined, since of some elements it keeps only the last. */
  target?: 'ejabberd' | undefined;
}

/** Never fails: what has no place in vcard-temp is told. */
export function vcard4ToVcardTemp(card: Element, options: ToVcardTempOptions = {}): Conversion {
  const warnings = new Warnings();
  const known = new Map<string, Element[]>();
  for (const element of propertiesOf(card)) {
    const name = element.getName();
    if (element.getNS() !== NS_VCARD4_XML) warnings.add('foreign-namespace', name, element);
    else if (!Object.hasOwn(converters, name)) warnings.add('dropped', name, element);
    else {
      const same = known.get(name);
      if (same) same.push(element);
      else known.set(name, [element]);
      reportParameters(element, name, warnings);
    }
  }
  const children: Element[] = [];
  for (const [name, convert] of Object.entries(converters)) {
    const converted = convert(sortedByPref(known.get(name) ?? []), warnings);
    for (const element of converted) children.push(element);
  }
  const avatar = options.avatar ?? pictureIn(known.get('photo') ?? []);
  for (const photo of photos(known.get('photo') ?? [], avatar, warnings)) children.push(photo);
  const all = options.target === 'ejabberd' ? joinRepeated(children, warnings) : children;
  const temp = xml('vCard', { xmlns: NS_VCARD_TEMP });
  for (const element of all) temp.cnode(element);
  return { card: all.length === 0 ? undefined : temp, avatar, warnings: warnings.all };
}

const TYPED: ReadonlySet<string> = new Set(['adr', 'tel', 'email', 'related']);
/** A preference is the order that is written; the others are written beside what they belong to. */
const KEPT: ReadonlySet<string> = new Set(['pref', 'label', 'sort-as']);

/** What parameters say has a place in vcard-temp only here and there, and the name of a group nowhere. */
function reportParameters(element: Element, name: string, warnings: Warnings): void {
  const group = element.parent?.getName() === 'group' ? String(element.parent.attrs['name'] ?? '') : '';
  if (group !== '') warnings.add('dropped', `${name}/group`, group);
  for (const part of childElements(element)) {
    if (part.getName() !== 'parameters') continue;
    for (const parameter of childElements(part)) {
      const kind = parameter.getName();
      if (KEPT.has(kind) || (kind === 'type' && TYPED.has(name))) continue;
      warnings.add(kind === 'type' ? 'dropped-type' : 'dropped', `${name}/${kind}`, parameter);
    }
  }
}

type Converter = (elements: readonly Element[], warnings: Warnings) => Element[];

const texts =
  (name: string): Converter =>
  (elements) =>
    elements.flatMap((element) => valuesOf(element).map(({ text }) => xml(name, {}, text)));

/** In the order of XEP-0054's DTD, but for what clients expect first. */
const converters: Readonly<Record<string, Converter>> = {
  fn: texts('FN'),
  n: names,
  nickname: texts('NICKNAME'),
  bday: birthdays,
  adr: (elements, warnings) => elements.flatMap((element) => address(element, warnings)),
  tel: (elements, warnings) => elements.flatMap((element) => telephone(element, warnings)),
  email: (elements, warnings) => elements.flatMap((element) => email(element, warnings)),
  impp: (elements, warnings) =>
    elements.flatMap((element) =>
      valuesOf(element).flatMap(({ text }) => {
        const found = addressOfXmppUri(text);
        if (found !== undefined && found !== '' && isMoreThanAddress(text))
          warnings.add('dropped', 'impp', text);
        if (found !== undefined && found !== '') return [xml('JABBERID', {}, found)];
        warnings.add('dropped', 'impp', text);
        return [];
      }),
    ),
  tz: timeZones,
  geo: (elements, warnings) =>
    elements.flatMap((element) =>
      valuesOf(element).flatMap(({ text }) => {
        const place = parseGeoUri(text);
        if (place && place.more !== '') warnings.add('dropped', 'geo', text);
        if (place) return [xml('GEO', {}, xml('LAT', {}, place.latitude), xml('LON', {}, place.longitude))];
        warnings.add('bad-geo', 'geo', text);
        return [];
      }),
    ),
  title: texts('TITLE'),
  role: texts('ROLE'),
  logo: media('LOGO'),
  related: agents,
  org: (elements) => elements.flatMap(organisation),
  categories: (elements) => {
    const keywords = elements.flatMap((element) => valuesOf(element).map(({ text }) => text));
    return keywords.length === 0
      ? []
      : [
          xml(
            'CATEGORIES',
            {},
            keywords.map((text) => xml('KEYWORD', {}, text)),
          ),
        ];
  },
  note: notes,
  prodid: texts('PRODID'),
  rev: (elements, warnings) =>
    elements.flatMap((element) =>
      valuesOf(element).flatMap(({ text }) => {
        const written = extendedTimestamp(text);
        if (written !== undefined) return [xml('REV', {}, written)];
        warnings.add('dropped', 'rev', text);
        return [];
      }),
    ),
  sound: media('SOUND'),
  uid: texts('UID'),
  url: texts('URL'),
  key: keys,
  // Together with the avatar, at the end.
  photo: () => [],
};

/** vcard-temp has no order of preference but the first. */
function sortedByPref(elements: readonly Element[]): Element[] {
  const rank = (element: Element): number => parametersOf(element).pref ?? 101;
  return elements.length < 2 ? [...elements] : [...elements].sort((some, other) => rank(some) - rank(other));
}

const N_TARGETS = [
  ['FAMILY', 'surname'],
  ['GIVEN', 'given'],
  ['MIDDLE', 'additional'],
  ['PREFIX', 'prefix'],
  ['SUFFIX', 'suffix'],
] as const;

function names([first, ...others]: readonly Element[], warnings: Warnings): Element[] {
  for (const other of others) warnings.add('duplicate', 'n', other);
  if (!first) return [];
  const parts = N_TARGETS.map(([target, part]) => [target, partsOf(first, part).join(',')] as const).filter(
    ([, text]) => text !== '',
  );
  const { sortAs } = parametersOf(first);
  return [
    ...(parts.length > 0 ? [xml('N', {}, ...parts.map(([target, text]) => xml(target, {}, text)))] : []),
    ...(sortAs === undefined ? [] : [xml('SORT-STRING', {}, sortAs)]),
  ];
}

function birthdays(elements: readonly Element[], warnings: Warnings): Element[] {
  return elements.flatMap((element) =>
    valuesOf(element).flatMap(({ kind, text }) => {
      if (kind !== 'time') return [xml('BDAY', {}, readDate(text, 'extended')?.text ?? text)];
      warnings.add('dropped', 'bday', text);
      return [];
    }),
  );
}

const PLACES: ReadonlySet<string> = new Set(['home', 'work']);
const TELEPHONES: ReadonlySet<string> = new Set([...PLACES, 'voice', 'fax', 'pager', 'cell', 'video']);

/** HOME, WORK and the like as empty elements; the DTD does not know the others. */
function flags(element: Element, known: ReadonlySet<string>, warnings: Warnings): Element[] {
  const { types, pref } = parametersOf(element);
  for (const type of types)
    if (!known.has(type)) warnings.add('dropped-type', `${element.getName()}/${type}`);
  return [
    ...[...new Set(types)].filter((type) => known.has(type)).map((type) => xml(type.toUpperCase())),
    ...(pref === undefined ? [] : [xml('PREF')]),
  ];
}

const ADR_TARGETS = [
  ['POBOX', 'pobox'],
  ['EXTADD', 'ext'],
  ['STREET', 'street'],
  ['LOCALITY', 'locality'],
  ['REGION', 'region'],
  ['PCODE', 'code'],
  ['CTRY', 'country'],
] as const;

function address(element: Element, warnings: Warnings): Element[] {
  const kinds = flags(element, PLACES, warnings);
  const parts = ADR_TARGETS.flatMap(([target, part]) =>
    partsOf(element, part).map((text) => xml(target, {}, text)),
  );
  const { label } = parametersOf(element);
  const places = kinds.filter((kind) => kind.getName() !== 'PREF').map((kind) => xml(kind.getName()));
  return [
    ...(parts.length > 0 ? [xml('ADR', {}, ...kinds, ...parts)] : []),
    ...(label === undefined
      ? []
      : [
          xml(
            'LABEL',
            {},
            ...(parts.length > 0 ? places : kinds),
            label.split('\n').map((line) => xml('LINE', {}, line)),
          ),
        ]),
  ];
}

function telephone(element: Element, warnings: Warnings): Element[] {
  const kinds = flags(element, TELEPHONES, warnings);
  return valuesOf(element)
    .slice(0, 1)
    .map(({ kind, text }) =>
      xml('TEL', {}, ...kinds, xml('NUMBER', {}, kind === 'uri' ? numberOfTelUri(text) : text)),
    );
}

function email(element: Element, warnings: Warnings): Element[] {
  const kinds = flags(element, PLACES, warnings);
  return valuesOf(element)
    .slice(0, 1)
    .map(({ text }) => xml('EMAIL', {}, ...kinds, xml('INTERNET'), xml('USERID', {}, text)));
}

function timeZones(elements: readonly Element[], warnings: Warnings): Element[] {
  return elements.flatMap((element) =>
    valuesOf(element).flatMap(({ kind, text }) => {
      if (kind === 'uri') {
        warnings.add('dropped', 'tz', text);
        return [];
      }
      const offset = kind === 'utc-offset' ? readUtcOffset(text) : undefined;
      return [xml('TZ', {}, offset === undefined ? text : `${offset.slice(0, 3)}:${offset.slice(3)}`)];
    }),
  );
}

function organisation(element: Element): Element[] {
  const [first] = childElements(element).filter((child) => child.getName() !== 'parameters');
  const texts = valuesOf(element).map(({ text }) => text);
  // The first is the name, and what follows an empty one are units.
  const name = first?.getText().trim() === '' ? undefined : texts.shift();
  if (name === undefined && texts.length === 0) return [];
  const units = texts.map((unit) => xml('ORGUNIT', {}, unit));
  return [xml('ORG', {}, name === undefined ? undefined : xml('ORGNAME', {}, name), units)];
}

/** DESC beside NOTE: many clients of vcard-temp read only that. */
function notes(elements: readonly Element[]): Element[] {
  const all = elements.flatMap((element) => valuesOf(element).map(({ text }) => text));
  const [first] = all;
  return [
    ...all.map((text) => xml('NOTE', {}, text)),
    ...(first === undefined ? [] : [xml('DESC', {}, first)]),
  ];
}

/** COMPAT(ejabberd 23.01): of each of these it stores the last only. */
const LAST_ONLY: Readonly<Record<string, string | undefined>> = {
  NICKNAME: ', ',
  NOTE: '\n',
  TITLE: ', ',
  URL: undefined,
  ORG: undefined,
  BDAY: undefined,
};

function joinRepeated(children: readonly Element[], warnings: Warnings): Element[] {
  const firsts = new Map<string, Element>();
  return children.filter((element) => {
    const name = element.getName();
    if (!Object.hasOwn(LAST_ONLY, name)) return true;
    const first = firsts.get(name);
    if (!first) {
      firsts.set(name, element);
      return true;
    }
    const separator = LAST_ONLY[name];
    if (separator === undefined) warnings.add('duplicate', name, element);
    else first.children = [`${first.getText()}${separator}${element.getText()}`];
    return false;
  });
}
