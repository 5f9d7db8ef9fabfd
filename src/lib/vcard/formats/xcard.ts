/** RFC 6351: vCard in XML, as XEP-0292 has it on the wire. */
import { childElements, xml, type Element } from '../../xml/element.js';
import { NS_VCARD4_XML } from '../card.js';
import { readDate, type DateStyle } from '../convert/dates.js';
import { valuesOf } from '../convert/vcard4-elements.js';
import { defaultKind, isCardName, partsOfProperty, type CardProperty } from './card-property.js';

/** Elements of other namespaces have no place in the other notations. */
export function propertiesOfXcard(card: Element): CardProperty[] {
  return childElements(card).flatMap((child) => {
    if (child.getNS() !== NS_VCARD4_XML) return [];
    if (child.getName() !== 'group') return readProperty(child);
    const group: unknown = child.attrs['name'];
    return childElements(child).flatMap((inner) =>
      readProperty(inner, typeof group === 'string' ? group : undefined),
    );
  });
}

function readProperty(element: Element, group?: string): CardProperty[] {
  const name = element.getName().toLowerCase();
  const parameters = readParameters(element);
  const parts = partsOfProperty(name);
  const named = parts?.map((part) =>
    childElements(element)
      .filter((child) => child.getName() === part)
      .map((child) => child.getText().trim()),
  );
  if (named?.some((texts) => texts.length > 0))
    return [{ name, group, parameters, kind: 'text', components: named }];
  const values = valuesOf(element);
  const [first] = values;
  if (!first) return [];
  const texts = values.map(({ text }) => text);
  const components = name === 'org' || parts ? texts.map((text) => [text]) : [texts];
  return [{ name, group, parameters, kind: first.kind, components }];
}

function readParameters(element: Element): Record<string, string[]> {
  const found = Object.create(null) as Record<string, string[]>;
  const parameters = childElements(element).find((child) => child.getName() === 'parameters');
  if (!parameters) return found;
  for (const parameter of childElements(parameters)) {
    const texts = valuesOf(parameter).map(({ text }) => text);
    const name = parameter.getName().toLowerCase();
    // One by one, and never `__proto__`.
    if (texts.length === 0 || !isCardName(name)) continue;
    const all = (found[name] ??= []);
    for (const text of texts) all.push(text);
  }
  return found;
}

/** RFC 6351 Appendix A: the order of parameters. */
const PARAMETER_ORDER = [
  'language',
  'sort-as',
  'altid',
  'pid',
  'pref',
  'calscale',
  'type',
  'mediatype',
  'geo',
  'tz',
  'label',
];
/** A map, since `constructor` is a name like any other. */
const PARAMETER_KINDS: ReadonlyMap<string, string> = new Map([
  ['language', 'language-tag'],
  ['pref', 'integer'],
  ['geo', 'uri'],
]);

/** @param dates how dates are written; `extended` is what clients read */
export function xcardOfProperties(
  properties: readonly CardProperty[],
  dates: DateStyle = 'extended',
): Element {
  const card = xml('vcard', { xmlns: NS_VCARD4_XML });
  const groups = new Map<string, Element>();
  for (const property of properties) {
    const element = writeProperty(property, dates);
    if (!element) continue;
    const { group } = property;
    if (group === undefined) {
      card.cnode(element);
      continue;
    }
    let place = groups.get(group);
    if (!place) {
      place = xml('group', { name: group });
      groups.set(group, place);
      card.cnode(place);
    }
    place.cnode(element);
  }
  return card;
}

function writeProperty(property: CardProperty, dates: DateStyle): Element | undefined {
  const { name, components } = property;
  if (!isCardName(name)) return undefined;
  const element = xml(name, {}, writeParameters(property.parameters));
  const parts = partsOfProperty(name);
  if (parts) {
    for (const [index, part] of parts.entries()) {
      const texts = components[index] ?? [];
      const isRequired = name === 'n' || name === 'adr';
      if (texts.length === 0 && isRequired) element.cnode(xml(part));
      for (const text of texts)
        if (text !== '' || isRequired) element.cnode(text === '' ? xml(part) : xml(part, {}, text));
    }
    return element;
  }
  for (const text of components.flat()) {
    const { kind, written } = typed(property, text, dates);
    element.cnode(xml(kind, {}, written));
  }
  return element;
}

function typed(
  { name, kind }: CardProperty,
  text: string,
  dates: DateStyle,
): { kind: string; written: string } {
  const isDate = defaultKind(name) === 'date-and-or-time' && kind !== 'text';
  if (!isDate) return { kind: isCardName(kind) ? kind : 'text', written: text };
  const date = readDate(text, dates);
  if (date) return { kind: date.kind, written: date.text };
  return kind === 'time' ? { kind, written: text } : { kind: 'text', written: text };
}

function writeParameters(parameters: CardProperty['parameters']): Element | undefined {
  const rank = (name: string): number => {
    const place = PARAMETER_ORDER.indexOf(name);
    return place < 0 ? PARAMETER_ORDER.length : place;
  };
  const names = Object.keys(parameters)
    .filter((name) => isCardName(name) && (parameters[name]?.length ?? 0) > 0)
    .sort((some, other) => rank(some) - rank(other));
  if (names.length === 0) return undefined;
  return xml(
    'parameters',
    {},
    names.map((name) =>
      xml(
        name,
        {},
        (parameters[name] ?? []).map((text) => xml(PARAMETER_KINDS.get(name) ?? 'text', {}, text)),
      ),
    ),
  );
}
