/**
 * Markup of XML 1.0 in bytes of UTF-8 that come in pieces of any size: tags, text, comments and the rest, checked for
 * well-formedness and hardly decoded. Document types are refused, and with them all entities but the five.
 *
 * Text is leapt over by a search for `<`, which is what makes base64 cheap. Namespaces are left to the one who knows
 * what the elements mean.
 */
import { resolveReference } from '../../xml/characters.js';
import {
  AMPERSAND,
  APOSTROPHE,
  decodeReferences,
  EQUALS,
  EXCLAMATION,
  findNameEnd,
  GREATER,
  isSpace,
  LESS,
  MAX_REFERENCE_LENGTH,
  QUESTION,
  QUOTATION,
  SEMICOLON,
  SLASH,
} from './markup.js';

/** The document is not what it should be; the caller knows its name. */
export class ScanError extends Error {
  constructor(
    message: string,
    /** Bytes before the place. */
    readonly offset: number,
    readonly account: string | undefined,
    readonly hint?: string,
  ) {
    super(message);
  }
}

const MAX_TAG_BYTES = 1024 * 1024;
const MAX_COMMENT_BYTES = 8 * 1024 * 1024;
const MAX_ATTRIBUTES = 1000;
const MAX_DEPTH = 50_000;
/** Bytes of text that are not looked at before the next come: a part of a reference, of `]]>` or of a character. */
const HELD_BACK = MAX_REFERENCE_LENGTH + 2;

/** Where the parts of a start tag are. */
export interface Tag {
  nameStart: number;
  nameEnd: number;
  isEmpty: boolean;
  end: number;
}

export abstract class MarkupScanner {
  protected bytes: Buffer = Buffer.alloc(0);
  protected at: number;
  protected limit = 0;
  protected isFinal = false;
  /** Bytes of the document before the beginning of the buffer; negative where the buffer begins with something else. */
  protected offset: number;
  /** How many elements are open. */
  protected depth = 0;
  /** Of the tag that was read last: name start, name end, value start, value end. */
  protected readonly attributes: number[] = [];

  readonly #wasUtf16: boolean;
  /** The names of open elements, one after the other, and where each begins. */
  #names = Buffer.alloc(4096);
  readonly #nameStarts: number[] = [];
  #namesLength = 0;
  #isInCdata = false;
  /** Where the next `&` and the next `]]>` are, as far as is known; at the limit when there is none. */
  #nextReference = -1;
  #nextCdataEnd = -1;

  /**
   * @param at where in the buffer the document begins
   * @param wasUtf16 it has been decoded from UTF-16
   */
  constructor(at: number, wasUtf16: boolean) {
    this.at = at;
    this.offset = -at;
    this.#wasUtf16 = wasUtf16;
  }

  /** An element begins; `depth` is still that of what it is in, and `attributes` are its own. */
  protected abstract onStartTag(tag: Tag, start: number): void;
  /** The element at `depth` ends. @param start where its end tag begins */
  protected abstract onEndTag(start: number, end: number): void;
  /** A comment or a processing instruction. */
  protected abstract onCut(start: number, end: number): void;
  /** For errors: the account that is open. */
  protected abstract get place(): string | undefined;

  /** The buffer has more bytes than before, or these are in another one: what was at `movedBy` is now at 0. */
  setData(bytes: Buffer, limit: number, isFinal: boolean, movedBy = 0): void {
    if (movedBy !== 0) this.move(movedBy);
    this.bytes = bytes.length === limit ? bytes : bytes.subarray(0, limit);
    this.limit = limit;
    this.isFinal = isFinal;
    this.#nextReference = this.#nextCdataEnd = -1;
  }

  protected move(by: number): void {
    this.at -= by;
    this.offset += by;
  }

  /** Reads one piece of text or markup. False: it is not complete. */
  protected step(): boolean {
    if (this.at >= this.limit) return false;
    if (this.#isInCdata) return this.#readCdata();
    if (this.bytes[this.at] !== LESS) return this.#readText();
    const next = this.bytes[this.at + 1];
    if (next === undefined) return false;
    if (next === SLASH) return this.#readEndTag();
    if (next === EXCLAMATION) return this.#readDeclaration();
    if (next === QUESTION) return this.#readInstruction();
    return this.#readStartTag();
  }

  #readText(): boolean {
    const bytes = this.bytes;
    const from = this.at;
    let end = from;
    // Most text is short, and a call costs more than a few bytes.
    const near = Math.min(from + 24, this.limit);
    while (end < near && bytes[end] !== LESS) end++;
    if (end === near) {
      end = bytes.indexOf(LESS, end);
      if (end < 0) {
        end = this.isFinal ? this.limit : this.limit - HELD_BACK;
        if (end <= from) return false;
      }
    }
    if (this.#nextReference < from) {
      const found = bytes.indexOf(AMPERSAND, from);
      this.#nextReference = found < 0 ? this.limit : found;
    }
    if (this.#nextReference < end) {
      const complete = this.#checkReferences(from, end);
      if (complete < end) {
        if (complete === from) return false;
        end = complete;
      }
    }
    if (this.#nextCdataEnd < from) {
      const found = bytes.indexOf(']]>', from);
      this.#nextCdataEnd = found < 0 ? this.limit : found;
    }
    if (this.#nextCdataEnd < end) throw this.fail('there is "]]>" in text', this.#nextCdataEnd);
    if (this.depth === 0) this.#checkOnlySpace(from, end);
    this.at = end;
    return true;
  }

  #checkOnlySpace(from: number, end: number): void {
    for (let at = from; at < end; at++) {
      if (isSpace(this.bytes[at])) continue;
      const isFirst = at + this.offset === 0;
      throw this.fail(isFirst ? 'it is not XML' : 'there is text outside of the elements', at);
    }
  }

  /** Returns how far the text is complete: a reference may go on behind the end of a buffer. */
  #checkReferences(from: number, end: number): number {
    const bytes = this.bytes;
    let at = bytes.indexOf(AMPERSAND, from);
    while (at >= 0 && at < end) {
      const semicolon = bytes.indexOf(SEMICOLON, at);
      const isOpen = semicolon < 0 || semicolon >= end;
      const goesOn = bytes[end] !== LESS && !this.isFinal;
      if (isOpen && goesOn && end - at <= MAX_REFERENCE_LENGTH) return at;
      const name = isOpen ? '' : bytes.toString('latin1', at + 1, Math.min(semicolon, at + 40));
      if (resolveReference(name) === undefined) throw this.#badReference(at, name);
      at = bytes.indexOf(AMPERSAND, semicolon);
    }
    this.#nextReference = at < 0 ? this.limit : at;
    return end;
  }

  #badReference(at: number, name: string): ScanError {
    return /^[A-Za-z_][\w.-]*$/.test(name)
      ? this.fail(
          `there is the entity &${name};, which could stand for anything`,
          at,
          'only &amp; &lt; &gt; &quot; &apos; and characters by number are read',
        )
      : this.fail(name.startsWith('#') ? `&${name}; is no character of XML` : 'there is a "&" alone', at);
  }

  #readCdata(): boolean {
    let end = this.bytes.indexOf(']]>', this.at);
    if (end < 0) {
      end = this.limit - HELD_BACK;
      if (end <= this.at) return false;
      this.at = end;
      return true;
    }
    this.#isInCdata = false;
    this.at = end + 3;
    return true;
  }

  #readDeclaration(): boolean {
    const head = this.bytes.toString('latin1', this.at, Math.min(this.at + 9, this.limit));
    if (head.startsWith('<!--')) return this.#readComment();
    if (head === '<![CDATA[') {
      if (this.depth === 0) throw this.fail('there is text outside of the elements', this.at);
      this.#isInCdata = true;
      this.at += 9;
      return true;
    }
    if (head.startsWith('<!DOCTYPE')) {
      throw this.fail(
        'there is a document type declaration, which is never read',
        this.at,
        'remove it; an export of a server has none',
      );
    }
    if (!'<![CDATA['.startsWith(head) && !'<!--'.startsWith(head) && !'<!DOCTYPE'.startsWith(head))
      throw this.fail('there is "<!" that begins nothing', this.at);
    return false;
  }

  #readComment(): boolean {
    const dashes = this.bytes.indexOf('--', this.at + 4);
    const end = dashes < 0 ? this.limit : dashes + 3;
    if (end - this.at > MAX_COMMENT_BYTES) throw this.fail('a comment has no end', this.at);
    if (dashes < 0 || end > this.limit) return false;
    if (this.bytes[dashes + 2] !== GREATER) throw this.fail('there is "--" in a comment', dashes);
    this.onCut(this.at, end);
    this.at = end;
    return true;
  }

  #readInstruction(): boolean {
    const end = this.bytes.indexOf('?>', this.at + 2);
    if (end < 0) {
      if (this.limit - this.at > MAX_TAG_BYTES)
        throw this.fail('a processing instruction has no end', this.at);
      return false;
    }
    const nameEnd = findNameEnd(this.bytes, this.at + 2, end);
    if (nameEnd < 0 || nameEnd === this.at + 2 || (nameEnd < end && !isSpace(this.bytes[nameEnd])))
      throw this.fail('there is a processing instruction without a name', this.at);
    const name = this.bytes.toString('utf8', this.at + 2, nameEnd);
    if (name.includes(':'))
      throw this.fail('there is a colon in the name of a processing instruction', this.at);
    if (name.toLowerCase() === 'xml') {
      // A byte order mark has been skipped by the one who reads the file.
      if (this.at + this.offset !== 0)
        throw this.fail('the XML declaration is not at the beginning', this.at);
      checkXmlDeclaration(this.bytes.toString('latin1', this.at, end + 2), this.#wasUtf16, (message, hint) =>
        this.fail(message, this.at, hint),
      );
    }
    this.onCut(this.at, end + 2);
    this.at = end + 2;
    return true;
  }

  #readEndTag(): boolean {
    const bytes = this.bytes;
    if (this.depth === 0) throw this.fail('there is an end tag without a start tag', this.at);
    const nameStart = this.#nameStarts[this.depth - 1] ?? 0;
    const length = this.#namesLength - nameStart;
    let end = this.at + 2 + length;
    if (end >= this.limit) {
      if (bytes.indexOf(GREATER, this.at) >= 0) throw this.#wrongEnd();
      return false;
    }
    for (let index = 0; index < length; index++) {
      if (bytes[this.at + 2 + index] !== this.#names[nameStart + index]) throw this.#wrongEnd();
    }
    while (isSpace(bytes[end])) end++;
    if (end >= this.limit) return false;
    if (bytes[end] !== GREATER) throw this.#wrongEnd();
    const start = this.at;
    this.at = end + 1;
    this.#end(start, end + 1);
    return true;
  }

  #wrongEnd(): ScanError {
    const name = this.#names.toString('utf8', this.#nameStarts[this.depth - 1], this.#namesLength);
    const found = this.bytes.toString('utf8', this.at, Math.min(this.at + 40, this.limit));
    return this.fail(`</${name}> is due where ${JSON.stringify(found)} is`, this.at);
  }

  #readStartTag(): boolean {
    const tag = this.#parseTag();
    if (!tag) return false;
    const start = this.at;
    this.at = tag.end;
    this.onStartTag(tag, start);
    this.#push(tag);
    if (tag.isEmpty) this.#end(tag.end, tag.end);
    return true;
  }

  /** Checks a start tag and notes where its parts are. */
  #parseTag(): Tag | undefined {
    const bytes = this.bytes;
    const limit = this.limit;
    const nameStart = this.at + 1;
    let at = findNameEnd(bytes, nameStart, limit);
    if (at === limit) return this.#wantMore();
    if (at < 0) throw this.fail('there is "<" that begins no tag', this.at);
    const nameEnd = at;
    const attributes = this.attributes;
    attributes.length = 0;
    for (;;) {
      const beforeSpace = at;
      while (isSpace(bytes[at])) at++;
      if (at >= limit) return this.#wantMore();
      const byte = bytes[at];
      if (byte === GREATER) return { nameStart, nameEnd, isEmpty: false, end: at + 1 };
      if (byte === SLASH) {
        if (at + 1 >= limit) return this.#wantMore();
        if (bytes[at + 1] !== GREATER) throw this.fail('there is "/" inside a tag', at);
        return { nameStart, nameEnd, isEmpty: true, end: at + 2 };
      }
      if (at === beforeSpace) throw this.fail('there is no space before an attribute', at);
      const attributeEnd = findNameEnd(bytes, at, limit);
      if (attributeEnd < 0) throw this.fail('there is something in a tag that is no attribute', at);
      if (attributeEnd === limit) return this.#wantMore();
      const attributeStart = at;
      at = attributeEnd;
      while (isSpace(bytes[at])) at++;
      if (at >= limit) return this.#wantMore();
      if (bytes[at] !== EQUALS) throw this.fail('there is an attribute without a value', attributeStart);
      at++;
      while (isSpace(bytes[at])) at++;
      if (at >= limit) return this.#wantMore();
      const quote = bytes[at];
      if (quote !== QUOTATION && quote !== APOSTROPHE)
        throw this.fail('the value of an attribute is not quoted', at);
      const valueStart = ++at;
      for (;;) {
        const value = bytes[at];
        if (value === quote) break;
        if (at >= limit) return this.#wantMore();
        if (value === LESS) throw this.fail('there is "<" inside a tag', at);
        if (value === AMPERSAND) {
          const semicolon = bytes.indexOf(SEMICOLON, at);
          if (semicolon < 0 && limit - at <= MAX_REFERENCE_LENGTH && !this.isFinal) return undefined;
          const name = semicolon < 0 ? '' : bytes.toString('latin1', at + 1, Math.min(semicolon, at + 40));
          if (resolveReference(name) === undefined) throw this.#badReference(at, name);
        }
        at++;
      }
      if (attributes.length >= MAX_ATTRIBUTES * 4)
        throw this.fail(`an element has more than ${MAX_ATTRIBUTES} attributes`, this.at);
      this.#checkNotTwice(attributeStart, attributeEnd);
      attributes.push(attributeStart, attributeEnd, valueStart, at);
      at++;
    }
  }

  #wantMore(): Tag | undefined {
    if (this.limit - this.at > MAX_TAG_BYTES) throw this.fail('a tag has no end', this.at);
    return undefined;
  }

  #checkNotTwice(start: number, end: number): void {
    const bytes = this.bytes;
    const attributes = this.attributes;
    for (let index = 0; index < attributes.length; index += 4) {
      const other = attributes[index] ?? 0;
      if ((attributes[index + 1] ?? 0) - other !== end - start || bytes[other] !== bytes[start]) continue;
      if (bytes.compare(bytes, other, other + end - start, start, end) === 0)
        throw this.fail(`there is the attribute ${bytes.toString('utf8', start, end)} twice`, start);
    }
  }

  #push({ nameStart, nameEnd }: Tag): void {
    const length = nameEnd - nameStart;
    if (this.depth >= MAX_DEPTH) throw this.fail(`elements are nested deeper than ${MAX_DEPTH}`, nameStart);
    if (this.#namesLength + length > this.#names.length) {
      const larger = Buffer.alloc(2 * (this.#namesLength + length));
      this.#names.copy(larger, 0, 0, this.#namesLength);
      this.#names = larger;
    }
    const names = this.#names;
    const bytes = this.bytes;
    for (let index = 0; index < length; index++)
      names[this.#namesLength + index] = bytes[nameStart + index] ?? 0;
    this.#nameStarts[this.depth] = this.#namesLength;
    this.#namesLength += length;
    this.depth += 1;
  }

  protected localName({ nameStart, nameEnd }: Tag): string {
    const name = this.bytes.toString('utf8', nameStart, nameEnd);
    return name.slice(name.indexOf(':') + 1);
  }

  protected valueAt(index: number): string {
    const raw = this.bytes.toString('utf8', this.attributes[index + 2], this.attributes[index + 3]);
    return decodeReferences(/[\t\n\r]/.test(raw) ? raw.replace(/\r\n|[\t\n\r]/g, ' ') : raw);
  }

  protected attribute(wanted: string): string | undefined {
    for (let index = 0; index < this.attributes.length; index += 4) {
      const start = this.attributes[index] ?? 0;
      if ((this.attributes[index + 1] ?? 0) - start !== wanted.length) continue;
      if (this.bytes.toString('latin1', start, start + wanted.length) === wanted) return this.valueAt(index);
    }
    return undefined;
  }

  #end(start: number, end: number): void {
    this.onEndTag(start, end);
    this.depth -= 1;
    this.#namesLength = this.#nameStarts[this.depth] ?? 0;
  }

  protected fail(message: string, at: number, hint?: string): ScanError {
    return new ScanError(message, at + this.offset, this.place, hint);
  }
}

const DECLARATION =
  /^<\?xml\s+version\s*=\s*(?:"(1\.\d+)"|'(1\.\d+)')(?:\s+encoding\s*=\s*(?:"([A-Za-z][\w.-]*)"|'([A-Za-z][\w.-]*)'))?(?:\s+standalone\s*=\s*(?:"(?:yes|no)"|'(?:yes|no)'))?\s*\?>$/;

function checkXmlDeclaration(
  text: string,
  wasUtf16: boolean,
  refuse: (message: string, hint?: string) => ScanError,
): void {
  const found = DECLARATION.exec(text);
  if (!found) throw refuse('its XML declaration is none');
  const version = found[1] ?? found[2] ?? '';
  if (version !== '1.0') throw refuse(`it is XML ${version}, and only XML 1.0 is read`);
  const encoding = found[3] ?? found[4];
  if (encoding === undefined) return;
  // ASCII is a part of UTF-8.
  const isTrue = wasUtf16 ? /^utf-16(?:le|be)?$/i.test(encoding) : /^(?:utf-8|us-ascii)$/i.test(encoding);
  if (!isTrue && /^utf-/i.test(encoding))
    throw refuse(
      `it says that it is in ${encoding}, and it is in ${wasUtf16 ? 'UTF-16' : 'another encoding'}`,
    );
  if (!isTrue) {
    throw refuse(
      `it says that it is in the encoding ${encoding}, and only UTF-8 and UTF-16 are read`,
      `iconv -f ${encoding} -t UTF-8, and change the first line`,
    );
  }
}
