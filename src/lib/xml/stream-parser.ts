/**
 * The incremental parser of an XML stream: strict, bounded and namespace-aware, from bytes to elements.
 *
 * RFC 6120 §4.2, §11 · RFC 7395 §3 (framing of WebSocket messages) · Namespaces in XML 1.0.
 * Not here: QNames inside text or attribute values keep the prefix they came with.
 */
import { isUtf8 } from 'node:buffer';
import { EventEmitter } from 'node:events';
import { ProtocolError } from '../errors.js';
import { Element } from './element.js';
import { excerpt, notWellFormed, refuse, StreamTokenizer } from './stream-tokenizer.js';

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
   * (RFC 6120 §4.9.3): not-well-formed, restricted-xml, unsupported-encoding, invalid-namespace, policy-violation.
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
  readonly #tokenizer: StreamTokenizer;
  readonly #isFramed: boolean;
  readonly #maxStanzaBytes: number;
  readonly #maxDepth: number;

  /** One entry for each open element, the stream included. */
  readonly #scopes: Scope[] = [];
  #root: Element | undefined;
  #cursor: Element | undefined;
  /** An incomplete UTF-8 sequence at the end of what was read. */
  #carried: Buffer | undefined;
  #bytesSinceStanza = 0;
  #state: 'open' | 'ended' | 'failed' = 'open';

  constructor(options: StreamParserOptions = {}) {
    super();
    this.#isFramed = options.framing === 'websocket';
    this.#maxStanzaBytes = options.maxStanzaBytes ?? 4 * 1024 * 1024;
    this.#maxDepth = options.maxDepth ?? 200;
    // The messages of a WebSocket are the children of a root that nobody sees, under a name that no tag can have.
    if (this.#isFramed) this.#scopes.push(OUTERMOST);
    this.#tokenizer = new StreamTokenizer(
      {
        onStartTag: (name, attributes) => this.#onStartTag(name, attributes),
        onEndTag: () => this.#onEndTag(),
        onText: (text) => this.#onText(text),
      },
      options.maxAttributes ?? 100,
      this.#isFramed ? ['\0'] : [],
    );
  }

  /** Bytes in any pieces (UTF-8 is decoded across them), or text. For `websocket`, one call per message. */
  write(data: Uint8Array | string): void {
    if (this.#state !== 'open') return;
    try {
      const bytes = typeof data === 'string' ? Buffer.from(data) : data;
      for (let at = 0; at < bytes.length && this.#isOpen(); at += PIECE_BYTES) {
        this.#writePiece(bytes.subarray(at, at + PIECE_BYTES));
      }
      if (this.#isFramed && this.#isOpen() && !this.#isBetweenStanzas()) {
        throw notWellFormed('a WebSocket message that is not one whole element');
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Nothing more will come: a stream that was not closed is an error. */
  end(): void {
    if (this.#state !== 'open') return;
    const where = this.#isBetweenStanzas() ? 'without closing the stream' : 'in the middle of a stanza';
    this.#fail(notWellFormed(`it ended ${where}`));
  }

  /** The state is changed by handlers, which TypeScript cannot see. */
  #isOpen(): boolean {
    return this.#state === 'open';
  }

  #isBetweenStanzas(): boolean {
    return this.#scopes.length <= 1 && this.#tokenizer.isBetweenTokens && this.#carried === undefined;
  }

  #writePiece(piece: Uint8Array): void {
    this.#bytesSinceStanza += piece.length;
    this.#tokenizer.write(this.#decode(piece));
    // White space that keeps the connection alive does not add up.
    if (this.#isBetweenStanzas()) this.#bytesSinceStanza = 0;
    if (this.#bytesSinceStanza > this.#maxStanzaBytes) {
      throw refuse(`a stanza of more than ${this.#maxStanzaBytes} bytes`, 'policy-violation');
    }
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

  #onStartTag(name: string, attributes: Record<string, string>): void {
    const depth = this.#scopes.length;
    if (depth > this.#maxDepth) {
      throw refuse(`elements nested more than ${this.#maxDepth} deep`, 'policy-violation');
    }
    const parent = this.#scopes[depth - 1] ?? OUTERMOST;
    const declared = attributes['xmlns'];
    const scope = this.#resolve(name, attributes, parent);
    this.#scopes.push(scope);
    if (depth === 0) {
      this.#onHeader(name, attributes, scope);
      return;
    }
    const element = new Element(localName(name));
    if (depth > 1 && scope.elementNs === parent.elementNs) {
      // A default namespace that was meant for the children of a prefixed element would now be its own.
      if (declared !== undefined && declared !== scope.elementNs) delete attributes['xmlns'];
    } else {
      // ltx takes an empty `xmlns` for none at all, and finds the parent's namespace instead.
      attributes['xmlns'] = scope.elementNs;
    }
    element.attrs = attributes;
    if (depth > 1) this.#cursor?.cnode(element);
    this.#cursor = element;
  }

  #onHeader(name: string, attributes: Record<string, string>, scope: Scope): void {
    if (localName(name) !== 'stream' || scope.elementNs !== NS_STREAM) {
      throw new ProtocolError(`the server answered with <${excerpt(name)}> and not with an XMPP stream`, {
        hint: 'check that the host and port are those of an XMPP service',
        details: { condition: 'invalid-namespace' },
      });
    }
    this.#root = new Element(name, attributes);
    this.#bytesSinceStanza = 0;
    this.emit('start', this.#root);
  }

  /** The namespaces of an element and its attributes. */
  #resolve(name: string, attributes: Record<string, string>, parent: Scope): Scope {
    let { defaultNs, prefixes } = parent;
    let prefixed: string[] | undefined;
    for (const attribute in attributes) {
      if (attribute === 'xmlns') {
        defaultNs = attributes[attribute] ?? '';
        if (defaultNs === NS_XML || defaultNs === NS_XMLNS) throw badNamespace(attribute);
      } else if (attribute.startsWith('xmlns:')) {
        const namespace = attributes[attribute] ?? '';
        prefixes = new Map(prefixes).set(checkDeclaration(attribute, namespace), namespace);
      } else if (attribute.includes(':')) {
        (prefixed ??= []).push(attribute);
      }
    }
    if (prefixed) this.#checkPrefixed(prefixed, prefixes, attributes);
    const prefix = prefixOf(name);
    const elementNs = prefix === undefined ? defaultNs : lookUp(prefix, prefixes);
    return { defaultNs, prefixes, elementNs };
  }

  #checkPrefixed(
    names: readonly string[],
    prefixes: ReadonlyMap<string, string>,
    attributes: Record<string, string>,
  ): void {
    const seen = new Set<string>();
    for (const name of names) {
      const prefix = prefixOf(name) ?? '';
      const namespace = lookUp(prefix, prefixes);
      const expanded = `{${namespace}}${localName(name)}`;
      if (seen.has(expanded)) throw notWellFormed(`the attribute ${excerpt(name)} twice`);
      seen.add(expanded);
      // A prefix declared by the stream header would be lost when the stanza stands alone.
      if (prefix !== 'xml' && this.#scopes[0]?.prefixes.get(prefix) === namespace) {
        attributes[`xmlns:${prefix}`] = namespace;
      }
    }
  }

  #onEndTag(): void {
    this.#scopes.pop();
    const depth = this.#scopes.length;
    const element = this.#cursor;
    if (depth > 1) {
      this.#cursor = element?.parent ?? undefined;
      return;
    }
    this.#cursor = undefined;
    this.#bytesSinceStanza = 0;
    if (depth === 0 || element === undefined) {
      this.#state = 'ended';
      if (this.#root) this.emit('end', this.#root);
    } else if (this.#isFramed && element.is('open', NS_FRAMING)) {
      this.#root = element;
      this.emit('start', element);
    } else if (this.#isFramed && element.is('close', NS_FRAMING)) {
      this.#state = 'ended';
      this.emit('end', element);
    } else {
      element.parent = this.#root ?? null;
      this.emit('element', element);
    }
  }

  #onText(text: string): void {
    const cursor = this.#cursor;
    if (cursor === undefined) {
      if (!/[^ \t\n]/.test(text)) return;
      if (this.#scopes.length > 0) throw notWellFormed('text between stanzas');
      throw new ProtocolError(`the server answered with ${JSON.stringify(excerpt(text))}, which is not XML`, {
        hint: 'check that the host and port are those of an XMPP service, and whether it speaks TLS from the first byte (xmpps://)',
        details: { condition: 'not-well-formed' },
      });
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
  return name.slice(name.indexOf(':') + 1);
}

function lookUp(prefix: string, prefixes: ReadonlyMap<string, string>): string {
  const namespace = prefixes.get(prefix);
  if (namespace === undefined) throw notWellFormed(`the prefix ${excerpt(prefix)}, which nothing declares`);
  return namespace;
}

/** Namespaces in XML 1.0 §3, §5. Returns the prefix that is declared. */
function checkDeclaration(attribute: string, namespace: string): string {
  const prefix = localName(attribute);
  if (prefix === 'xml' && namespace === NS_XML) return prefix;
  const isReserved = prefix === 'xml' || prefix === 'xmlns' || namespace === NS_XML || namespace === NS_XMLNS;
  if (isReserved || namespace === '') throw badNamespace(attribute);
  return prefix;
}

function badNamespace(declaration: string): ProtocolError {
  return notWellFormed(`a namespace that ${excerpt(declaration)} may not stand for`);
}
