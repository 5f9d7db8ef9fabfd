/** ADR, LABEL, TEL and EMAIL of vcard-temp: the properties whose kinds are empty elements beside their values. */
import { childElements, type Element } from '../../xml/element.js';
import { childText, child, childTexts, isBlank, textOf, type TempCard } from './temp-card.js';
import { telUri } from './telephone.js';
import { ADR_PARTS, property, structured, type Parameters } from './vcard4-elements.js';
import type { Warnings } from './warnings.js';

/** XEP-0054's DTD: the flags of each element; those that map to a type of vCard4, and the others. */
const PLACES: ReadonlySet<string> = new Set(['HOME', 'WORK']);
const TELEPHONES: ReadonlySet<string> = new Set([
  ...PLACES,
  'TEXT',
  'VOICE',
  'FAX',
  'CELL',
  'VIDEO',
  'PAGER',
  'TEXTPHONE',
]);
const LOST: Readonly<Record<string, ReadonlySet<string>>> = {
  ADR: new Set(['DOM', 'INTL', 'PARCEL', 'POSTAL']),
  LABEL: new Set(['DOM', 'INTL', 'PARCEL', 'POSTAL']),
  TEL: new Set(['MSG', 'BBS', 'MODEM', 'ISDN', 'PCS']),
  EMAIL: new Set(['X400']),
};

/** The kinds of an element, as parameters; those without a place in vCard4 are told. */
function kindsOf(element: Element, kept: ReadonlySet<string>, warnings: Warnings): Parameters {
  const types: string[] = [];
  let pref: number | undefined;
  const name = element.getName().toUpperCase();
  for (const candidate of childElements(element)) {
    const kind = candidate.getName().toUpperCase();
    if (kind === 'PREF') pref = 1;
    else if (kept.has(kind)) {
      if (!types.includes(kind.toLowerCase())) types.push(kind.toLowerCase());
    } else if (LOST[name]?.has(kind)) warnings.add('dropped-type', `${name}/${candidate.getName()}`);
  }
  return { pref, types };
}

const ADR_SOURCES: Readonly<Record<(typeof ADR_PARTS)[number], readonly string[]>> = {
  pobox: ['POBOX'],
  ext: ['EXTADD', 'EXTADR'],
  street: ['STREET'],
  locality: ['LOCALITY'],
  region: ['REGION'],
  code: ['PCODE'],
  country: ['CTRY', 'COUNTRY'],
};

/** A label (what is written on a letter) is a parameter of an address in vCard4. */
interface Label {
  element: Element;
  text: string;
  places: string;
}

export function labels(temp: TempCard): Label[] {
  return temp
    .take('LABEL')
    .map((element) => ({
      element,
      text: (childTexts(element, 'LINE').join('\n') || textOf(element)).trim(),
      places: placesOf(element),
    }))
    .filter(({ text }) => text !== '');
}

function placesOf(element: Element): string {
  const names = childElements(element).map((candidate) => candidate.getName().toUpperCase());
  return names
    .filter((name) => PLACES.has(name))
    .sort()
    .join(' ');
}

/** @param homeless the labels; each goes to the first address of its kind, or to an address of its own */
export function addresses(temp: TempCard, homeless: Label[], warnings: Warnings): Element[] {
  const left = new Map<string, Label[]>();
  for (const label of homeless) {
    const same = left.get(label.places);
    if (same) same.push(label);
    else left.set(label.places, [label]);
  }
  for (const same of left.values()) same.reverse();
  const housed = new Set<Label>();
  const found = temp.take('ADR').flatMap((element) => {
    const parts = ADR_PARTS.map((part) => [part, childTextsOf(element, ADR_SOURCES[part])] as const);
    if (parts.every(([, texts]) => texts.length === 0)) {
      if (!isBlank(element)) warnings.add('unknown-element', 'ADR', element);
      return [];
    }
    const label = left.get(placesOf(element))?.pop();
    if (label) housed.add(label);
    return [structured('adr', parts, { ...kindsOf(element, PLACES, warnings), label: label?.text })];
  });
  const alone = homeless
    .filter((label) => !housed.has(label))
    .map(({ element, text }) =>
      structured(
        'adr',
        ADR_PARTS.map((part) => [part, []]),
        { ...kindsOf(element, PLACES, warnings), label: text },
      ),
    );
  return [...found, ...alone];
}

function childTextsOf(element: Element, names: readonly string[]): string[] {
  return names.flatMap((name) => childTexts(element, name));
}

export function telephones(temp: TempCard, warnings: Warnings): Element[] {
  return temp.take('TEL').flatMap((element) => {
    let number = childText(element, 'NUMBER');
    if (number === '' && textOf(element) !== '') {
      number = textOf(element);
      warnings.add('tel-cdata', 'TEL', number);
    }
    if (number === '') return [];
    const parameters = kindsOf(element, TELEPHONES, warnings);
    const uri = telUri(number);
    if (uri !== undefined) return [property('tel', 'uri', uri, parameters)];
    warnings.add('tel-text', 'TEL/NUMBER', number);
    return [property('tel', 'text', number, parameters)];
  });
}

export function emails(temp: TempCard, warnings: Warnings): Element[] {
  return temp.take('EMAIL').flatMap((element) => {
    const userId = child(element, 'USERID');
    let address = userId ? textOf(userId) : '';
    if (address === '' && textOf(element) !== '') {
      address = textOf(element);
      warnings.add('email-cdata', 'EMAIL', address);
    }
    if (address === '') return [];
    return [property('email', 'text', address, kindsOf(element, PLACES, warnings))];
  });
}
