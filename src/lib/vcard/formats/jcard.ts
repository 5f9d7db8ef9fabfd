/** RFC 7095: jCard, the same card in JSON. */
import { UsageError } from '../../errors.js';
import { isRecord } from '../../json-object.js';
import { readDate, readTimestamp } from '../convert/dates.js';
import { defaultKind, firstValue, isCardName, partsOfProperty, type CardProperty } from './card-property.js';

type JcardValue = string | number | boolean | (string | string[])[];
export type JcardProperty = [string, Record<string, string | string[]>, string, ...JcardValue[]];
export type Jcard = ['vcard', JcardProperty[]];

export function writeJcard(properties: readonly CardProperty[]): Jcard {
  const version: JcardProperty = ['version', {}, 'text', '4.0'];
  return ['vcard', [version, ...properties.map(writeProperty)]];
}

function writeProperty(property: CardProperty): JcardProperty {
  const { name, group, parameters, components, kind } = property;
  const written: Record<string, string | string[]> = {};
  for (const [key, values] of Object.entries(parameters))
    written[key] = values.length === 1 ? (values[0] ?? '') : [...values];
  if (group !== undefined) written['group'] = group;
  const parts = partsOfProperty(name);
  if (parts || name === 'org') {
    const isFull = name === 'n' || name === 'adr';
    const lists = isFull ? (parts ?? []).map((_part, index) => components[index] ?? []) : components;
    const values = lists.map((texts) => (texts.length > 1 ? [...texts] : (texts[0] ?? '')));
    const [only] = values;
    return [name, written, 'text', values.length === 1 && typeof only === 'string' ? only : values];
  }
  const isDate = defaultKind(name) === 'date-and-or-time' && kind !== 'text';
  // §3.5.3: dates in the extended form.
  const date = isDate ? readDate(firstValue(property), 'extended') : undefined;
  if (date) return [name, written, date.kind, date.text];
  if (kind === 'timestamp') return [name, written, kind, extendedTimestamp(firstValue(property))];
  if (kind === 'utc-offset')
    return [name, written, kind, firstValue(property).replace(/^([+-]\d{2})(\d{2})$/, '$1:$2')];
  return [name, written, kind, ...components.flat()];
}

function extendedTimestamp(text: string): string {
  return text.replace(/^(\d{4})-?(\d{2})-?(\d{2})T(\d{2}):?(\d{2}):?(\d{2})/, '$1-$2-$3T$4:$5:$6');
}

/**
 * One jCard, or an array of several.
 * @throws UsageError it is none
 */
export function readJcards(value: unknown): CardProperty[][] {
  if (!Array.isArray(value)) throw notJcard('it is no array');
  const all: unknown[] = value;
  if (all[0] !== 'vcard') {
    if (all.length === 0) throw notJcard('it is empty');
    return all.flatMap((one) => readJcards(one));
  }
  const [, properties] = all;
  if (!Array.isArray(properties)) throw notJcard('the list of properties is missing');
  return [(properties as unknown[]).flatMap(readProperty)];
}

function readProperty(property: unknown, index: number): CardProperty[] {
  const place = `property ${index + 1}`;
  if (!Array.isArray(property) || property.length < 4) throw notJcard(`${place} has less than four parts`);
  const [name, told, kind, ...values] = property as unknown[];
  if (typeof name !== 'string' || typeof kind !== 'string' || !isRecord(told))
    throw notJcard(`${place} is not a name, an object, a type and values`);
  const lower = name.toLowerCase();
  if (!isCardName(lower)) throw notJcard(`${place} has a name that is none`);
  if (lower === 'version') return [];
  const { group, parameters } = readParameters(told);
  const texts = values.map((value) =>
    Array.isArray(value) ? (value as unknown[]).map(textsOf) : [textsOf(value)],
  );
  const isStructured = partsOfProperty(lower) !== undefined || lower === 'org';
  const components = isStructured ? (texts[0] ?? []) : [texts.flat(2)];
  const base = {
    name: lower,
    group,
    parameters,
    kind: kind.toLowerCase() === 'unknown' ? 'text' : kind.toLowerCase(),
  };
  if (base.kind === 'timestamp') {
    const timestamp = readTimestamp(components[0]?.[0] ?? '');
    return timestamp === undefined ? [] : [{ ...base, components: [[timestamp]] }];
  }
  if (base.kind === 'utc-offset')
    return [{ ...base, components: [[(components[0]?.[0] ?? '').replace(':', '')]] }];
  return [{ ...base, components: components.map((list) => list.filter((text) => text !== '')) }];
}

/** Lists have no lists in them (RFC 7095 §3.3.1.3), so nothing here can be nested until the stack is full. */
function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? (value as unknown[]).map(textOf) : [textOf(value)];
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw notJcard('a value is neither text nor number');
}

function readParameters(told: Record<string, unknown>): {
  group: string | undefined;
  parameters: Record<string, string[]>;
} {
  const parameters: Record<string, string[]> = {};
  let group: string | undefined;
  for (const [key, value] of Object.entries(told)) {
    const name = key.toLowerCase();
    const values = textsOf(value);
    if (name === 'group') [group] = values;
    else if (isCardName(name)) parameters[name] = values;
  }
  return { group, parameters };
}

function notJcard(why: string): UsageError {
  return new UsageError(`not a jCard (RFC 7095): ${why}`);
}
