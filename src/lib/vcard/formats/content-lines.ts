/**
 * The lines of a vCard in text: RFC 6350 §3.2, RFC 2426, and vCard 2.1 for reading. Not here: what the properties mean.
 *
 * Ours, because the libraries there are read neither 2.1 nor the mistakes of address books, and stop at the first of them.
 */
import { UsageError } from '../../errors.js';

export interface ContentLine {
  /** Counted from 1, of the text as it came. */
  line: number;
  group: string | undefined;
  /** Lower case. */
  name: string;
  /** Names in lower case; values as written, without their quotes. */
  parameters: Record<string, string[]>;
  /** As written: still escaped. */
  value: string;
}

/**
 * The cards of a text, each as its lines between BEGIN and END.
 * @throws UsageError it is not a vCard, or one is not closed
 */
export function parseContentLines(text: string): ContentLine[][] {
  const cards: ContentLine[][] = [];
  let current: ContentLine[] | undefined;
  for (const { content, line } of unfold(text)) {
    if (content.trim() === '') continue;
    const parsed = parseLine(content, line);
    if (parsed.name === 'begin' && parsed.value.trim().toUpperCase() === 'VCARD') {
      // vCard 2.1 and 3.0 put an agent's card into a card; what it is to whom is lost then.
      if (current) throw new UsageError(`line ${line}: a card begins within a card`);
      current = [];
    } else if (parsed.name === 'end' && parsed.value.trim().toUpperCase() === 'VCARD') {
      if (!current) throw new UsageError(`line ${line}: a card ends that has not begun`);
      cards.push(current);
      current = undefined;
    } else if (current) current.push(parsed);
    else throw new UsageError(`line ${line}: a vCard begins with BEGIN:VCARD`);
  }
  if (current) throw new UsageError('the card is not complete: END:VCARD is missing');
  if (cards.length === 0) throw new UsageError('there is no vCard in it');
  return cards;
}

interface LogicalLine {
  content: string;
  line: number;
}

/** RFC 6350 §3.2: a line that begins with white space goes on with the one before. */
function unfold(text: string): LogicalLine[] {
  const lines: LogicalLine[] = [];
  for (const [index, raw] of text
    .replace(/^\ufeff/, '')
    .split(/\r\n|\n|\r/)
    .entries()) {
    const last = lines.at(-1);
    const isSoftBreak = last !== undefined && isQuotedPrintable(last.content) && last.content.endsWith('=');
    if (last && isSoftBreak) last.content = last.content.slice(0, -1) + raw;
    else if (last && /^[ \t]/.test(raw)) last.content += raw.slice(1);
    else lines.push({ content: raw, line: index + 1 });
  }
  return lines;
}

/** vCard 2.1 only: a line ends in `=` where it goes on. */
function isQuotedPrintable(content: string): boolean {
  const colon = content.indexOf(':');
  return colon > 0 && /;\s*(?:encoding=)?quoted-printable/i.test(content.slice(0, colon));
}

const NAME = /^(?:([A-Za-z0-9-]+)\.)?([A-Za-z0-9-]+)(?=[;:])/;

function parseLine(content: string, line: number): ContentLine {
  const head = NAME.exec(content);
  if (!head) throw new UsageError(`line ${line}: not a line of a vCard: ${content.slice(0, 40)}`);
  const [all, group, name = ''] = head;
  const parameters: Record<string, string[]> = Object.create(null) as Record<string, string[]>;
  let position = all.length;
  while (content[position] === ';') {
    const end = endOfParameter(content, position + 1);
    addParameter(parameters, content.slice(position + 1, end));
    position = end;
  }
  if (content[position] !== ':') throw new UsageError(`line ${line}: there is no value after ${name}`);
  return { line, group, name: name.toLowerCase(), parameters, value: content.slice(position + 1) };
}

/** A quoted value may hold what ends one otherwise. */
function endOfParameter(content: string, start: number): number {
  let isQuoted = false;
  for (let index = start; index < content.length; index += 1) {
    const character = content[index];
    if (character === '"') isQuoted = !isQuoted;
    else if (!isQuoted && (character === ';' || character === ':')) return index;
  }
  return content.length;
}

function addParameter(parameters: Record<string, string[]>, text: string): void {
  const equals = text.indexOf('=');
  // vCard 2.1: a bare word is a type, or an encoding.
  const isBare = equals < 0;
  const bareName = /^(?:quoted-printable|base64|8bit|7bit|b)$/i.test(text.trim()) ? 'encoding' : 'type';
  const name = isBare ? bareName : text.slice(0, equals).trim().toLowerCase();
  const written = isBare ? text.trim() : text.slice(equals + 1);
  if (!/^[a-z0-9-]+$/.test(name) || written === '') return;
  const values = (written.match(/"[^"]*"|[^,]+/g) ?? []).map((value) =>
    decodeCarets(value.replace(/"/g, '').trim()),
  );
  // TYPE="home,voice" means two of them (RFC 6350 erratum 3845 and the field).
  const split = name === 'type' ? values.flatMap((value) => value.split(',')) : values;
  const all = (parameters[name] ??= []);
  for (const value of split) if (value !== '') all.push(value);
}

/** RFC 6868. */
function decodeCarets(text: string): string {
  return text.replace(/\^[n^']/g, (escape) => ({ '^n': '\n', '^^': '^', "^'": '"' })[escape] ?? escape);
}

function encodeCarets(text: string): string {
  return text.replace(
    /[\^\n"]/g,
    (character) => ({ '^': '^^', '\n': '^n', '"': "^'" })[character] ?? character,
  );
}

/** Splits at a separator that is not escaped. The parts stay escaped. */
export function splitEscaped(text: string, separator: ',' | ';'): string[] {
  const parts: string[] = [];
  let part = '';
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index] ?? '';
    if (character === '\\') {
      part += character + (text[index + 1] ?? '');
      index += 1;
    } else if (character === separator) {
      parts.push(part);
      part = '';
    } else part += character;
  }
  return [...parts, part];
}

/** RFC 6350 §3.4. */
export function unescapeText(text: string): string {
  return text.replace(/\\([\s\S])/g, (_all, character: string) => (/n/i.test(character) ? '\n' : character));
}

export function escapeText(text: string): string {
  return text.replace(/[\\,;]/g, '\\$&').replace(/\r?\n/g, '\\n');
}

/** One line, folded at 75 octets without cutting a character (RFC 6350 §3.2), with its end. */
export function formatContentLine(
  name: string,
  parameters: Readonly<Record<string, readonly string[]>>,
  value: string,
  group?: string,
): string {
  const words = Object.entries(parameters).map(
    ([key, values]) => `;${key.toUpperCase()}=${values.map(formatParameter).join(',')}`,
  );
  return fold(`${group === undefined ? '' : `${group}.`}${name.toUpperCase()}${words.join('')}:${value}`);
}

function formatParameter(value: string): string {
  const encoded = encodeCarets(value);
  return /[,;:]/.test(encoded) ? `"${encoded}"` : encoded;
}

const MAX_OCTETS = 75;

function fold(line: string): string {
  const pieces: string[] = [];
  let piece = '';
  let octets = 0;
  for (const character of line) {
    const size = Buffer.byteLength(character);
    if (octets + size > MAX_OCTETS) {
      pieces.push(piece);
      piece = ' ';
      octets = 1;
    }
    piece += character;
    octets += size;
  }
  return `${[...pieces, piece].join('\r\n')}\r\n`;
}
