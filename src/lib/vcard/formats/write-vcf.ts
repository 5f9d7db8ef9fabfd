/** Cards as text: vCard 4.0 (RFC 6350), and 3.0 (RFC 2426) for what reads only that. */
import type { CardWarning } from '../card.js';
import { parseDataUri } from '../convert/base64.js';
import { readDate, readTimestamp } from '../convert/dates.js';
import { numberOfTelUri } from '../convert/telephone.js';
import { parseGeoUri } from '../convert/uris.js';
import { Warnings } from '../convert/warnings.js';
import { defaultKind, firstValue, partsOfProperty, type CardProperty } from './card-property.js';
import { escapeText, formatContentLine } from './content-lines.js';

export interface WrittenVcf {
  text: string;
  warnings: CardWarning[];
}

export function writeVcf(properties: readonly CardProperty[], version: '4.0' | '3.0'): WrittenVcf {
  const warnings = new Warnings();
  const lines =
    version === '4.0'
      ? properties.map(writeLine)
      : properties.flatMap((property) => writeOld(property, warnings));
  const all = ['BEGIN:VCARD\r\n', `VERSION:${version}\r\n`, ...lines, 'END:VCARD\r\n'];
  return { text: all.join(''), warnings: warnings.all };
}

function writeLine(property: CardProperty): string {
  const { name, group, parameters, kind } = property;
  const isDate = defaultKind(name) === 'date-and-or-time';
  const basic = isDate && kind !== 'text' ? readDate(firstValue(property), 'rfc') : undefined;
  const isText = kind === 'text' || (isDate && !basic && kind !== 'time');
  const value = basic ? basic.text : joinValues(property, isText);
  const told = isText && isDate ? 'text' : kind;
  // RFC 6350 §5.2: said where it is not what it would be.
  const isUsual =
    told === defaultKind(name) || (isDate && told !== 'text') || partsOfProperty(name) !== undefined;
  return formatContentLine(name, { ...(!isUsual && { value: [told] }), ...parameters }, value, group);
}

function joinValues({ name, components }: CardProperty, isText: boolean): string {
  const write = (text: string): string => (isText ? escapeText(text) : text.replace(/\s+/g, ' '));
  const lists = components.map((texts) => texts.map(write).join(','));
  const parts = partsOfProperty(name);
  if (!parts) return lists.join(';');
  const isFull = name === 'n' || name === 'adr';
  return (isFull ? parts.map((_part, index) => lists[index] ?? '') : lists)
    .join(';')
    .replace(isFull ? /$^/ : /;+$/, '');
}

/** What RFC 2426 has, beside extensions. */
const OLD_NAMES: ReadonlySet<string> = new Set([
  ...['fn', 'n', 'nickname', 'photo', 'bday', 'adr', 'tel', 'email', 'tz', 'geo', 'title', 'role', 'logo'],
  ...['org', 'categories', 'note', 'prodid', 'rev', 'sound', 'uid', 'url', 'key', 'impp', 'source'],
]);

function writeOld(property: CardProperty, warnings: Warnings): string[] {
  const { name, group, parameters, kind } = property;
  if (!OLD_NAMES.has(name) && !name.startsWith('x-')) {
    warnings.add('dropped', name, property.components.flat().join(' '));
    return [];
  }
  const { type = [], pref, label, 'sort-as': sortAs, ...others } = parameters;
  for (const lost of Object.keys(others))
    if (!['language', 'mediatype'].includes(lost)) warnings.add('dropped-type', `${name}/${lost}`);
  const types = [...type, ...(pref ? ['pref'] : [])];
  const old = {
    ...(types.length > 0 && { type: types }),
    ...(others['language'] && { language: others['language'] }),
  };
  const line = (value: string, more: CardProperty['parameters'] = {}): string =>
    formatContentLine(name, { ...old, ...more }, value, group);
  const first = firstValue(property);
  switch (name) {
    case 'tel':
      return [line(escapeText(kind === 'uri' ? numberOfTelUri(first) : first))];
    case 'bday':
      return [line(readDate(first, 'extended')?.text ?? escapeText(first))];
    case 'rev':
      return [line(extended(first))];
    case 'geo': {
      const place = parseGeoUri(first);
      return place ? [line(`${place.latitude};${place.longitude}`)] : [];
    }
    case 'tz':
      return [line(kind === 'utc-offset' ? first.replace(/(\d{2})(\d{2})$/, '$1:$2') : escapeText(first))];
    case 'photo':
    case 'logo':
    case 'sound':
    case 'key': {
      const embedded = parseDataUri(first);
      if (!embedded) return [line(first, kind === 'uri' ? { value: ['uri'] } : {})];
      const subtype = embedded.mediaType.split('/')[1]?.toUpperCase();
      const isKnown = subtype !== undefined && /^[A-Z0-9+-]+$/.test(subtype) && subtype !== 'OCTET-STREAM';
      const encoding = { encoding: ['b'], ...(isKnown && { type: [subtype] }) };
      return [line(embedded.data.toString('base64'), encoding)];
    }
    default: {
      const isText = kind === 'text';
      const isBare = property.components.every((texts) => texts.length === 0);
      const main = name === 'adr' && label && isBare ? [] : [line(joinValues(property, isText))];
      return [
        ...main,
        ...(label ? [formatContentLine('label', old, escapeText(label.join('\n')), group)] : []),
        ...(sortAs ? [formatContentLine('sort-string', {}, escapeText(sortAs.join(',')))] : []),
      ];
    }
  }
}

function extended(timestamp: string): string {
  const basic = readTimestamp(timestamp);
  return basic === undefined
    ? escapeText(timestamp)
    : basic.replace(/^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})/, '$1-$2-$3T$4:$5:$6');
}
