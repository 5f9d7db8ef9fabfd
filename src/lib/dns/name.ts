/**
 * Domain names in one form only, so that two spellings of a name are one string (RFC 1035 §5.1, RFC 4343).
 *
 * Lower-case, labels joined by dots, no dot at the end; the root is `.`. Every byte of a label that is a dot, a
 * backslash or not printable ASCII is written `\DDD`, so a dot in the text always is a boundary of labels.
 */
import { DnsError } from '../errors.js';

/** A name in that form. */
export type DnsName = string;

export const ROOT: DnsName = '.';

const MAX_LABEL_BYTES = 63;
/** With the length bytes and the root label (RFC 1035 §2.3.4). */
const MAX_NAME_BYTES = 255;

/**
 * Reads what a person or a zone file writes.
 *
 * @throws {DnsError} for what is not a name; names outside ASCII must have been converted (IDNA) before
 */
export function parseName(text: string): DnsName {
  if (text === '' || text === '.') return ROOT;
  const labels: number[][] = [[]];
  for (const [token] of text.matchAll(/\\\d{3}|\\.|./gsu)) {
    if (token === '.') labels.push([]);
    else labels.at(-1)?.push(readByte(token, text));
  }
  if (labels.at(-1)?.length === 0) labels.pop();
  return joinLabels(labels.map((label) => Uint8Array.from(label)));
}

function readByte(token: string, text: string): number {
  const byte = /^\\\d/.test(token) ? Number(token.slice(1)) : (token.codePointAt(token.length - 1) ?? 0);
  if (token === '\\' || byte > 255 || (byte > 126 && !token.startsWith('\\')))
    throw new DnsError(`${JSON.stringify(text)} is not a domain name`);
  return byte;
}

/** @throws {DnsError} when a label is empty or a limit of RFC 1035 is exceeded */
export function joinLabels(labels: readonly Uint8Array[]): DnsName {
  if (labels.some(({ length }) => length === 0 || length > MAX_LABEL_BYTES))
    throw new DnsError(`a label of a domain name has 1 to ${MAX_LABEL_BYTES} bytes`);
  if (labels.reduce((sum, { length }) => sum + length + 1, 1) > MAX_NAME_BYTES)
    throw new DnsError(`a domain name has at most ${MAX_NAME_BYTES} bytes`);
  return labels.map(formatLabel).join('.') || ROOT;
}

function formatLabel(label: Uint8Array): string {
  let text = '';
  for (const byte of label) {
    const character = String.fromCharCode(byte);
    text += /[!-~]/.test(character) && !/[.\\]/.test(character) ? character : escapeByte(byte);
  }
  return text.toLowerCase();
}

function escapeByte(byte: number): string {
  return `\\${byte.toString().padStart(3, '0')}`;
}

/** From the leaf to the top; none for the root. */
export function labelsOf(name: DnsName): string[] {
  return name === ROOT ? [] : name.split('.');
}

/** The name of the last `count` labels. */
export function keepLabels(name: DnsName, count: number): DnsName {
  const labels = labelsOf(name);
  return labels.slice(Math.max(labels.length - count, 0)).join('.') || ROOT;
}

/** The name without its first label; the root is its own parent. */
export function parentOf(name: DnsName): DnsName {
  return labelsOf(name).slice(1).join('.') || ROOT;
}

/** Is it the ancestor itself, or below it? */
export function isWithin(name: DnsName, ancestor: DnsName): boolean {
  return ancestor === ROOT || name === ancestor || name.endsWith(`.${ancestor}`);
}

/** `*.example.org` for `example.org`. */
export function wildcardOf(name: DnsName): DnsName {
  return name === ROOT ? '*' : `*.${name}`;
}

/** The deepest name both are within. */
export function findCommonAncestor(one: DnsName, other: DnsName): DnsName {
  const [a, b] = [labelsOf(one).reverse(), labelsOf(other).reverse()];
  const differsAt = a.findIndex((label, index) => label !== b[index]);
  return keepLabels(one, differsAt === -1 ? a.length : differsAt);
}

function labelBytes(label: string): Buffer {
  return Buffer.from(
    label.replace(/\\(\d{3})/g, (_, digits: string) => String.fromCharCode(Number(digits))),
    'latin1',
  );
}

/** The uncompressed bytes on the wire, in the lower case of canonical form (RFC 4034 §6.2). */
export function nameToWire(name: DnsName): Buffer {
  const parts = labelsOf(name).map(labelBytes);
  return Buffer.concat([...parts.flatMap((part) => [Buffer.of(part.length), part]), Buffer.of(0)]);
}

/** The order of NSEC chains: by labels as bytes, from the top (RFC 4034 §6.1). */
export function compareNames(one: DnsName, other: DnsName): number {
  const [a, b] = [labelsOf(one).reverse(), labelsOf(other).reverse()];
  for (const [index, label] of a.entries()) {
    const against = b[index];
    if (against === undefined) return 1;
    const order = Buffer.compare(labelBytes(label), labelBytes(against));
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

/**
 * The name with its end replaced, as DNAME does (RFC 6672 §2.2).
 *
 * @throws {DnsError} when the result is too long to be a name
 */
export function replaceEnd(name: DnsName, end: DnsName, replacement: DnsName): DnsName {
  const labels = labelsOf(name);
  const kept = labels.slice(0, labels.length - labelsOf(end).length);
  return parseName([...kept, ...labelsOf(replacement)].join('.'));
}
