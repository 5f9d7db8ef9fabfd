/** Elements of vCard4 as RFC 6351 has them: parameters first, in its order; values typed. */
import { childElements, xml, type Element } from '../../xml/element.js';

export interface Parameters {
  /** Texts to sort by. */
  sortAs?: string | undefined;
  /** 1 is the most preferred. */
  pref?: number | undefined;
  types?: readonly string[] | undefined;
  label?: string | undefined;
}

export type ValueKind = 'text' | 'uri' | 'date' | 'date-time' | 'utc-offset' | 'timestamp';

/** RFC 6351 Appendix A fixes the order. */
export function parametersElement({ sortAs, pref, types = [], label }: Parameters): Element | undefined {
  const children = [
    sortAs === undefined ? undefined : xml('sort-as', {}, xml('text', {}, sortAs)),
    pref === undefined ? undefined : xml('pref', {}, xml('integer', {}, String(pref))),
    types.length === 0 ? undefined : xml('type', {}, ...types.map((type) => xml('text', {}, type))),
    label === undefined ? undefined : xml('label', {}, xml('text', {}, label)),
  ].filter((child) => child !== undefined);
  return children.length === 0 ? undefined : xml('parameters', {}, ...children);
}

export function property(
  name: string,
  kind: ValueKind,
  values: string | readonly string[],
  parameters: Parameters = {},
): Element {
  const texts = typeof values === 'string' ? [values] : values;
  return xml(
    name,
    {},
    parametersElement(parameters),
    texts.map((text) => xml(kind, {}, text || undefined)),
  );
}

/** A property of parts, all of which have to be there: `n` and `adr`. */
export function structured(
  name: string,
  parts: readonly (readonly [string, readonly string[]])[],
  parameters: Parameters = {},
): Element {
  const children = parts.flatMap(([part, values]) =>
    values.length === 0 ? [xml(part)] : values.map((text) => xml(part, {}, text)),
  );
  return xml(name, {}, parametersElement(parameters), children);
}

export const ADR_PARTS = ['pobox', 'ext', 'street', 'locality', 'region', 'code', 'country'] as const;

export interface Value {
  /** The name of the element: `text`, `uri`, `date` …; `text` where somebody wrote none. */
  kind: string;
  text: string;
}

/** The values of a property, without its parameters. Some writers leave the element around the value out. */
export function valuesOf(element: Element): Value[] {
  const values = childElements(element)
    .filter((child) => child.getName() !== 'parameters')
    .map((child) => ({ kind: child.getName(), text: child.getText().trim() }))
    .filter(({ text }) => text !== '');
  const own = element.getText().trim();
  return values.length > 0 || own === '' ? values : [{ kind: 'text', text: own }];
}

/** Of a structured property: all texts of one part. */
export function partsOf(element: Element, name: string): string[] {
  return childElements(element)
    .filter((child) => child.getName() === name)
    .map((child) => child.getText().trim())
    .filter((text) => text !== '');
}

/** Unknown and wrong ones are left out; the examples of XEP-0292 write `<pref>1</pref>`, RFC 6351 an integer in it. */
export function parametersOf(element: Element): Parameters & { types: string[] } {
  const parameters = childElements(element).find((child) => child.getName() === 'parameters');
  const textsOf = (name: string): string[] =>
    parameters
      ? childElements(parameters)
          .filter((child) => child.getName() === name)
          .flatMap((child) => valuesOf(child).map(({ text }) => text))
      : [];
  const pref = Number(textsOf('pref')[0]);
  return {
    sortAs: textsOf('sort-as')[0],
    pref: Number.isInteger(pref) && pref >= 1 && pref <= 100 ? pref : undefined,
    types: textsOf('type').map((type) => type.toLowerCase()),
    label: textsOf('label')[0],
  };
}

/** The properties of a card, those in groups included. */
export function propertiesOf(card: Element): Element[] {
  return childElements(card).flatMap((child) =>
    child.getName() === 'group' ? childElements(child) : [child],
  );
}
