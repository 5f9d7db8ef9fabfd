/**
 * Finds the accounts in an XEP-0227 document, in bytes that come in pieces of any size.
 *
 * It is a complete check of well-formedness (XML 1.0 and Namespaces, without document types), but it decodes almost
 * nothing: an account is handed on as a range of bytes in which the elements that somebody may want to change are
 * marked. Text is leapt over by a search for `<`, which is what makes base64 cheap.
 */
import { NS_PIE_SCRAM, NS_PIE, NS_PIE_OLD, NS_XINCLUDE } from './namespaces.js';
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
  resolveReference,
  SEMICOLON,
  SLASH,
} from './markup.js';

/** The elements of an account that a conversion may change. */
export const ChildKind = { other: 0, vcardTemp: 1, scram: 2, nodes: 3, items: 4, include: 5 } as const;
export type ChildKind = (typeof ChildKind)[keyof typeof ChildKind];

const NS_PUBSUB = 'http://jabber.org/protocol/pubsub';
const kinds: Readonly<Record<string, ChildKind>> = {
  'vcard-temp vCard': ChildKind.vcardTemp,
  [`${NS_PIE_SCRAM} scram-credentials`]: ChildKind.scram,
  [`${NS_PUBSUB}#owner pubsub`]: ChildKind.nodes,
  [`${NS_PUBSUB} pubsub`]: ChildKind.items,
  [`${NS_XINCLUDE} include`]: ChildKind.include,
};

/** Namespaces by prefix, the default one under ''. */
export type Scope = Readonly<Record<string, string>>;

export interface MarkedChild {
  kind: ChildKind;
  start: number;
  end: number;
}

/** One `<user/>`: all positions are those of bytes in the buffer that was scanned. */
export interface MarkedAccount {
  host: string;
  name: string;
  /** The name as servers write it, where the input has it otherwise. */
  preparedName?: string;
  password: string | undefined;
  /** The start tag, from `<` to behind `>`. */
  start: number;
  contentStart: number;
  /** Equal to `end` for `<user …/>`. */
  contentEnd: number;
  end: number;
  /** The elements of the kinds above, in their order. */
  children: MarkedChild[];
  /** Comments and processing instructions: pairs of start and end. */
  cuts: number[];
  /** What is declared outside of it; only where the account cannot be understood without it. */
  scope: Scope | undefined;
}

export type ScanEvent =
  | { type: 'host'; jid: string }
  | { type: 'host-end' }
  | { type: 'account'; account: MarkedAccount }
  | { type: 'include'; href: string }
  /** An element beside hosts and accounts, which is left out. */
  | { type: 'foreign'; name: string }
  | { type: 'end' };

/** What the root element may be, from what the document is included into. */
export type DocumentLevel = 'server-data' | 'host' | 'user';

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

type Level = 'document' | 'server-data' | 'host' | 'user' | 'child' | 'foreign';

interface Declaration {
  prefix: string;
  uri: string;
  depth: number;
}

interface Tag {
  nameStart: number;
  nameEnd: number;
  isEmpty: boolean;
  end: number;
}

export class DocumentScanner {
  readonly #root: DocumentLevel;
  readonly #wasUtf16: boolean;
  #bytes: Buffer = Buffer.alloc(0);
  #at: number;
  #limit = 0;
  #isFinal = false;
  /** Bytes of the document before the beginning of the buffer; negative where the buffer begins with something else. */
  #offset: number;

  #depth = 0;
  /** The names of open elements, one after the other, and where each begins. */
  #names = Buffer.alloc(4096);
  #nameStarts: number[] = [];
  #namesLength = 0;
  #levels: Level[] = ['document'];
  #declarations: Declaration[] = [];
  #isInCdata = false;
  #hasRoot = false;
  #isDone = false;
  #hasBegun = false;

  #host = '';
  #account: MarkedAccount | undefined;
  /** Names in the account that is open cannot be understood without what is declared around it. */
  #usesPrefixes = false;
  #child: { kind: ChildKind; start: number; depth: number } | undefined;
  #last: string | undefined;
  #events: ScanEvent[] = [];

  /** Where the next `&` and the next `]]>` are, as far as is known; at the limit when there is none. */
  #nextReference = -1;
  #nextCdataEnd = -1;

  /** Of the tag that was read last: name start, name end, value start, value end. */
  readonly #attributes: number[] = [];

  /**
   * @param options.at where in the buffer the document begins
   * @param options.host of the document that this one is included into
   * @param options.wasUtf16 it has been decoded from UTF-16
   */
  constructor(
    root: DocumentLevel,
    { at = 0, host = '', wasUtf16 = false }: { at?: number; host?: string; wasUtf16?: boolean } = {},
  ) {
    this.#root = root;
    this.#at = at;
    this.#offset = -at;
    this.#host = host;
    this.#wasUtf16 = wasUtf16;
  }

  /** The buffer has more bytes than before, or these are in another one: what was at `movedBy` is now at 0. */
  setData(bytes: Buffer, limit: number, isFinal: boolean, movedBy = 0): void {
    if (movedBy !== 0) this.#move(movedBy);
    this.#bytes = bytes.length === limit ? bytes : bytes.subarray(0, limit);
    this.#limit = limit;
    this.#isFinal = isFinal;
    this.#nextReference = this.#nextCdataEnd = -1;
  }

  #move(by: number): void {
    this.#at -= by;
    this.#offset += by;
    if (this.#child) this.#child.start -= by;
    const account = this.#account;
    if (!account) return;
    account.start -= by;
    account.contentStart -= by;
    account.children = account.children.map(({ kind, start, end }) => ({
      kind,
      start: start - by,
      end: end - by,
    }));
    account.cuts = account.cuts.map((position) => position - by);
  }

  /** Bytes before this are not needed any more. */
  get keepFrom(): number {
    return this.#account?.start ?? this.#at;
  }

  /** How far it has come. */
  get position(): number {
    return this.#at;
  }

  /** The account that has begun and is not complete, and its element that is not. */
  get open(): { account: MarkedAccount; child: { kind: ChildKind; start: number } | undefined } | undefined {
    return this.#account && { account: this.#account, child: this.#child };
  }

  /** What there is of an open account has been taken care of up to here. */
  forgetOpen(upTo: number): void {
    if (!this.#account) return;
    this.#account.start = upTo;
    this.#account.children = [];
    this.#account.cuts = [];
  }

  /** The element that is not complete is to be treated as any other. */
  unmarkOpenChild(): void {
    if (this.#child) this.#child.kind = ChildKind.other;
  }

  /** The account that was complete last, for errors. */
  get lastAccount(): string | undefined {
    return this.#last;
  }

  /**
   * @returns undefined when more bytes are needed
   * @throws ScanError
   */
  next(): ScanEvent | undefined {
    for (;;) {
      const event = this.#events.shift();
      if (event) return event;
      if (this.#isDone) return undefined;
      if (!this.#step()) {
        if (!this.#isFinal) return undefined;
        this.#finish();
      }
    }
  }

  #finish(): void {
    if (this.#depth > 0 || this.#at < this.#limit || !this.#hasRoot) {
      throw this.#error(
        !this.#hasRoot && !this.#hasBegun && this.#at >= this.#limit
          ? 'it is empty'
          : 'it ends in the middle of something',
        this.#limit,
        'the file is truncated',
      );
    }
    this.#isDone = true;
    this.#events.push({ type: 'end' });
  }

  /** Reads one piece of text or markup. False: it is not complete. */
  #step(): boolean {
    if (this.#at >= this.#limit) return false;
    if (this.#isInCdata) return this.#readCdata();
    if (this.#bytes[this.#at] !== LESS) return this.#readText();
    const next = this.#bytes[this.#at + 1];
    if (next === undefined) return false;
    if (next === SLASH) return this.#readEndTag();
    if (next === EXCLAMATION) return this.#readDeclaration();
    if (next === QUESTION) return this.#readInstruction();
    return this.#readStartTag();
  }

  #readText(): boolean {
    const bytes = this.#bytes;
    const from = this.#at;
    let end = from;
    // Most text is short, and a call costs more than a few bytes.
    const near = Math.min(from + 24, this.#limit);
    while (end < near && bytes[end] !== LESS) end++;
    if (end === near) {
      end = bytes.indexOf(LESS, end);
      if (end < 0) {
        end = this.#isFinal ? this.#limit : this.#limit - HELD_BACK;
        if (end <= from) return false;
      }
    }
    if (this.#nextReference < from) {
      const found = bytes.indexOf(AMPERSAND, from);
      this.#nextReference = found < 0 ? this.#limit : found;
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
      this.#nextCdataEnd = found < 0 ? this.#limit : found;
    }
    if (this.#nextCdataEnd < end) throw this.#error('there is "]]>" in text', this.#nextCdataEnd);
    if (this.#depth === 0) this.#checkOnlySpace(from, end);
    this.#at = end;
    return true;
  }

  #checkOnlySpace(from: number, end: number): void {
    for (let at = from; at < end; at++) {
      if (isSpace(this.#bytes[at])) continue;
      const isFirst = at + this.#offset === 0;
      throw this.#error(isFirst ? 'it is not XML' : 'there is text outside of the elements', at);
    }
  }

  /** Returns how far the text is complete: a reference may go on behind the end of a buffer. */
  #checkReferences(from: number, end: number): number {
    const bytes = this.#bytes;
    let at = bytes.indexOf(AMPERSAND, from);
    while (at >= 0 && at < end) {
      const semicolon = bytes.indexOf(SEMICOLON, at);
      const isOpen = semicolon < 0 || semicolon >= end;
      const goesOn = bytes[end] !== LESS && !this.#isFinal;
      if (isOpen && goesOn && end - at <= MAX_REFERENCE_LENGTH) return at;
      const name = isOpen ? '' : bytes.toString('latin1', at + 1, Math.min(semicolon, at + 40));
      if (resolveReference(name) === undefined) throw this.#badReference(at, name);
      at = bytes.indexOf(AMPERSAND, semicolon);
    }
    this.#nextReference = at < 0 ? this.#limit : at;
    return end;
  }

  #badReference(at: number, name: string): ScanError {
    return /^[A-Za-z_][\w.-]*$/.test(name)
      ? this.#error(
          `there is the entity &${name};, which could stand for anything`,
          at,
          'only &amp; &lt; &gt; &quot; &apos; and characters by number are read',
        )
      : this.#error(name.startsWith('#') ? `&${name}; is no character of XML` : 'there is a "&" alone', at);
  }

  #readCdata(): boolean {
    let end = this.#bytes.indexOf(']]>', this.#at);
    if (end < 0) {
      end = this.#limit - HELD_BACK;
      if (end <= this.#at) return false;
      this.#at = end;
      return true;
    }
    this.#isInCdata = false;
    this.#at = end + 3;
    return true;
  }

  #readDeclaration(): boolean {
    const head = this.#bytes.toString('latin1', this.#at, Math.min(this.#at + 9, this.#limit));
    if (head.startsWith('<!--')) return this.#readComment();
    if (head === '<![CDATA[') {
      if (this.#depth === 0) throw this.#error('there is text outside of the elements', this.#at);
      this.#isInCdata = true;
      this.#at += 9;
      return true;
    }
    if (head.startsWith('<!DOCTYPE')) {
      throw this.#error(
        'there is a document type declaration, which is never read',
        this.#at,
        'remove it; an export of a server has none',
      );
    }
    if (!'<![CDATA['.startsWith(head) && !'<!--'.startsWith(head) && !'<!DOCTYPE'.startsWith(head))
      throw this.#error('there is "<!" that begins nothing', this.#at);
    return false;
  }

  #readComment(): boolean {
    const dashes = this.#bytes.indexOf('--', this.#at + 4);
    const end = dashes < 0 ? this.#limit : dashes + 3;
    if (end - this.#at > MAX_COMMENT_BYTES) throw this.#error('a comment has no end', this.#at);
    if (dashes < 0 || end > this.#limit) return false;
    if (this.#bytes[dashes + 2] !== GREATER) throw this.#error('there is "--" in a comment', dashes);
    this.#cut(this.#at, end);
    this.#at = end;
    return true;
  }

  #readInstruction(): boolean {
    const end = this.#bytes.indexOf('?>', this.#at + 2);
    if (end < 0) {
      if (this.#limit - this.#at > MAX_TAG_BYTES)
        throw this.#error('a processing instruction has no end', this.#at);
      return false;
    }
    const nameEnd = findNameEnd(this.#bytes, this.#at + 2, end);
    if (nameEnd < 0 || nameEnd === this.#at + 2 || (nameEnd < end && !isSpace(this.#bytes[nameEnd])))
      throw this.#error('there is a processing instruction without a name', this.#at);
    const name = this.#bytes.toString('utf8', this.#at + 2, nameEnd);
    if (name.includes(':'))
      throw this.#error('there is a colon in the name of a processing instruction', this.#at);
    if (name.toLowerCase() === 'xml') {
      // A byte order mark has been skipped by the one who reads the file.
      if (this.#hasBegun) throw this.#error('the XML declaration is not at the beginning', this.#at);
      checkXmlDeclaration(
        this.#bytes.toString('latin1', this.#at, end + 2),
        this.#wasUtf16,
        (message, hint) => this.#error(message, this.#at, hint),
      );
    }
    this.#hasBegun = true;
    this.#cut(this.#at, end + 2);
    this.#at = end + 2;
    return true;
  }

  #cut(start: number, end: number): void {
    this.#hasBegun = true;
    if (this.#account) this.#account.cuts.push(start, end);
  }

  #readEndTag(): boolean {
    const bytes = this.#bytes;
    if (this.#depth === 0) throw this.#error('there is an end tag without a start tag', this.#at);
    const nameStart = this.#nameStarts[this.#depth - 1] ?? 0;
    const length = this.#namesLength - nameStart;
    let end = this.#at + 2 + length;
    if (end >= this.#limit) {
      if (bytes.indexOf(GREATER, this.#at) >= 0) throw this.#wrongEnd();
      return false;
    }
    for (let index = 0; index < length; index++) {
      if (bytes[this.#at + 2 + index] !== this.#names[nameStart + index]) throw this.#wrongEnd();
    }
    while (isSpace(bytes[end])) end++;
    if (end >= this.#limit) return false;
    if (bytes[end] !== GREATER) throw this.#wrongEnd();
    const start = this.#at;
    this.#at = end + 1;
    this.#close(start, end + 1);
    return true;
  }

  #wrongEnd(): ScanError {
    const name = this.#names.toString('utf8', this.#nameStarts[this.#depth - 1], this.#namesLength);
    const found = this.#bytes.toString('utf8', this.#at, Math.min(this.#at + 40, this.#limit));
    return this.#error(`</${name}> is due where ${JSON.stringify(found)} is`, this.#at);
  }

  #readStartTag(): boolean {
    const tag = this.#parseTag();
    if (!tag) return false;
    const start = this.#at;
    this.#at = tag.end;
    this.#hasBegun = true;
    if (this.#depth === 0 && this.#hasRoot) throw this.#error('there is a second root element', start);
    this.#open(tag, start);
    return true;
  }

  /** Checks a start tag and notes where its parts are. */
  #parseTag(): Tag | undefined {
    const bytes = this.#bytes;
    const limit = this.#limit;
    const nameStart = this.#at + 1;
    let at = findNameEnd(bytes, nameStart, limit);
    if (at === limit) return this.#wantMore();
    if (at < 0) throw this.#error('there is "<" that begins no tag', this.#at);
    const nameEnd = at;
    const attributes = this.#attributes;
    attributes.length = 0;
    for (;;) {
      const beforeSpace = at;
      while (isSpace(bytes[at])) at++;
      if (at >= limit) return this.#wantMore();
      const byte = bytes[at];
      if (byte === GREATER) return { nameStart, nameEnd, isEmpty: false, end: at + 1 };
      if (byte === SLASH) {
        if (at + 1 >= limit) return this.#wantMore();
        if (bytes[at + 1] !== GREATER) throw this.#error('there is "/" inside a tag', at);
        return { nameStart, nameEnd, isEmpty: true, end: at + 2 };
      }
      if (at === beforeSpace) throw this.#error('there is no space before an attribute', at);
      const attributeEnd = findNameEnd(bytes, at, limit);
      if (attributeEnd < 0) throw this.#error('there is something in a tag that is no attribute', at);
      if (attributeEnd === limit) return this.#wantMore();
      const attributeStart = at;
      at = attributeEnd;
      while (isSpace(bytes[at])) at++;
      if (at >= limit) return this.#wantMore();
      if (bytes[at] !== EQUALS) throw this.#error('there is an attribute without a value', attributeStart);
      at++;
      while (isSpace(bytes[at])) at++;
      if (at >= limit) return this.#wantMore();
      const quote = bytes[at];
      if (quote !== QUOTATION && quote !== APOSTROPHE)
        throw this.#error('the value of an attribute is not quoted', at);
      const valueStart = ++at;
      for (;;) {
        const value = bytes[at];
        if (value === quote) break;
        if (at >= limit) return this.#wantMore();
        if (value === LESS) throw this.#error('there is "<" inside a tag', at);
        if (value === AMPERSAND) {
          const semicolon = bytes.indexOf(SEMICOLON, at);
          if (semicolon < 0 && limit - at <= MAX_REFERENCE_LENGTH && !this.#isFinal) return undefined;
          const name = semicolon < 0 ? '' : bytes.toString('latin1', at + 1, Math.min(semicolon, at + 40));
          if (resolveReference(name) === undefined) throw this.#badReference(at, name);
        }
        at++;
      }
      if (attributes.length >= MAX_ATTRIBUTES * 4)
        throw this.#error(`an element has more than ${MAX_ATTRIBUTES} attributes`, this.#at);
      this.#checkNotTwice(attributeStart, attributeEnd);
      attributes.push(attributeStart, attributeEnd, valueStart, at);
      at++;
    }
  }

  #wantMore(): Tag | undefined {
    if (this.#limit - this.#at > MAX_TAG_BYTES) throw this.#error('a tag has no end', this.#at);
    return undefined;
  }

  #checkNotTwice(start: number, end: number): void {
    const bytes = this.#bytes;
    const attributes = this.#attributes;
    for (let index = 0; index < attributes.length; index += 4) {
      const other = attributes[index] ?? 0;
      if ((attributes[index + 1] ?? 0) - other !== end - start || bytes[other] !== bytes[start]) continue;
      if (bytes.compare(bytes, other, other + end - start, start, end) === 0)
        throw this.#error(`there is the attribute ${bytes.toString('utf8', start, end)} twice`, start);
    }
  }

  #open(tag: Tag, start: number): void {
    const level = this.#levels[this.#depth] ?? 'foreign';
    this.#readDeclarations(level === 'child' || level === 'foreign');
    if (level === 'child' || level === 'foreign') this.#checkPrefixes(tag);
    let inner: Level = level;
    if (level !== 'child' && level !== 'foreign') inner = this.#enter(level, tag, start);
    this.#push(tag, inner);
    if (tag.isEmpty) this.#close(tag.end, tag.end);
  }

  #push({ nameStart, nameEnd }: Tag, level: Level): void {
    const length = nameEnd - nameStart;
    if (this.#depth >= MAX_DEPTH)
      throw this.#error(`elements are nested deeper than ${MAX_DEPTH}`, nameStart);
    if (this.#namesLength + length > this.#names.length) {
      const larger = Buffer.alloc(2 * (this.#namesLength + length));
      this.#names.copy(larger, 0, 0, this.#namesLength);
      this.#names = larger;
    }
    const names = this.#names;
    const bytes = this.#bytes;
    for (let index = 0; index < length; index++)
      names[this.#namesLength + index] = bytes[nameStart + index] ?? 0;
    this.#nameStarts[this.#depth] = this.#namesLength;
    this.#namesLength += length;
    this.#depth += 1;
    this.#levels[this.#depth] = level;
  }

  /** @param onlyPrefixes deep inside an account the default namespace makes no difference */
  #readDeclarations(onlyPrefixes: boolean): void {
    const bytes = this.#bytes;
    const attributes = this.#attributes;
    for (let index = 0; index < attributes.length; index += 4) {
      const start = attributes[index] ?? 0;
      // `xmlns`, told from other attributes by its first two letters.
      if (bytes[start] !== 0x78 || bytes[start + 1] !== 0x6d) continue;
      const name = bytes.toString('utf8', start, attributes[index + 1]);
      if (name !== 'xmlns' && !name.startsWith('xmlns:')) continue;
      if (name === 'xmlns' && onlyPrefixes) continue;
      const uri = this.#valueAt(index);
      const prefix = name === 'xmlns' ? '' : name.slice(6);
      const isReserved =
        prefix === 'xmlns' ||
        uri === 'http://www.w3.org/2000/xmlns/' ||
        (prefix === 'xml') !== (uri === 'http://www.w3.org/XML/1998/namespace');
      if (isReserved || (prefix !== '' && uri === ''))
        throw this.#error(`${name} declares a namespace that it may not`, start);
      this.#declarations.push({ prefix, uri, depth: this.#depth + 1 });
    }
  }

  /** Every prefix is declared, and no attribute is there twice under two prefixes (Namespaces in XML §6.3). */
  #checkPrefixes({ nameStart, nameEnd }: Tag): void {
    const bytes = this.#bytes;
    const attributes = this.#attributes;
    if (this.#prefixOf(nameStart, nameEnd) !== undefined) this.#usePrefix(nameStart, nameEnd);
    let seen: Set<string> | undefined;
    for (let index = 0; index < attributes.length; index += 4) {
      const start = attributes[index] ?? 0;
      const end = attributes[index + 1] ?? 0;
      const prefix = this.#prefixOf(start, end);
      if (prefix === undefined || prefix === 'xmlns') continue;
      const expanded = `${this.#usePrefix(start, end)} ${bytes.toString('utf8', start + prefix.length + 1, end)}`;
      seen ??= new Set();
      if (seen.has(expanded)) throw this.#error('there is an attribute twice, under two prefixes', start);
      seen.add(expanded);
    }
  }

  /** What is declared inside of an element goes with it. */
  #usePrefix(start: number, end: number): string {
    const found = this.#levels.indexOf('user');
    const accountDepth = found < 0 || found > this.#depth ? this.#depth + 1 : found;
    const prefix = this.#prefixOf(start, end);
    for (let index = this.#declarations.length - 1; index >= 0; index--) {
      const declaration = this.#declarations[index];
      if (!declaration || declaration.prefix !== prefix) continue;
      if (declaration.depth <= accountDepth) this.#usesPrefixes = true;
      break;
    }
    return this.#namespaceOf(start, end);
  }

  #prefixOf(start: number, end: number): string | undefined {
    const bytes = this.#bytes;
    for (let at = start; at < end; at++) {
      if (bytes[at] === 0x3a) return bytes.toString('utf8', start, at);
    }
    return undefined;
  }

  /** Of a name as it is written. @throws ScanError nothing declares its prefix */
  #namespaceOf(start: number, end: number): string {
    const prefix = this.#prefixOf(start, end) ?? '';
    if (prefix === 'xml') return 'http://www.w3.org/XML/1998/namespace';
    for (let index = this.#declarations.length - 1; index >= 0; index--) {
      const declaration = this.#declarations[index];
      if (declaration?.prefix === prefix) return declaration.uri;
    }
    if (prefix === '') return '';
    throw this.#error(`nothing declares the prefix ${prefix}`, start);
  }

  #localName({ nameStart, nameEnd }: Tag): string {
    const name = this.#bytes.toString('utf8', nameStart, nameEnd);
    return name.slice(name.indexOf(':') + 1);
  }

  #valueAt(index: number): string {
    const raw = this.#bytes.toString('utf8', this.#attributes[index + 2], this.#attributes[index + 3]);
    return decodeReferences(/[\t\n\r]/.test(raw) ? raw.replace(/\r\n|[\t\n\r]/g, ' ') : raw);
  }

  #attribute(wanted: string): string | undefined {
    for (let index = 0; index < this.#attributes.length; index += 4) {
      const start = this.#attributes[index] ?? 0;
      if ((this.#attributes[index + 1] ?? 0) - start !== wanted.length) continue;
      if (this.#bytes.toString('latin1', start, start + wanted.length) === wanted)
        return this.#valueAt(index);
    }
    return undefined;
  }

  /** An element outside of accounts, an account, or a child of one. Returns what is inside of it. */
  #enter(level: Level, tag: Tag, start: number): Level {
    const namespace = this.#namespaceOf(tag.nameStart, tag.nameEnd);
    const name = this.#localName(tag);
    if (level === 'user') {
      this.#checkPrefixes(tag);
      // Servers look for names as they are usually written.
      if (this.#prefixOf(tag.nameStart, tag.nameEnd) !== undefined) this.#usesPrefixes = true;
      const kind = kinds[`${namespace} ${name}`] ?? ChildKind.other;
      this.#child = { kind, start, depth: this.#depth + 1 };
      return 'child';
    }
    const isOurs = namespace === NS_PIE || namespace === NS_PIE_OLD;
    if (level === 'document') {
      this.#hasRoot = true;
      if (!isOurs || !this.#isRoot(name)) {
        throw this.#error(
          `its root is <${name}/>${namespace === '' ? '' : ` in ${namespace}`}, where <${this.#root}/> in ${NS_PIE} is due`,
          start,
          'it is not an export as XEP-0227 describes it',
        );
      }
    }
    if (isOurs && name === 'server-data' && level === 'document') return 'server-data';
    if (isOurs && name === 'host' && level !== 'host') return this.#enterHost(start);
    if (isOurs && name === 'user' && level !== 'server-data') {
      this.#usesPrefixes = false;
      this.#checkPrefixes(tag);
      this.#enterAccount(tag, start);
      return 'user';
    }
    if (namespace === NS_XINCLUDE && name === 'include') this.#include(start);
    else this.#events.push({ type: 'foreign', name });
    return 'foreign';
  }

  #isRoot(name: string): boolean {
    return name === this.#root;
  }

  #enterHost(start: number): Level {
    const jid = this.#attribute('jid');
    if (jid === undefined) throw this.#error('a host has no jid', start);
    this.#host = jid;
    this.#events.push({ type: 'host', jid });
    return 'host';
  }

  #enterAccount(tag: Tag, start: number): void {
    const name = this.#attribute('name');
    if (name === undefined) throw this.#error('an account has no name', start);
    // In what is written the default namespace is that of XEP-0227.
    const own = this.#declarations.at(-1);
    if (own?.depth === this.#depth + 1 && own.prefix === '' && own.uri !== NS_PIE) this.#usesPrefixes = true;
    this.#account = {
      host: this.#host,
      name,
      password: this.#attribute('password'),
      start,
      contentStart: tag.end,
      contentEnd: tag.end,
      end: tag.end,
      children: [],
      cuts: [],
      scope: this.#scopeOutside(),
    };
  }

  /** What is declared by the elements that are open now. */
  #scopeOutside(): Scope {
    const scope: Record<string, string> = {};
    for (const { prefix, uri, depth } of this.#declarations) {
      if (depth <= this.#depth) scope[prefix] = uri;
    }
    return scope;
  }

  #include(start: number): void {
    const href = this.#attribute('href');
    if (href === undefined || href === '') throw this.#error('an XInclude names no file', start);
    const parse = this.#attribute('parse');
    if ((parse !== undefined && parse !== 'xml') || this.#attribute('xpointer') !== undefined) {
      throw this.#error(
        `the XInclude of ${JSON.stringify(href)} is of a kind that is not read`,
        start,
        'only whole files of XML are included',
      );
    }
    this.#events.push({ type: 'include', href });
  }

  /** The element at the top has ended. @param start where its end tag begins */
  #close(start: number, end: number): void {
    const level = this.#levels[this.#depth];
    const child = this.#child;
    if (child?.depth === this.#depth) {
      if (child.kind !== ChildKind.other)
        this.#account?.children.push({ kind: child.kind, start: child.start, end });
      this.#child = undefined;
    }
    while ((this.#declarations.at(-1)?.depth ?? -1) >= this.#depth) this.#declarations.pop();
    this.#depth -= 1;
    this.#namesLength = this.#nameStarts[this.#depth] ?? 0;
    const outer = this.#levels[this.#depth];
    if (level === 'user' && outer !== 'user') this.#finishAccount(start, end);
    else if (level === 'host' && outer !== 'host') this.#events.push({ type: 'host-end' });
  }

  #finishAccount(start: number, end: number): void {
    const account = this.#account;
    if (!account) return;
    account.contentEnd = start;
    account.end = end;
    if (!this.#usesPrefixes) account.scope = undefined;
    this.#account = undefined;
    this.#last = `${account.name}@${account.host}`;
    this.#events.push({ type: 'account', account });
  }

  #error(message: string, at: number, hint?: string): ScanError {
    const account = this.#account ? `${this.#account.name}@${this.#account.host}` : undefined;
    return new ScanError(message, at + this.#offset, account, hint);
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
