/** The connection of a client that is served: its stream is opened, its elements are waited for, and it is answered. */
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import type { SecureContext } from 'node:tls';
import { ProtocolError } from '../../errors.js';
import { safeText } from '../../output/safe-text.js';
import { StreamCarrier } from '../../session/transport/carrier.js';
import { NS_COMPONENT, NS_FRAMING } from '../../trace-analysis/namespaces.js';
import { ClientLeg, peekAt } from '../../trace-proxy/client-leg.js';
import type { Piece } from '../../trace-proxy/stanza-cutter.js';
import { speaks } from '../../trace-proxy/stream-head.js';
import { PROCEED, streamError, streamHeader } from '../../trace-proxy/stream-texts.js';
import type { ConnectionTrace } from '../../trace/events.js';
import type { TraceElement } from '../../trace/trace-element.js';
import { escapeValue } from '../../xml/escape.js';
import { ClientReader } from './client-reader.js';

export interface LinkOptions {
  secureContext: (domain: string) => SecureContext;
  timeoutMs: number;
  signal: AbortSignal;
}

/** A stream that the client has opened. */
export interface OpenedStream {
  domain: string;
  namespace: string;
}

export class ServedLink {
  readonly reader: ClientReader;
  readonly #leg: ClientLeg;
  readonly #socket: Socket;
  readonly #trace: ConnectionTrace;
  readonly #options: LinkOptions;
  #isFramed = false;
  #hasStream = false;

  constructor(socket: Socket, trace: ConnectionTrace, options: LinkOptions) {
    this.#socket = socket;
    this.#trace = trace;
    this.#options = options;
    this.#leg = new ClientLeg(socket, trace);
    this.reader = new ClientReader(this.#leg);
  }

  get isSecure(): boolean {
    return this.#leg.isSecure;
  }

  /** It is a WebSocket, each of whose messages stands alone (RFC 7395). */
  get isFramed(): boolean {
    return this.#isFramed;
  }

  /**
   * Finds out what the client speaks, and does TLS where it begins with that.
   * @param isPlain a WebSocket needs no TLS
   * @throws ProtocolError @throws TlsError @throws ConnectionLostError @throws TimeoutError
   */
  async accept(domain: string, isPlain: boolean): Promise<void> {
    const { secureContext, timeoutMs } = this.#options;
    let socket = this.#socket;
    let first = speaks(await peekAt(socket, timeoutMs));
    if (first === 'tls') {
      socket = await this.#leg.secure(secureContext(domain), timeoutMs);
      first = speaks(await peekAt(socket, timeoutMs));
    }
    if (first === 'http') {
      if (!isPlain && socket === this.#socket)
        throw new ProtocolError('the client asked for a WebSocket without TLS');
      this.#isFramed = true;
      const { acceptWebSocket } = await import('../../trace-proxy/web-socket.js');
      this.#leg.adopt(await acceptWebSocket(socket, timeoutMs));
    } else if (first === 'xmpp') this.#leg.adopt(new StreamCarrier(socket));
    else throw new ProtocolError('what the client sent does not begin like a stream of XMPP');
    this.reader.restart();
  }

  /** Goes on in TLS (RFC 6120 §5.4). @throws TlsError @throws TimeoutError */
  async startTls(domain: string): Promise<void> {
    const { secureContext, timeoutMs } = this.#options;
    this.write(PROCEED);
    this.reader.stop();
    this.#leg.adopt(new StreamCarrier(await this.#leg.secure(secureContext(domain), timeoutMs)));
    this.reader.restart();
  }

  /** A new stream begins on it (RFC 6120 §6.3.2); messages of a WebSocket need no reader of their own. */
  restart(): void {
    if (!this.#isFramed) this.reader.restart();
  }

  /**
   * Answers the header of a stream with one.
   * @param domain for clients that name none
   */
  async open(domain: string): Promise<OpenedStream> {
    const piece = await this.#next('waiting for the client to open its stream');
    const start = piece.stanza.start;
    const isOpening = piece.kind === 'header' || (start?.name === 'open' && start.namespace === NS_FRAMING);
    if (start === undefined || !isOpening) throw new ProtocolError('the client did not open a stream');
    const from = start.attributes['to'] ?? domain;
    const id = randomBytes(8).toString('hex');
    const namespace = start.attributes['xmlns'] ?? 'jabber:client';
    if (this.#isFramed)
      this.write(`<open xmlns="${NS_FRAMING}" from="${escapeValue(from)}" id="${id}" version="1.0"/>`);
    else this.write(streamHeader(namespace === NS_COMPONENT ? 'component' : 'c2s', { id, from }));
    this.#hasStream = true;
    if (namespace === 'jabber:server')
      throw new ProtocolError('a server connected, and the recording is of a client');
    return { domain: from, namespace };
  }

  /**
   * The next element.
   * @throws ProtocolError @throws ConnectionLostError @throws TimeoutError @throws InterruptedError
   */
  async element(doing: string): Promise<TraceElement> {
    const { stanza } = await this.#next(doing);
    if (stanza.tree === undefined) throw new ProtocolError('the client sent something that is no XML');
    return stanza.tree;
  }

  async #next(doing: string): Promise<Piece> {
    const { timeoutMs, signal } = this.#options;
    const piece = await this.reader.next(doing, timeoutMs, signal);
    if (isEndOfStream(piece)) throw new ProtocolError('the client ended its stream before it had logged in');
    return piece;
  }

  /** Sends what needs no waiting for. */
  write(text: string): void {
    const bytes = Buffer.from(text);
    this.#trace.data('in', bytes);
    this.#leg.write(this.#isFramed ? text : bytes);
  }

  /** Sends an element of the stream's own namespace, which a message of a WebSocket has to name. */
  async send(text: string): Promise<void> {
    const framed =
      this.#isFramed && !/^<[^\s<>/]+[^<>]*?\sxmlns=/.test(text)
        ? text.replace(/^(<[^\s<>/]+)/, '$1 xmlns="jabber:client"')
        : text;
    const bytes = Buffer.from(framed);
    this.#trace.data('in', bytes);
    await new Promise<void>((resolve, reject) => {
      this.#leg.write(this.#isFramed ? framed : bytes, (error) => {
        if (error) reject(error);
        else resolve();
      });
    });
  }

  /** Tells the client why it is not served any more, where it can hear it, and hangs up. */
  fail(message: string): void {
    // It may quote the client, who may have said what no XML may hold.
    const text = safeText(message, { singleLine: true });
    if (this.#hasStream && !this.#isFramed) this.write(streamError('policy-violation', text));
    this.#leg.end();
  }

  /** Ends the stream and the connection. */
  close(): void {
    this.write(this.#isFramed ? `<close xmlns="${NS_FRAMING}"/>` : '</stream:stream>');
    this.#leg.end();
  }
}

export function isEndOfStream({ kind, stanza }: Piece): boolean {
  return kind === 'footer' || (stanza.start?.namespace === NS_FRAMING && stanza.start.name === 'close');
}
