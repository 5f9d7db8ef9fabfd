/** DER (X.690), read strictly and with bounds: what a server sends as a certificate may be anything. */
import { ProtocolError } from '../errors.js';

/** The bytes are no DER, or not what was expected there. */
export class DerError extends ProtocolError {
  override readonly name = 'DerError';
}

export interface DerElement {
  /** Class and form included: `0x30` is SEQUENCE, `0xa0` is [0] EXPLICIT. */
  tag: number;
  content: Buffer;
  /** With tag and length. */
  whole: Buffer;
}

export const Tag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

const MAX_CHILDREN = 2000;

/** The element at the beginning of `bytes`; what comes behind it is not looked at. @throws DerError */
export function readDer(bytes: Buffer): DerElement {
  const tag = bytes[0];
  const first = bytes[1];
  if (tag === undefined || first === undefined) throw new DerError('a certificate ends in the middle');
  if ((tag & 0x1f) === 0x1f) throw new DerError('a certificate has a tag that no certificate has');
  let length = first;
  let start = 2;
  if (first >= 0x80) {
    const count = first & 0x7f;
    if (count === 0 || count > 4) throw new DerError('a certificate has a length that DER does not allow');
    if (bytes.length < 2 + count) throw new DerError('a certificate ends in the middle');
    length = bytes.readUIntBE(2, count);
    start = 2 + count;
  }
  if (bytes.length < start + length) throw new DerError('a certificate ends in the middle');
  return { tag, content: bytes.subarray(start, start + length), whole: bytes.subarray(0, start + length) };
}

/** The elements one behind the other. @throws DerError */
export function readAll(content: Buffer): DerElement[] {
  const elements: DerElement[] = [];
  for (let at = 0; at < content.length;) {
    const element = readDer(content.subarray(at));
    elements.push(element);
    at += element.whole.length;
    if (elements.length > MAX_CHILDREN) throw new DerError('a certificate has too many parts');
  }
  return elements;
}

/** @throws DerError it is another element */
export function childrenOf(element: DerElement | undefined, tag: number): DerElement[] {
  if (element?.tag !== tag) throw new DerError('a certificate is not built like one');
  return readAll(element.content);
}

/** `1.2.840.113549`. @throws DerError */
export function readOid(element: DerElement | undefined): string {
  if (element?.tag !== Tag.oid || element.content.length === 0 || element.content.length > 100) {
    throw new DerError('a certificate has no object identifier where one must be');
  }
  const arcs: number[] = [];
  let value = 0;
  for (const byte of element.content) {
    value = value * 128 + (byte & 0x7f);
    if (value > Number.MAX_SAFE_INTEGER / 128)
      throw new DerError('a certificate has an object identifier that is too long');
    if ((byte & 0x80) === 0) {
      arcs.push(value);
      value = 0;
    }
  }
  const [head = 0, ...rest] = arcs;
  const first = Math.min(2, Math.floor(head / 40));
  return [first, head - 40 * first, ...rest].join('.');
}

/** UTCTime and GeneralizedTime as RFC 5280 §4.1.2.5 has them. @throws DerError */
export function readTime(element: DerElement | undefined): Date {
  const text = element?.content.toString('latin1') ?? '';
  const match =
    element?.tag === Tag.utcTime
      ? /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(text)
      : element?.tag === Tag.generalizedTime
        ? /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(text)
        : null;
  if (!match) throw new DerError('a certificate has a date that cannot be read');
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = match.slice(1).map(Number);
  const full = element?.tag === Tag.utcTime ? (year < 50 ? 2000 : 1900) + year : year;
  return new Date(Date.UTC(full, month - 1, day, hour, minute, second));
}

/** Text of any of the string types, as well as it can be read. */
export function readText(element: DerElement): string {
  switch (element.tag & 0x1f) {
    case 0x1e: // BMPString
      return Buffer.from(element.content.subarray(0, element.content.length & ~1))
        .swap16()
        .toString('utf16le');
    case 0x0c: // UTF8String
      return element.content.toString('utf8');
    default:
      return element.content.toString('latin1');
  }
}
