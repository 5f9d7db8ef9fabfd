/**
 * One XML stream, from the socket to the closing tag: steps that wait for what the server says next, each with a
 * time-out, and text going out in as few writes as the moment allows.
 */
import { ConnectionLostError, ProtocolError, XmppctlError } from '../errors.js';
import type { ConnectionTrace } from '../trace/events.js';
import type { Element } from '../xml/element.js';
import { serialize } from '../xml/serialize.js';
import { NS_CLIENT, NS_STREAMS, NS_STREAM_ERRORS } from './namespaces.js';
import { StreamClient, type StreamNamespace } from './stream-client.js';
import { streamErrorFrom } from './stream-error.js';
import { StreamWriter } from './stream-writer.js';
import type { SocketParameters, XmppSocket } from './transport/socket.js';
import { Deferred, within } from './wait.js';

/** How long a polite goodbye may take: the other side has nothing left to tell us. */
const CLOSE_TIMEOUT_MS = 1000;
/** How long the last words of a failed stream may take to leave. */
const HANG_UP_MS = 250;

export interface StreamOptions {
  parameters: SocketParameters;
  namespace: StreamNamespace;
  /** Our own bare address, if known. */
  from: string | undefined;
  timeoutMs: number;
  signal?: AbortSignal | undefined;
  trace?: ConnectionTrace | undefined;
}

/** Who gets what arrives once the stream is negotiated. */
export interface StreamConsumer {
  onElement(element: Element): void;
  /** The stream is over, and not by our closing it. */
  onEnd(error: Error): void;
  /** Text that did not fit has been taken by the operating system. */
  onDrain(): void;
}

export class XmppStream {
  readonly #client: StreamClient;
  readonly #options: StreamOptions;
  readonly #failed = new Deferred<never>();
  #failure: Error | undefined;
  #inbox: Element[] = [];
  #awaited: Deferred<Element> | undefined;
  #consumer: StreamConsumer | undefined;
  #isHolding = false;
  readonly #writer: StreamWriter;
  #isClosing = false;
  #hasFooter = false;
  readonly #closed = new Deferred<void>();
  /** `id` of the stream header that came last (XEP-0114 needs it). */
  id: string | undefined;

  private constructor(options: StreamOptions) {
    this.#options = options;
    this.#client = new StreamClient(options.parameters, options, {
      onElement: (element) => this.#receive(element),
      onError: (error) => this.#onTransportError(error),
      onStreamEnd: () => this.#onStreamEnd(),
      onSocketClosed: (reason) => this.#onSocketClosed(reason),
    });
    this.#writer = new StreamWriter(
      () => this.#client.socket,
      () => this.#consumer?.onDrain(),
    );
  }

  /**
   * Connects the socket; no stream is opened yet.
   *
   * @throws DnsError @throws ConnectError @throws TlsError @throws TimeoutError @throws InterruptedError
   */
  static async connect(options: StreamOptions): Promise<XmppStream> {
    const stream = new XmppStream(options);
    // No time-out here: the socket bounds each look-up and each attempt, of which there may be several.
    const { signal } = options;
    await stream.#guard(within(stream.#client.connect('xmpp:'), { doing: 'connecting', signal }));
    return stream;
  }

  get socket(): XmppSocket {
    const { socket } = this.#client;
    if (socket === null) throw this.#failure ?? new ConnectionLostError('the connection is closed');
    return socket;
  }

  get #isFramed(): boolean {
    return this.#client.socket?.framing === 'websocket';
  }

  get bytesReceived(): number {
    return this.#client.bytesReceived;
  }

  /**
   * Opens the stream, or a new one in its place after STARTTLS or SASL.
   *
   * @returns the server's header
   */
  async open(): Promise<Element> {
    const doing = 'waiting for the server to open the stream';
    const header = await this.#step(doing, this.#client.openStream());
    this.id = stringAttribute(header, 'id');
    this.#options.trace?.event('stream', {
      ...(this.id !== undefined && { id: this.id }),
      ...(header.attrs['from'] !== undefined && { from: String(header.attrs['from']) }),
    });
    return header;
  }

  /** Opens the stream and reads `<stream:features/>`. */
  async openWithFeatures(): Promise<Element> {
    await this.open();
    return this.readFeatures();
  }

  async readFeatures(): Promise<Element> {
    const doing = 'waiting for the stream features';
    const features = await this.next(doing);
    if (features.is('features', NS_STREAMS)) return features;
    throw this.abort(
      new ProtocolError(`the server sent <${features.getName()}/> instead of its stream features`),
    );
  }

  /** The next element that arrives. */
  next(doing: string): Promise<Element> {
    const element = this.#inbox.shift();
    if (element !== undefined) return Promise.resolve(element);
    this.#awaited = new Deferred<Element>();
    return this.#step(doing, this.#awaited.promise);
  }

  /** The next element that fits. What comes before it stays to be read, in order. */
  async nextThat(
    fits: (element: Element) => boolean,
    doing: string,
  ): Promise<{ element: Element; passed: number }> {
    const passed: Element[] = [];
    for (;;) {
      const element = await this.next(doing);
      if (fits(element)) {
        this.#inbox.unshift(...passed);
        return { element, passed: passed.length };
      }
      passed.push(element);
    }
  }

  /** Bounds one step of the negotiation; whatever ends it early ends the stream. */
  #step<T>(doing: string, work: Promise<T>): Promise<T> {
    const { timeoutMs, signal } = this.#options;
    return this.#guard(within(Promise.race([work, this.#failed.promise]), { doing, timeoutMs, signal }));
  }

  async #guard<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      throw this.abort(error);
    }
  }

  /** @throws UsageError a character that XML forbids */
  send(element: Element): void {
    this.write(this.frame(serialize(element), element));
  }

  /** The text of an element as this stream carries it. */
  frame(text: string, element: Element): string {
    // RFC 7395 §3.3.3: each message of a WebSocket stands alone and names its namespace.
    if (!this.#isFramed || element.attrs['xmlns'] !== undefined) return text;
    return text.replace(element.name, `${element.name} xmlns="${NS_CLIENT}"`);
  }

  /**
   * Sends text. What is written in one turn of the event loop leaves together.
   *
   * @returns false when the socket is full: `onDrain` tells when it has room again
   */
  write(text: string): boolean {
    return this.#hasFooter || this.#writer.write(text, this.#isFramed);
  }

  /**
   * Negotiation is over: from here on everything goes to the consumer, beginning with what came meanwhile. Nothing is
   * delivered in this turn of the event loop, so that whoever awaits the session can ask for stanzas before the first one.
   */
  handOver(consumer: StreamConsumer): void {
    this.#consumer = consumer;
    this.#isHolding = true;
    setImmediate(() => {
      this.#isHolding = false;
      const early = this.#inbox;
      this.#inbox = [];
      for (const element of early) consumer.onElement(element);
      if (this.#failure) consumer.onEnd(this.#failure);
    });
  }

  pause(): void {
    this.#client.socket?.pause();
  }

  resume(): void {
    this.#client.socket?.resume();
  }

  /** Upgrades to TLS after `<proceed/>`. */
  startTls(): Promise<void> {
    return this.#step('in the TLS handshake', this.socket.startTls());
  }

  /** Ends the stream at once because of an error, and returns what the caller should throw. */
  abort(reason: unknown): Error {
    const error = reason instanceof Error ? reason : new Error(String(reason));
    this.#fail(error);
    return error;
  }

  #receive(element: Element): void {
    if (this.#failure) return;
    if (element.is('error', NS_STREAMS)) {
      this.#fail(streamErrorFrom(element));
    } else if (this.#consumer && !this.#isHolding) {
      this.#consumer.onElement(element);
    } else if (this.#awaited) {
      const awaited = this.#awaited;
      this.#awaited = undefined;
      awaited.resolve(element);
    } else {
      this.#inbox.push(element);
    }
  }

  #onTransportError(error: Error): void {
    if (error instanceof ProtocolError && !this.#failure) {
      // RFC 6120 §4.9.1.1: say why before hanging up.
      this.write(
        `<stream:error xmlns:stream="${NS_STREAMS}"><not-well-formed xmlns="${NS_STREAM_ERRORS}"/></stream:error>`,
      );
    }
    this.#fail(error);
  }

  #onStreamEnd(): void {
    if (this.#isClosing) this.#client.socket?.end();
    else this.#fail(new ConnectionLostError('the server ended the stream'));
  }

  #onSocketClosed(reason: Error | undefined): void {
    if (!this.#isClosing) {
      this.#fail(
        reason instanceof XmppctlError
          ? reason
          : new ConnectionLostError('the server closed the connection', { cause: reason }),
      );
    }
    this.#closed.resolve();
  }

  #fail(error: Error): void {
    if (this.#failure || this.#isClosing) {
      if (this.#isClosing) this.#closed.resolve();
      return;
    }
    this.#failure = error;
    this.#options.trace?.event('error', { message: error.message });
    this.#failed.reject(error);
    this.#hangUp();
    // Settles whatever @xmpp/connection is still waiting for; our own listener ignores it.
    this.#client.emit('error', error);
    if (!this.#isHolding) this.#consumer?.onEnd(error);
  }

  /** Says goodbye where that can still be heard, and closes the socket; nobody waits for it. */
  #hangUp(): void {
    const { socket, root } = this.#client;
    if (socket === null) return;
    if (root === null || this.#hasFooter) {
      socket.destroy();
      return;
    }
    this.#writeFooter();
    socket.end();
    const timer = setTimeout(() => socket.destroy(), HANG_UP_MS);
    void this.#closed.promise.then(() => clearTimeout(timer));
  }

  #writeFooter(): void {
    this.#writer.write(this.#client.footerText(), this.#isFramed);
    this.#writer.flush();
    this.#hasFooter = true;
  }

  /** Ends the stream politely; waits a moment for the server to do the same. */
  async close(): Promise<void> {
    if (this.#isClosing) return this.#closed.promise;
    this.#isClosing = true;
    const { socket } = this.#client;
    if (this.#failure || socket === null) {
      socket?.destroy();
      return;
    }
    this.#writeFooter();
    const timer = setTimeout(() => socket.destroy(), Math.min(CLOSE_TIMEOUT_MS, this.#options.timeoutMs));
    await this.#closed.promise;
    clearTimeout(timer);
  }
}

export function stringAttribute(element: Element, name: string): string | undefined {
  const value: unknown = element.attrs[name];
  return typeof value === 'string' ? value : undefined;
}
