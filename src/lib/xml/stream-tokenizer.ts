/**
 * Splits the text of an XML stream into tags and text, in pieces of any size: XML 1.0 without what RFC 6120 §11.1
 * forbids (comments, processing instructions, DTDs, entities but the five predefined ones).
 *
 * A general parser looks at each character several times and spends most of the time of a busy client; this one lets
 * the engine search for the few characters that matter.
 */
import { isCharacterReference, resolveReference } from './characters.js';
import { ProtocolError } from '../errors.js';
import { isQualifiedName } from './names.js';

export interface TokenHandler {
  /** Attributes by the name they were written with. */
  onStartTag(name: string, attributes: Record<string, string>): void;
  onEndTag(): void;
  /** Decoded; a run of text may come in several calls. */
  onText(text: string): void;
}

/** XML 1.0 §2.2; halves of surrogate pairs cannot come out of valid UTF-8. */
// eslint-disable-next-line no-control-regex -- finding control characters is the point
const FORBIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/;
const DECLARATION =
  /^<\?xml[ \t\n]+version[ \t\n]*=[ \t\n]*(?:"1\.\d+"|'1\.\d+')(?:[ \t\n]+encoding[ \t\n]*=[ \t\n]*(?:"([A-Za-z][\w.-]*)"|'([A-Za-z][\w.-]*)'))?(?:[ \t\n]+standalone[ \t\n]*=[ \t\n]*(?:"(?:yes|no)"|'(?:yes|no)'))?[ \t\n]*\?>$/;
const CDATA_START = '<![CDATA[';
/** `&#x0010FFFF;` is as long as a reference gets without being silly. */
const MAX_REFERENCE_LENGTH = 12;

const QUOTATION = 0x22;
const APOSTROPHE = 0x27;
const SLASH = 0x2f;
const EQUALS = 0x3d;
const GREATER = 0x3e;

export class StreamTokenizer {
  readonly #handler: TokenHandler;
  readonly #maxAttributes: number;
  readonly #openNames: string[];
  #state: 'start' | 'text' | 'tag' | 'cdata' | 'declaration' | 'done' = 'start';
  /** The beginning of something short that is not complete yet: `&am`, `]]`, `<![CD`. */
  #rest = '';
  /** What there is of a tag that is not complete yet, and the quote it is in. */
  #tagPieces: string[] = [];
  #quote = '';
  #endedInCarriageReturn = false;

  /** @param openNames names of elements that count as open already */
  constructor(handler: TokenHandler, maxAttributes: number, openNames: readonly string[] = []) {
    this.#handler = handler;
    this.#maxAttributes = maxAttributes;
    this.#openNames = [...openNames];
    if (openNames.length > 0) this.#state = 'text';
  }

  get depth(): number {
    return this.#openNames.length;
  }

  /** Nothing has been begun that is not complete. */
  get isBetweenTokens(): boolean {
    return (this.#state === 'text' || this.#state === 'start') && this.#rest === '';
  }

  /** @throws ProtocolError the text is not well-formed, or uses what XMPP forbids */
  write(piece: string): void {
    const text = this.#rest + this.#prepare(piece);
    this.#rest = '';
    let at = 0;
    while (at < text.length) {
      switch (this.#state) {
        case 'start':
        case 'text':
          at = this.#readText(text, at);
          break;
        case 'tag':
          at = this.#readTag(text, at);
          break;
        case 'cdata':
          at = this.#readCdata(text, at);
          break;
        case 'declaration':
          at = this.#readDeclaration(text, at);
          break;
        case 'done':
          return;
      }
    }
  }

  /** Refuses forbidden characters and makes every line end a newline (XML 1.0 §2.11). */
  #prepare(piece: string): string {
    const forbidden = FORBIDDEN.exec(piece);
    if (forbidden) {
      const code = forbidden[0].charCodeAt(0).toString(16).toUpperCase().padStart(4, '0');
      throw notWellFormed(`the character U+${code}`);
    }
    if (!this.#endedInCarriageReturn && !piece.includes('\r')) return piece;
    const text = this.#endedInCarriageReturn && piece.startsWith('\n') ? piece.slice(1) : piece;
    if (piece !== '') this.#endedInCarriageReturn = piece.endsWith('\r');
    return text.replace(/\r\n?/g, '\n');
  }

  #readText(text: string, at: number): number {
    const less = text.indexOf('<', at);
    if (less === at) return this.#readMarkup(text, less);
    let raw = less < 0 ? text.slice(at) : text.slice(at, less);
    if (less < 0) {
      const complete = raw.length - countIncompleteText(raw);
      this.#rest = raw.slice(complete);
      raw = raw.slice(0, complete);
    }
    if (raw !== '') {
      if (raw.includes(']]>')) throw notWellFormed('"]]>" in text');
      this.#handler.onText(raw.includes('&') ? decodeReferences(raw) : raw);
    }
    return less < 0 ? text.length : less;
  }

  /** At a `<`: finds out what it begins. */
  #readMarkup(text: string, at: number): number {
    const next = text[at + 1];
    if (next === '!' || next === '?' || next === undefined) {
      const head = text.slice(at, at + CDATA_START.length);
      if (head === CDATA_START) {
        this.#state = 'cdata';
        return at + head.length;
      }
      if (head.startsWith('<!--')) throw refuse('a comment', 'restricted-xml');
      if (CDATA_START.startsWith(head) || '<!--'.startsWith(head) || (next === '?' && head.length < 6)) {
        this.#rest = text.slice(at);
        return text.length;
      }
      if (head.startsWith('<!D')) throw refuse('a document type declaration', 'restricted-xml');
      if (next === '!') throw notWellFormed('"<!" that begins nothing');
      if (this.#state !== 'start' || !/^<\?xml[ \t\n]/.test(head)) {
        throw refuse('a processing instruction', 'restricted-xml');
      }
      this.#state = 'declaration';
      return this.#readDeclaration(text, at);
    }
    this.#state = 'tag';
    return this.#readTag(text, at);
  }

  #readDeclaration(text: string, at: number): number {
    const end = text.indexOf('?>', at);
    if (end < 0) {
      if (text.length - at > 200) throw notWellFormed('an XML declaration without an end');
      this.#rest = text.slice(at);
      return text.length;
    }
    const declaration = DECLARATION.exec(text.slice(at, end + 2));
    if (!declaration) throw notWellFormed('an XML declaration that is none');
    const encoding = declaration[1] ?? declaration[2];
    if (encoding !== undefined && encoding.toUpperCase() !== 'UTF-8') {
      throw refuse(`XML in the encoding ${encoding.slice(0, 40)}`, 'unsupported-encoding');
    }
    this.#state = 'text';
    return end + 2;
  }

  #readCdata(text: string, at: number): number {
    const end = text.indexOf(']]>', at);
    let complete = end;
    if (end < 0) {
      complete = text.length - (text.endsWith(']]') ? 2 : text.endsWith(']') ? 1 : 0);
      this.#rest = text.slice(Math.max(complete, at));
    }
    if (complete > at) this.#handler.onText(text.slice(at, complete));
    if (end < 0) return text.length;
    this.#state = 'text';
    return end + 3;
  }

  /** Looks for the `>` that is not inside quotes. */
  #readTag(text: string, start: number): number {
    let quote = this.#quote;
    let at = start;
    for (;;) {
      if (quote !== '') {
        at = text.indexOf(quote, at) + 1;
        if (at === 0) break;
        quote = '';
      }
      let code = text.charCodeAt(at);
      while (code !== GREATER && code !== QUOTATION && code !== APOSTROPHE && at < text.length) {
        code = text.charCodeAt(++at);
      }
      if (at >= text.length) break;
      at++;
      if (code === GREATER) {
        const tag = this.#tagPieces.join('') + text.slice(start, at);
        this.#tagPieces = [];
        this.#quote = '';
        this.#state = 'text';
        if (tag.charCodeAt(1) === SLASH) this.#endTag(tag);
        else this.#startTag(tag);
        return at;
      }
      quote = code === QUOTATION ? '"' : "'";
    }
    this.#tagPieces.push(text.slice(start));
    this.#quote = quote;
    return text.length;
  }

  #endTag(tag: string): void {
    const name = this.#openNames.pop();
    if (name === undefined) throw notWellFormed(`${excerpt(tag)} without a start tag`);
    const isExact = tag.length === name.length + 3 && tag.startsWith(name, 2);
    if (!isExact && !(tag.startsWith(name, 2) && /^[ \t\n]+>$/.test(tag.slice(name.length + 2)))) {
      throw notWellFormed(`${excerpt(tag)} where </${excerpt(name)}> is due`);
    }
    if (this.#openNames.length === 0) this.#state = 'done';
    this.#handler.onEndTag();
  }

  /** @param tag from `<` to `>` */
  #startTag(tag: string): void {
    if (tag.lastIndexOf('<') > 0) throw notWellFormed('"<" inside a tag');
    const isEmpty = tag.charCodeAt(tag.length - 2) === SLASH;
    const end = tag.length - (isEmpty ? 2 : 1);
    const nameEnd = scanName(tag, 1, end);
    const name = tag.slice(1, nameEnd);
    const attributes: Record<string, string> = {};
    const needsDecoding = tag.includes('&') || tag.includes('\n') || tag.includes('\t');
    let count = 0;
    let at = skipSpace(tag, nameEnd, end);
    let hadSpace = at > nameEnd;
    while (at < end) {
      if (!hadSpace) throw notWellFormed(`${excerpt(tag)} without a space before an attribute`);
      const attributeEnd = scanName(tag, at, end);
      const attribute = tag.slice(at, attributeEnd);
      at = skipSpace(tag, attributeEnd, end);
      if (tag.charCodeAt(at) !== EQUALS)
        throw notWellFormed(`the attribute ${excerpt(attribute)} without a value`);
      at = skipSpace(tag, at + 1, end);
      const quote = tag[at];
      const valueEnd = quote === '"' || quote === "'" ? tag.indexOf(quote, at + 1) : -1;
      if (valueEnd < 0) throw notWellFormed(`the attribute ${excerpt(attribute)} without quotes`);
      // The first question is the fast one; the second one knows `constructor` from an attribute.
      if (attributes[attribute] !== undefined && Object.hasOwn(attributes, attribute))
        throw notWellFormed(`the attribute ${excerpt(attribute)} twice`);
      if (++count > this.#maxAttributes) {
        throw refuse(`an element with more than ${this.#maxAttributes} attributes`, 'policy-violation');
      }
      const value = tag.slice(at + 1, valueEnd);
      attributes[attribute] = needsDecoding ? decodeReferences(value.replace(/[\t\n]/g, ' ')) : value;
      at = skipSpace(tag, valueEnd + 1, end);
      hadSpace = at > valueEnd + 1;
    }
    if (!isEmpty) this.#openNames.push(name);
    this.#handler.onStartTag(name, attributes);
    if (!isEmpty) return;
    if (this.#openNames.length === 0) this.#state = 'done';
    this.#handler.onEndTag();
  }
}

/** What may not be given out yet of text that goes on: the beginning of a reference, or of the forbidden `]]>`. */
function countIncompleteText(raw: string): number {
  const ampersand = raw.lastIndexOf('&');
  if (ampersand >= 0 && !raw.includes(';', ampersand)) {
    const length = raw.length - ampersand;
    if (length > MAX_REFERENCE_LENGTH) throw notWellFormed(`"${excerpt(raw.slice(ampersand))}"`);
    return length;
  }
  return raw.endsWith(']]') ? 2 : raw.endsWith(']') ? 1 : 0;
}

function decodeReferences(raw: string): string {
  let text = '';
  let from = 0;
  for (;;) {
    const ampersand = raw.indexOf('&', from);
    if (ampersand < 0) return text + raw.slice(from);
    const end = raw.indexOf(';', ampersand);
    const reference = raw.slice(ampersand + 1, end < 0 ? undefined : end);
    if (end < 0 || reference.length > MAX_REFERENCE_LENGTH) {
      throw notWellFormed(`"&${excerpt(reference)}"`);
    }
    text += raw.slice(from, ampersand) + decodeReference(reference);
    from = end + 1;
  }
}

function decodeReference(reference: string): string {
  const text = resolveReference(reference);
  if (text !== undefined) return text;
  if (isCharacterReference(reference)) throw notWellFormed(`the character &${reference};`);
  throw refuse(`the entity &${excerpt(reference)};`, 'restricted-xml');
}

/** Returns where the name at `start` ends. */
function scanName(tag: string, start: number, end: number): number {
  let at = start;
  let isPlain = true;
  for (; at < end; at++) {
    const code = tag.charCodeAt(at);
    // a-z, A-Z, _ anywhere; 0-9, - and . but not first; what has a colon or is not ASCII is looked at closely.
    if ((code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a) || code === 0x5f) continue;
    const isDigitOrMark = (code >= 0x30 && code <= 0x39) || code === 0x2d || code === 0x2e;
    if (isDigitOrMark && at > start) continue;
    if (!isDigitOrMark && code !== 0x3a && code < 0x80) break;
    isPlain = false;
  }
  if (at === start || (!isPlain && !isQualifiedName(tag.slice(start, at)))) {
    throw notWellFormed(`${excerpt(tag)}, which is no tag`);
  }
  return at;
}

function skipSpace(tag: string, start: number, end: number): number {
  let at = start;
  for (; at < end; at++) {
    const code = tag.charCodeAt(at);
    if (code !== 0x20 && code !== 0x0a && code !== 0x09) break;
  }
  return at;
}

/** Enough of what the peer sent to recognise it. */
export function excerpt(text: string): string {
  return text.length <= 40 ? text : `${text.slice(0, 40)}…`;
}

export function notWellFormed(what: string): ProtocolError {
  return new ProtocolError(`the server sent XML that is not well-formed: ${what}`, {
    details: { condition: 'not-well-formed' },
  });
}

export function refuse(what: string, condition: string): ProtocolError {
  return new ProtocolError(`the server sent ${what}`, { details: { condition } });
}
