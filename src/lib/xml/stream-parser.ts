/**
 * The incremental parser of an XML stream: strict, bounded and namespace-aware.
 *
 * RFC 6120 §4.2, §11 · RFC 7395 §3 (framing of WebSocket messages). Well-formedness is saxes' work; namespaces are
 * resolved here, because saxes walks all open elements for each name and gets slow with depth.
 * Not here: QNames inside text or attribute values keep the prefix they came with.
 */
import { isUtf8 } from 'node:buffer';
import { EventEmitter } from 'node:events';
import { SaxesParser, type SaxesTagPlain } from 'saxes';
import { ProtocolError } from '../errors.js';
import { Element } from './element.js';

const NS_STREAM = 'http://etherx.jabber.org/streams';
const NS_FRAMING = 'urn:ietf:params:xml:ns:xmpp-framing';
const NS_XML = 'http://www.w3.org/XML/1998/namespace';
const NS_XMLNS = 'http://www.w3.org/2000/xmlns/';

/** Input is parsed in pieces of this size, so that the limits are looked at often enough. */
const PIECE_BYTES = 16_384;

export interface StreamParserOptions {
  /** `stream`: one `<stream:stream>` document. `websocket`: each message is one element, `<open/>` starts, `<close/>` ends (RFC 7395). */
  framing?: 'stream' | 'websocket';
  /** Bytes of one stanza, give or take 16 KiB; 4 MiB unless given. */
  maxStanzaBytes?: number;
  /** Elements inside each other, the stream itself not counted; 200 unless given. */
  maxDepth?: number;
  /** Attributes of one element, namespace declarations included; 100 unless given. */
  maxAttributes?: number;
}

export interface StreamParserEvents {
  /** The stream header, without children and with the names it came with. */
  start: [Element];
  /**
   * A child of the stream, complete. Names have no prefix: an element says its namespace by an `xmlns` attribute where it
   * differs from its parent's, and always at the top, so that it can be serialised on its own.
   */
  element: [Element];
  /** `</stream:stream>` or `<close/>`. */
  end: [Element];
  /**
   * A ProtocolError, once; the parser ignores everything after it. `details.condition` is the stream error to answer with
   * (RFC 6120 §4.9.3): not-well-formed, restricted-xml, unsupported-encoding, invalid-xml, policy-violation.
   */
  error: [Error];
}

/** What is in scope inside an open element. */
interface Scope {
  /** The default namespace as the sender declared it. */
  defaultNs: string;
  prefixes: ReadonlyMap<string, string>;
  /** The namespace of the element itself: the default that its children see after normalisation. */
  elementNs: string;
}

const OUTERMOST: Scope = { defaultNs: '', prefixes: new Map([['xml', NS_XML]]), elementNs: '' };

/** Never throws from `write`; construction without arguments gives the defaults. */
export class StreamParser extends EventEmitter<StreamParserEvents> {
  readonly #saxes = new SaxesParser({
    position: false,
    defaultXMLVersion: '1.0',
    forceXMLVersion: true,
  });
  readonly #isFramed: boolean;
  readonly #maxStanzaBytes: number;
  readonly #maxDepth: number;
  readonly #maxAttributes: number;

  /** One entry for each open element, the stream included. */
  readonly #scopes: Scope[] = [];
  #root: Element | undefined;
  #cursor: Element | undefined;
  /** A child of the stream (or the stream) whose end tag was met, but not yet compared with its start tag by saxes. */
  #completed: Element | undefined;
  /** An incomplete UTF-8 sequence at the end of what was read. */
  #carried: Buffer | undefined;
  #bytesSinceStanza = 0;
  /** Characters given to saxes, and how many of them end with the header or the last stanza. */
  #charactersFed = 0;
  #charactersToStanzaEnd = 0;
  #state: 'open' | 'ended' | 'failed' = 'open';

  constructor(options: StreamParserOptions = {}) {
    super();
    this.#isFramed = options.framing === 'websocket';
    this.#maxStanzaBytes = options.maxStanzaBytes ?? 4 * 1024 * 1024;
    this.#maxDepth = options.maxDepth ?? 200;
    this.#maxAttributes = options.maxAttributes ?? 100;

    const saxes = this.#saxes;
    saxes.on('error', (error) => {
      throw notWellFormed(error.message);
    });
    saxes.on('xmldecl', ({ encoding }) => {
      if (encoding !== undefined && encoding.toUpperCase() !== 'UTF-8') {
        throw refuse(`XML in the encoding ${encoding.slice(0, 40)}`, 'unsupported-encoding');
      }
    });
    saxes.on('doctype', () => {
      throw refuse('a document type declaration', 'restricted-xml');
    });
    saxes.on('processinginstruction', () => {
      throw refuse('a processing instruction', 'restricted-xml');
    });
    saxes.on('comment', () => {
      throw refuse('a comment', 'restricted-xml');
    });
    saxes.on('opentag', (tag) => this.#onOpenTag(tag));
    saxes.on('closetag', () => this.#onCloseTag());
    saxes.on('text', (text) => this.#onText(text));
    saxes.on('cdata', (text) => this.#onText(text));
    // The messages of a WebSocket become the children of a root that nobody sees.
    if (this.#isFramed) this.#feed('<frames>');
  }

  /** Bytes in any pieces (UTF-8 is decoded across them), or text. For `websocket`, one call per message. */
  write(data: Uint8Array | string): void {
    if (this.#state !== 'open') return;
    try {
      const bytes = typeof data === 'string' ? Buffer.from(data) : data;
      for (let at = 0; at < bytes.length && this.#isOpen(); at += PIECE_BYTES) {
        this.#writePiece(bytes.subarray(at, at + PIECE_BYTES));
      }
      if (this.#isFramed && this.#isOpen()) this.#endFrame();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Nothing more will come: a stream that was not closed is an error. */
  end(): void {
    if (this.#state !== 'open') return;
    const where = this.#scopes.length > 1 ? 'in the middle of a stanza' : 'without closing the stream';
    this.#fail(notWellFormed(`the data ended ${where}`));
  }

  /** The state is changed by listeners, which TypeScript cannot see. */
  #isOpen(): boolean {
    return this.#state === 'open';
  }

  #writePiece(piece: Uint8Array): void {
    let text = this.#decode(piece);
    this.#bytesSinceStanza += piece.length;
    if (this.#isBetweenStanzas()) {
      // Whitespace that keeps the connection alive must not pile up in saxes for weeks.
      text = text.replace(/^[ \t\r\n]+/, '');
      if (text === '') {
        this.#bytesSinceStanza = 0;
        return;
      }
    }
    this.#feed(text);
    this.#emitCompleted();
    if (this.#bytesSinceStanza > this.#maxStanzaBytes) {
      throw refuse(`a stanza of more than ${this.#maxStanzaBytes} bytes`, 'policy-violation');
    }
  }

  #feed(text: string): void {
    this.#charactersFed += text.length;
    this.#saxes.write(text);
  }

  /** True also before the stream header. */
  #isBetweenStanzas(): boolean {
    return this.#charactersFed === this.#charactersToStanzaEnd && this.#carried === undefined;
  }

  /** Decodes whole characters and keeps the beginning of one that is cut off. */
  #decode(piece: Uint8Array): string {
    let bytes = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
    if (this.#carried) bytes = Buffer.concat([this.#carried, bytes]);
    const cut = bytes.length - countIncompleteTail(bytes);
    this.#carried = cut < bytes.length ? Buffer.from(bytes.subarray(cut)) : undefined;
    const whole = cut < bytes.length ? bytes.subarray(0, cut) : bytes;
    if (!isUtf8(whole)) throw notWellFormed('bytes that are not UTF-8');
    return whole.toString('utf8');
  }

  #endFrame(): void {
    if (!this.#isBetweenStanzas()) {
      throw refuse('a WebSocket message that is not one whole element', 'not-well-formed');
    }
  }

  #onOpenTag(tag: SaxesTagPlain): void {
    this.#emitCompleted();
    const depth = this.#scopes.length;
    if (depth > this.#maxDepth) {
      throw refuse(`elements nested more than ${this.#maxDepth} deep`, 'policy-violation');
    }
    if (depth === 0) {
      this.#onRoot(tag);
      return;
    }
    const parentScope = this.#scopes[depth - 1] ?? OUTERMOST;
    const attrs: Record<string, string> = {};
    const scope = this.#resolve(tag, parentScope, attrs);
    const element = new Element(localName(tag.name));
    const isTop = depth === 1;
    if (isTop || scope.elementNs !== parentScope.elementNs || tag.attributes['xmlns'] === scope.elementNs) {
      element.attrs = { xmlns: scope.elementNs, ...attrs };
    } else {
      element.attrs = attrs;
    }
    if (!isTop) this.#cursor?.cnode(element);
    this.#cursor = element;
    this.#scopes.push(scope);
  }

  /** The stream header, or the root that holds WebSocket messages together. */
  #onRoot(tag: SaxesTagPlain): void {
    const attrs: Record<string, string> = {};
    const scope = this.#resolve(tag, OUTERMOST, attrs);
    this.#scopes.push(scope);
    if (this.#isFramed) {
      this.#markStanzaEnd();
      return;
    }
    if (localName(tag.name) !== 'stream' || scope.elementNs !== NS_STREAM) {
      throw new ProtocolError(
        `the server answered with <${tag.name.slice(0, 40)}> and not with an XMPP stream`,
        {
          hint: 'check that the host and port are those of an XMPP service',
          details: { condition: 'invalid-namespace' },
        },
      );
    }
    this.#root = new Element(tag.name, { ...tag.attributes });
    this.#markStanzaEnd();
    this.emit('start', this.#root);
  }

  /** Namespaces of an element and its attributes (Namespaces in XML 1.0); fills `attrs` with all attributes but `xmlns`. */
  #resolve(tag: SaxesTagPlain, parent: Scope, attrs: Record<string, string>): Scope {
    let { defaultNs, prefixes } = parent;
    let count = 0;
    let prefixed: string[] | undefined;
    const { attributes } = tag;
    for (const name in attributes) {
      const value = attributes[name] ?? '';
      if (++count > this.#maxAttributes) {
        throw refuse(`an element with more than ${this.#maxAttributes} attributes`, 'policy-violation');
      }
      if (name === 'xmlns') {
        if (value === NS_XML || value === NS_XMLNS) throw badNamespace(name);
        defaultNs = value;
        continue;
      }
      attrs[name] = value;
      if (!name.includes(':')) continue;
      if (name.startsWith('xmlns:')) prefixes = new Map(prefixes).set(checkDeclaration(name, value), value);
      else (prefixed ??= []).push(name);
    }
    if (prefixed) this.#checkPrefixedAttributes(prefixed, prefixes, attrs);
    const prefix = prefixOf(tag.name);
    const elementNs = prefix === undefined ? defaultNs : lookUp(prefix, prefixes);
    return { defaultNs, prefixes, elementNs };
  }

  #checkPrefixedAttributes(
    names: readonly string[],
    prefixes: ReadonlyMap<string, string>,
    attrs: Record<string, string>,
  ): void {
    const seen = new Set<string>();
    for (const name of names) {
      const prefix = prefixOf(name) ?? '';
      const namespace = lookUp(prefix, prefixes);
      const expanded = `{${namespace}}${localName(name)}`;
      if (seen.has(expanded)) throw notWellFormed(`the attribute ${name.slice(0, 40)} twice`);
      seen.add(expanded);
      // A prefix declared by the stream header would be lost when the stanza stands alone.
      if (prefix !== 'xml' && this.#scopes[0]?.prefixes.get(prefix) === namespace) {
        attrs[`xmlns:${prefix}`] = namespace;
      }
    }
  }

  #onCloseTag(): void {
    this.#emitCompleted();
    this.#scopes.pop();
    const depth = this.#scopes.length;
    if (depth === 0) {
      if (this.#isFramed) throw notWellFormed('an end tag without a start tag');
      this.#completed = this.#root;
    } else if (depth === 1) {
      this.#completed = this.#cursor;
      this.#cursor = undefined;
      this.#markStanzaEnd();
    } else {
      this.#cursor = this.#cursor?.parent ?? undefined;
    }
  }

  #markStanzaEnd(): void {
    this.#bytesSinceStanza = 0;
    this.#charactersToStanzaEnd = this.#saxes.position;
  }

  /** saxes reports an end tag before it compares the name: only at its next sign of life is the element known to be good. */
  #emitCompleted(): void {
    const element = this.#completed;
    if (element === undefined) return;
    this.#completed = undefined;
    if (element === this.#root) {
      this.#state = 'ended';
      this.emit('end', element);
    } else if (this.#isFramed && element.attrs['xmlns'] === NS_FRAMING && element.name === 'open') {
      this.#root = element;
      this.emit('start', element);
    } else if (this.#isFramed && element.attrs['xmlns'] === NS_FRAMING && element.name === 'close') {
      this.#state = 'ended';
      this.emit('end', element);
    } else {
      element.parent = this.#root ?? null;
      this.emit('element', element);
    }
  }

  #onText(text: string): void {
    this.#emitCompleted();
    const cursor = this.#cursor;
    if (cursor === undefined) {
      if (/[^ \t\r\n]/.test(text)) throw notWellFormed('text between stanzas');
      return;
    }
    const { children } = cursor;
    const last = children.length - 1;
    const previous = children[last];
    if (typeof previous === 'string') children[last] = previous + text;
    else children.push(text);
  }

  #fail(error: unknown): void {
    // What a peer says behind its closing tag does not matter; a bug in a listener does.
    if (this.#state === 'failed' || (this.#state === 'ended' && error instanceof ProtocolError)) return;
    this.#state = 'failed';
    this.#completed = undefined;
    this.#cursor = undefined;
    // Nobody listens to the parser of a stream that was restarted in the meantime.
    if (this.listenerCount('error') === 0) return;
    this.emit('error', error instanceof Error ? error : new Error(String(error)));
  }
}

/** How many bytes at the end are the beginning of a UTF-8 sequence whose rest is missing. */
function countIncompleteTail(bytes: Buffer): number {
  const { length } = bytes;
  for (let back = 1; back <= 3 && back <= length; back++) {
    const byte = bytes[length - back] ?? 0;
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) {
      const sequenceLength = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      return sequenceLength > back ? back : 0;
    }
  }
  return 0;
}

function prefixOf(name: string): string | undefined {
  const colon = name.indexOf(':');
  return colon < 0 ? undefined : name.slice(0, colon);
}

function localName(name: string): string {
  const colon = name.indexOf(':');
  if (colon < 0) return name;
  const local = name.slice(colon + 1);
  if (colon === 0 || local === '' || local.includes(':')) {
    throw notWellFormed(`the name ${name.slice(0, 40)}`);
  }
  return local;
}

function lookUp(prefix: string, prefixes: ReadonlyMap<string, string>): string {
  const namespace = prefixes.get(prefix);
  if (namespace === undefined)
    throw notWellFormed(`the prefix ${prefix.slice(0, 40)}, which nothing declares`);
  return namespace;
}

/** Namespaces in XML 1.0 §3, §5. Returns the prefix that is declared. */
function checkDeclaration(name: string, namespace: string): string {
  const prefix = localName(name);
  const isXml = prefix === 'xml' || namespace === NS_XML;
  if (isXml && prefix === 'xml' && namespace === NS_XML) return prefix;
  if (isXml || prefix === 'xmlns' || namespace === NS_XMLNS || namespace === '') throw badNamespace(name);
  return prefix;
}

function badNamespace(declaration: string): ProtocolError {
  return notWellFormed(`a namespace that ${declaration.slice(0, 40)} may not stand for`);
}

function notWellFormed(what: string): ProtocolError {
  return new ProtocolError(`the server sent XML that is not well-formed: ${what.replace(/\.$/, '')}`, {
    details: { condition: 'not-well-formed' },
  });
}

function refuse(what: string, condition: string): ProtocolError {
  return new ProtocolError(`the server sent ${what}`, { details: { condition } });
}
