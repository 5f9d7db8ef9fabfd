/**
 * Finds the accounts in an XEP-0227 document, in bytes that come in pieces of any size.
 *
 * All of it is checked, but almost nothing is decoded: an account is handed on as a range of bytes in which the elements
 * that somebody may want to change are marked.
 */
import { COLON } from './markup.js';
import { MarkupScanner, type ScanError, type Tag } from './markup-scanner.js';
import { NamespaceScope, type Scope } from './namespace-scope.js';
import { NS_PIE, NS_PIE_OLD, NS_PIE_SCRAM, NS_XINCLUDE } from './namespaces.js';

/** The elements of an account that a conversion may change. */
export const ChildKind = {
  other: 0,
  vcardTemp: 1,
  scram: 2,
  nodes: 3,
  items: 4,
  include: 5,
  roster: 6,
} as const;
export type ChildKind = (typeof ChildKind)[keyof typeof ChildKind];

const NS_PUBSUB = 'http://jabber.org/protocol/pubsub';
const kinds: Readonly<Record<string, ChildKind>> = {
  'vcard-temp vCard': ChildKind.vcardTemp,
  [`${NS_PIE_SCRAM} scram-credentials`]: ChildKind.scram,
  [`${NS_PUBSUB}#owner pubsub`]: ChildKind.nodes,
  [`${NS_PUBSUB} pubsub`]: ChildKind.items,
  [`${NS_XINCLUDE} include`]: ChildKind.include,
  'jabber:iq:roster query': ChildKind.roster,
};

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
  /** Why it is without what it includes. */
  includeFailure?: string;
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

type Level = 'document' | 'server-data' | 'host' | 'user' | 'child' | 'foreign';

export class DocumentScanner extends MarkupScanner {
  readonly #root: DocumentLevel;
  /** What is inside of the open elements, by their depth. */
  readonly #levels: Level[] = ['document'];
  readonly #namespaces = new NamespaceScope();
  readonly #events: ScanEvent[] = [];
  #hasRoot = false;
  #isDone = false;

  #host: string;
  #account: MarkedAccount | undefined;
  #child: { kind: ChildKind; start: number; depth: number } | undefined;
  /** Names in the account that is open cannot be understood without what is declared around it. */
  #usesPrefixes = false;
  #last: string | undefined;

  /**
   * @param options.at where in the buffer the document begins
   * @param options.host of the document that this one is included into
   * @param options.wasUtf16 it has been decoded from UTF-16
   */
  constructor(
    root: DocumentLevel,
    { at = 0, host = '', wasUtf16 = false }: { at?: number; host?: string; wasUtf16?: boolean } = {},
  ) {
    super(at, wasUtf16);
    this.#root = root;
    this.#host = host;
  }

  protected override move(by: number): void {
    super.move(by);
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
    return this.#account?.start ?? this.at;
  }

  /** How far it has come. */
  get position(): number {
    return this.at;
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

  protected override get place(): string | undefined {
    return this.#account && `${this.#account.name}@${this.#account.host}`;
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
      if (!this.step()) {
        if (!this.isFinal) return undefined;
        this.#finish();
      }
    }
  }

  #finish(): void {
    if (this.depth > 0 || this.at < this.limit || !this.#hasRoot) {
      const isEmpty = this.limit + this.offset === 0;
      throw this.fail(
        isEmpty ? 'it is empty' : 'it ends in the middle of something',
        this.limit,
        'the file is truncated',
      );
    }
    this.#isDone = true;
    this.#events.push({ type: 'end' });
  }

  protected override onStartTag(tag: Tag, start: number): void {
    if (this.depth === 0 && this.#hasRoot) throw this.fail('there is a second root element', start);
    const level = this.#levels[this.depth] ?? 'foreign';
    const isInside = level === 'child' || level === 'foreign';
    this.#readDeclarations(isInside);
    if (isInside) this.#checkPrefixes(tag);
    this.#levels[this.depth + 1] = isInside ? level : this.#enter(level, tag, start);
  }

  protected override onEndTag(start: number, end: number): void {
    const child = this.#child;
    if (child?.depth === this.depth) {
      if (child.kind !== ChildKind.other)
        this.#account?.children.push({ kind: child.kind, start: child.start, end });
      this.#child = undefined;
    }
    this.#namespaces.leave(this.depth);
    const inner = this.#levels[this.depth];
    if (inner === this.#levels[this.depth - 1]) return;
    if (inner === 'user') this.#finishAccount(start, end);
    else if (inner === 'host') this.#events.push({ type: 'host-end' });
  }

  protected override onCut(start: number, end: number): void {
    if (this.#account) this.#account.cuts.push(start, end);
  }

  /** @param onlyPrefixes deep inside an account the default namespace makes no difference */
  #readDeclarations(onlyPrefixes: boolean): void {
    const { bytes, attributes } = this;
    for (let index = 0; index < attributes.length; index += 4) {
      const start = attributes[index] ?? 0;
      // `xmlns`, told from other attributes by its first two letters.
      if (bytes[start] !== 0x78 || bytes[start + 1] !== 0x6d) continue;
      const name = bytes.toString('utf8', start, attributes[index + 1]);
      if (name !== 'xmlns' && !name.startsWith('xmlns:')) continue;
      if (name === 'xmlns' && onlyPrefixes) continue;
      const prefix = name === 'xmlns' ? '' : name.slice(6);
      if (!this.#namespaces.declare(prefix, this.valueAt(index), this.depth + 1))
        throw this.fail(`${name} declares a namespace that it may not`, start);
    }
  }

  /** Every prefix is declared, and no attribute is there twice under two prefixes (Namespaces in XML §6.3). */
  #checkPrefixes({ nameStart, nameEnd }: Tag): void {
    const { bytes, attributes } = this;
    if (this.#prefixOf(nameStart, nameEnd) !== undefined) this.#usePrefix(nameStart, nameEnd);
    let seen: Set<string> | undefined;
    for (let index = 0; index < attributes.length; index += 4) {
      const start = attributes[index] ?? 0;
      const end = attributes[index + 1] ?? 0;
      const prefix = this.#prefixOf(start, end);
      if (prefix === undefined || prefix === 'xmlns') continue;
      const expanded = `${this.#usePrefix(start, end)} ${bytes.toString('utf8', start + prefix.length + 1, end)}`;
      seen ??= new Set();
      if (seen.has(expanded)) throw this.fail('there is an attribute twice, under two prefixes', start);
      seen.add(expanded);
    }
  }

  /** What is declared inside of an element goes with it. */
  #usePrefix(start: number, end: number): string {
    const found = this.#levels.indexOf('user');
    const accountDepth = found < 0 || found > this.depth ? this.depth + 1 : found;
    const { uri, depth } = this.#resolve(start, end);
    if (depth <= accountDepth) this.#usesPrefixes = true;
    return uri;
  }

  #prefixOf(start: number, end: number): string | undefined {
    const { bytes } = this;
    for (let at = start; at < end; at++) {
      if (bytes[at] === COLON) return bytes.toString('utf8', start, at);
    }
    return undefined;
  }

  /** The namespace of a name as it is written. @throws ScanError nothing declares its prefix */
  #resolve(start: number, end: number): { uri: string; depth: number } {
    const prefix = this.#prefixOf(start, end) ?? '';
    const found = this.#namespaces.find(prefix);
    if (!found) throw this.fail(`nothing declares the prefix ${prefix}`, start);
    return found;
  }

  /** An element outside of accounts, an account, or a child of one. Returns what is inside of it. */
  #enter(level: Level, tag: Tag, start: number): Level {
    const { uri: namespace } = this.#resolve(tag.nameStart, tag.nameEnd);
    const name = this.localName(tag);
    if (level === 'user') return this.#enterChild(`${namespace} ${name}`, tag, start);
    const isOurs = namespace === NS_PIE || namespace === NS_PIE_OLD;
    if (level === 'document') {
      this.#hasRoot = true;
      if (!isOurs || name !== this.#root) throw this.#wrongRoot(name, namespace, start);
      if (name === 'server-data') return 'server-data';
    }
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

  #wrongRoot(name: string, namespace: string, start: number): ScanError {
    const found = `<${name}/>${namespace === '' ? '' : ` in ${namespace}`}`;
    return this.fail(
      `its root is ${found}, where <${this.#root}/> in ${NS_PIE} is due`,
      start,
      'it is not an export as XEP-0227 describes it',
    );
  }

  #enterChild(expandedName: string, tag: Tag, start: number): Level {
    this.#checkPrefixes(tag);
    // Servers look for names as they are usually written.
    if (this.#prefixOf(tag.nameStart, tag.nameEnd) !== undefined) this.#usesPrefixes = true;
    this.#child = { kind: kinds[expandedName] ?? ChildKind.other, start, depth: this.depth + 1 };
    return 'child';
  }

  #enterHost(start: number): Level {
    const jid = this.attribute('jid');
    if (jid === undefined) throw this.fail('a host has no jid', start);
    this.#host = jid;
    this.#events.push({ type: 'host', jid });
    return 'host';
  }

  #enterAccount(tag: Tag, start: number): void {
    const name = this.attribute('name');
    if (name === undefined) throw this.fail('an account has no name', start);
    // In what is written the default namespace is that of XEP-0227.
    const own = this.#namespaces.find('');
    if (own?.depth === this.depth + 1 && own.uri !== NS_PIE) this.#usesPrefixes = true;
    this.#account = {
      host: this.#host,
      name,
      password: this.attribute('password'),
      start,
      contentStart: tag.end,
      contentEnd: tag.end,
      end: tag.end,
      children: [],
      cuts: [],
      scope: this.#namespaces.within(this.depth),
    };
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

  #include(start: number): void {
    const href = this.attribute('href');
    if (href === undefined || href === '') throw this.fail('an XInclude names no file', start);
    const parse = this.attribute('parse');
    if ((parse !== undefined && parse !== 'xml') || this.attribute('xpointer') !== undefined) {
      throw this.fail(
        `the XInclude of ${JSON.stringify(href)} is of a kind that is not read`,
        start,
        'only whole files of XML are included',
      );
    }
    this.#events.push({ type: 'include', href });
  }
}
