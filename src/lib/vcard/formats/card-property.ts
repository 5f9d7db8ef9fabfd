/**
 * A property of a card between its three notations, which say the same: lines of text (RFC 6350), XML (RFC 6351) and
 * JSON (RFC 7095).
 */
export interface CardProperty {
  group?: string | undefined;
  /** Lower case. */
  name: string;
  /** Names in lower case. */
  parameters: Readonly<Record<string, readonly string[]>>;
  /** `text`, `uri`, `date`, `date-time`, `time`, `utc-offset`, `timestamp`, `language-tag`, `integer`, `boolean`. */
  kind: string;
  /** One for each part of a structured property (each a list itself); one list with all values otherwise. */
  components: readonly (readonly string[])[];
}

/** The names of the parts, in order; in XML each is an element of its own. */
export const structuredParts: Readonly<Record<string, readonly string[]>> = {
  n: ['surname', 'given', 'additional', 'prefix', 'suffix'],
  adr: ['pobox', 'ext', 'street', 'locality', 'region', 'code', 'country'],
  gender: ['sex', 'identity'],
  clientpidmap: ['sourceid', 'uri'],
};

export function partsOfProperty(name: string): readonly string[] | undefined {
  return Object.hasOwn(structuredParts, name) ? structuredParts[name] : undefined;
}

/** RFC 6350 §6: what a value is when nothing is said; text otherwise. */
const kinds: Readonly<Record<string, string>> = {
  source: 'uri',
  photo: 'uri',
  impp: 'uri',
  geo: 'uri',
  logo: 'uri',
  member: 'uri',
  related: 'uri',
  sound: 'uri',
  uid: 'uri',
  url: 'uri',
  key: 'uri',
  fburl: 'uri',
  caladruri: 'uri',
  caluri: 'uri',
  bday: 'date-and-or-time',
  anniversary: 'date-and-or-time',
  rev: 'timestamp',
  lang: 'language-tag',
};

export function defaultKind(name: string): string {
  return Object.hasOwn(kinds, name) ? (kinds[name] ?? 'text') : 'text';
}

/** RFC 6350: properties whose value is a list, separated by commas. */
export function isList(name: string): boolean {
  return name === 'nickname' || name === 'categories';
}

export function firstValue({ components }: CardProperty): string {
  return components[0]?.[0] ?? '';
}

export function simple(
  name: string,
  kind: string,
  values: readonly string[],
  parameters: CardProperty['parameters'] = {},
): CardProperty {
  return { name, kind, parameters, components: [values] };
}

/** RFC 6350 §3.3: what a property or a parameter can be called; in lower case. */
export function isCardName(name: string): boolean {
  return /^[a-z][a-z0-9-]*$/.test(name);
}
