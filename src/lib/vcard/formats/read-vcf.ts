/** RFC 6350: vCard 4.0 in text; with 3.0 (RFC 2426) and 2.1 as they come from address books. */
import { UsageError } from '../../errors.js';
import type { CardWarning } from '../card.js';
import { decodeBase64, dataUri } from '../convert/base64.js';
import { readTimestamp, readUtcOffset } from '../convert/dates.js';
import { readAvatar } from '../convert/read-avatar.js';
import { telUri } from '../convert/telephone.js';
import { geoUri, xmppUri } from '../convert/uris.js';
import { Warnings } from '../convert/warnings.js';
import { defaultKind, isList, partsOfProperty, simple, type CardProperty } from './card-property.js';
import { parseContentLines, splitEscaped, unescapeText, type ContentLine } from './content-lines.js';

export interface VcfCard {
  version: string;
  properties: CardProperty[];
  warnings: CardWarning[];
}

/** @throws UsageError it is not a vCard */
export function readVcf(text: string): VcfCard[] {
  return parseContentLines(text).map(readCard);
}

function readCard(lines: readonly ContentLine[]): VcfCard {
  const version = lines.find(({ name }) => name === 'version')?.value.trim() ?? '3.0';
  if (!/^(?:2\.1|3\.0|4\.0)$/.test(version))
    throw new UsageError(`vCards of version ${version} are not known`);
  const warnings = new Warnings();
  const isOld = version !== '4.0';
  const sortAs = isOld ? lines.find(({ name }) => name === 'sort-string') : undefined;
  const properties = lines.flatMap((line) => {
    if (line.name === 'version' || line === sortAs) return [];
    return isOld ? readOld(line, version, warnings) : readLine(line, line.value);
  });
  if (sortAs) {
    const name = properties.findIndex((property) => property.name === 'n');
    const text = unescapeText(sortAs.value);
    const found = properties[name];
    if (found) properties[name] = { ...found, parameters: { ...found.parameters, 'sort-as': [text] } };
    else warnings.add('dropped', 'SORT-STRING', text);
  }
  return { version, properties, warnings: warnings.all };
}

/** RFC 6350 §5 and §6. */
function readLine({ name, group, parameters }: ContentLine, value: string): CardProperty[] {
  const { value: [told] = [], ...others } = parameters;
  const kind = kindOf(name, told?.toLowerCase(), value);
  const isText = kind === 'text';
  const parts = partsOfProperty(name);
  const base = { name, group, parameters: others, kind };
  if (parts || name === 'org') {
    const components = splitEscaped(value, ';').map((part) =>
      (parts ? splitEscaped(part, ',') : [part]).map((text) => unescapeText(text).trim()),
    );
    return [
      { ...base, kind: 'text', components: components.map((texts) => texts.filter((text) => text !== '')) },
    ];
  }
  const texts = isList(name) ? splitEscaped(value, ',') : [value];
  const values = texts
    .map((text) => (isText ? unescapeText(text) : text).trim())
    .filter((text) => text !== '');
  return values.length === 0 ? [] : [{ ...base, components: [values] }];
}

function kindOf(name: string, told: string | undefined, value: string): string {
  if (told !== undefined) return told === 'date-and-or-time' ? dateKind(value) : told;
  const kind = defaultKind(name);
  if (kind === 'date-and-or-time') return dateKind(value);
  if (name === 'tel' && /^tel:/i.test(value)) return 'uri';
  return kind;
}

function dateKind(value: string): string {
  if (/^T/i.test(value)) return 'time';
  return /T/i.test(value) ? 'date-time' : 'date';
}

/** Types that RFC 6350 no longer has, and which say nothing. */
const FORGOTTEN: ReadonlySet<string> = new Set(['internet', 'x-internet']);
/** And those that said something. */
const OBSOLETE: ReadonlySet<string> = new Set([
  'dom',
  'intl',
  'postal',
  'parcel',
  'msg',
  'bbs',
  'modem',
  'isdn',
  'pcs',
  'car',
  'x400',
]);
const DROPPED: ReadonlySet<string> = new Set(['class', 'mailer', 'name', 'profile']);

function readOld(line: ContentLine, version: string, warnings: Warnings): CardProperty[] {
  const { name, group } = line;
  const value = version === '2.1' || isEncoded(line) ? decodeOld(line, warnings) : line.value;
  if (value === undefined) return [];
  const {
    encoding: _encoding,
    charset: _charset,
    value: told,
    type = [],
    context: _context,
    ...others
  } = line.parameters;
  const types = type.map((text) => text.toLowerCase());
  const kept = types.filter((text) => text !== 'pref' && !FORGOTTEN.has(text) && !OBSOLETE.has(text));
  for (const text of types)
    if (OBSOLETE.has(text)) warnings.add('dropped-type', `${name.toUpperCase()}/${text}`);
  const parameters = {
    ...others,
    ...(types.includes('pref') && { pref: ['1'] }),
    ...(kept.length > 0 && { type: kept }),
  };
  const plain = unescapeText(value).trim();
  if (DROPPED.has(name)) {
    if (plain !== '') warnings.add('dropped', name.toUpperCase(), plain);
    return [];
  }
  switch (name) {
    case 'photo':
    case 'logo':
    case 'sound':
    case 'key':
      return readBinary(line, value, warnings);
    case 'tel': {
      const uri = telUri(plain);
      if (uri === undefined && plain !== '') warnings.add('tel-text', 'TEL', plain);
      return plain === ''
        ? []
        : [{ ...simple('tel', uri === undefined ? 'text' : 'uri', [uri ?? plain], parameters), group }];
    }
    case 'label':
      // RFC 6350 §6.3.1: a parameter of an address now.
      return [
        { name: 'adr', group, kind: 'text', parameters: { ...parameters, label: [plain] }, components: [] },
      ];
    case 'agent':
      return plain === '' ? [] : [simple('related', 'text', [plain], { type: ['agent'] })];
    case 'geo': {
      const [latitude = '', longitude = ''] = plain.split(/[;,]/);
      const uri = geoUri(latitude, longitude);
      if (uri === undefined) warnings.add('bad-geo', 'GEO', plain);
      return uri === undefined ? [] : [simple('geo', 'uri', [uri], parameters)];
    }
    case 'tz': {
      const offset = readUtcOffset(plain);
      return [simple('tz', offset === undefined ? 'text' : 'utc-offset', [offset ?? plain], parameters)];
    }
    case 'rev': {
      const timestamp = readTimestamp(plain.length === 10 ? `${plain}T00:00:00Z` : plain);
      if (timestamp === undefined) warnings.add('dropped', 'REV', plain);
      return timestamp === undefined ? [] : [simple('rev', 'timestamp', [timestamp])];
    }
    case 'x-jabber':
    case 'x-gtalk':
    case 'x-google-talk':
      return plain === '' ? [] : [{ ...simple('impp', 'uri', [xmppUri(plain)], parameters), group }];
    default:
      return readLine({ ...line, parameters: { ...parameters, ...(told && { value: told }) } }, value);
  }
}

function isEncoded({ parameters }: ContentLine): boolean {
  return parameters['encoding']?.[0]?.toLowerCase() === 'quoted-printable';
}

/** vCard 2.1: quoted-printable, in any character set. */
function decodeOld(line: ContentLine, warnings: Warnings): string | undefined {
  if (!isEncoded(line)) return line.value;
  const bytes = Buffer.from(
    line.value.replace(/=([0-9A-Fa-f]{2})/g, (_all, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    ),
    'latin1',
  );
  try {
    const text = new TextDecoder(line.parameters['charset']?.[0] ?? 'utf-8', { fatal: true }).decode(bytes);
    // A newline within a value is written as one; it must not end it.
    return text.replace(/\r?\n/g, '\\n');
  } catch {
    warnings.add('dropped', line.name.toUpperCase(), line.value);
    return undefined;
  }
}

function readBinary(line: ContentLine, value: string, warnings: Warnings): CardProperty[] {
  const { name, group, parameters } = line;
  const encoding = parameters['encoding']?.[0]?.toLowerCase();
  const isUri =
    parameters['value']?.some((kind) => /^(?:uri|url)$/i.test(kind)) === true || /^[a-z]+:/i.test(value);
  if (isUri) return [{ ...simple(name, 'uri', [value.trim()]), group }];
  if (encoding === 'b' || encoding === 'base64') {
    const data = decodeBase64(value);
    if (!data || data.length === 0) {
      warnings.add(data ? 'empty-photo' : 'bad-base64', name.toUpperCase(), value.slice(0, 200));
      return [];
    }
    return [{ ...simple(name, 'uri', [dataUri(mediaTypeOf(name, parameters, data), data)]), group }];
  }
  return value.trim() === '' ? [] : [{ ...simple(name, 'text', [unescapeText(value)]), group }];
}

const FAMILIES: Readonly<Record<string, string>> = { photo: 'image', logo: 'image', sound: 'audio' };

function mediaTypeOf(name: string, parameters: ContentLine['parameters'], data: Buffer): string {
  const seen = readAvatar(data)?.mediaType;
  if (seen !== undefined) return seen;
  const told =
    parameters['mediatype']?.[0] ?? parameters['type']?.find((type) => !/^(?:pref|home|work)$/i.test(type));
  const family = FAMILIES[name];
  if (told === undefined) return 'application/octet-stream';
  if (told.includes('/')) return told.toLowerCase();
  return family === undefined ? 'application/octet-stream' : `${family}/${told.toLowerCase()}`;
}
