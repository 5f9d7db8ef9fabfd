/**
 * One connection of a probe, with an XML stream on it: everything is written as it stands and everything that comes back
 * is seen, also what a well-behaved client would never send or get.
 *
 * RFC 6120 §4 (streams), §5 (STARTTLS).
 */
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { ConnectionTrace, Tracer } from '../../trace/events.js';
import { childElements, type Element } from '../../xml/element.js';
import { StreamParser } from '../../xml/stream-parser.js';
import { escapeAnywhere } from '../../xml/escape.js';
import type { Budget } from './budget.js';
import { openSocket, type Place } from './open-socket.js';
import { secureSocket, type HandshakeOptions } from './secure-socket.js';
import { Transcript } from './transcript.js';

const NS_STREAMS = 'http://etherx.jabber.org/streams';
const NS_STREAM_ERRORS = 'urn:ietf:params:xml:ns:xmpp-streams';
export const NS_TLS = 'urn:ietf:params:xml:ns:xmpp-tls';

/** What can come next on a stream. */
export type StreamEvent =
  | { kind: 'header'; element: Element }
  | { kind: 'element'; element: Element }
  /** `<stream:error/>` */
  | { kind: 'stream-error'; condition: string; text: string | undefined }
  /** `</stream:stream>` */
  | { kind: 'end' }
  /** The connection is closed. */
  | { kind: 'closed' }
  /** Not XML, or not within the limits. */
  | { kind: 'broken'; reason: string }
  /** Nothing within the time. */
  | { kind: 'silent' };

export interface StreamOpening {
  /** `jabber:client` or `jabber:server` */
  namespace: string;
  to?: string | undefined;
  from?: string | undefined;
  version?: string | undefined;
}

export interface ProbeConnectionOptions {
  place: Place;
  budget: Budget;
  tracer?: Tracer | undefined;
  /** What the connection is for, in the trace: `probe xmpp-client starttls`. */
  label: string;
}

export class ProbeStream {
  readonly transcript = new Transcript();
  readonly #budget: Budget;
  readonly #trace: ConnectionTrace | undefined;
  readonly #plain: Socket;
  #socket: Socket | TLSSocket;
  #parser = new StreamParser();
  #events: StreamEvent[] = [];
  #wake: (() => void) | undefined;
  #bytesRead = 0;
  #isOver = false;
  #hasStapledOcsp = false;

  private constructor(socket: Socket, options: ProbeConnectionOptions) {
    this.#plain = this.#socket = socket;
    this.#budget = options.budget;
    this.#trace = options.tracer?.connection(options.label);
    this.#trace?.event('tcp', { ...options.place });
    this.#listen();
  }

  /** @throws ConnectError @throws TimeoutError @throws InterruptedError @throws BudgetSpentError */
  static async open(options: ProbeConnectionOptions): Promise<ProbeStream> {
    return new ProbeStream(await openSocket(options.place, options.budget), options);
  }

  /** The connection as it is now; TLS after `startTls`. */
  get socket(): Socket | TLSSocket {
    return this.#socket;
  }

  /** The server stapled an OCSP response to its certificate, which `startTls` had asked for. */
  get hasStapledOcsp(): boolean {
    return this.#hasStapledOcsp;
  }

  /** All bytes that came, TLS not counted. */
  get bytesRead(): number {
    return this.#bytesRead;
  }

  write(data: string | Uint8Array): void {
    if (this.#socket.destroyed || !this.#socket.writable) return;
    this.transcript.sent(data);
    this.#trace?.data('out', typeof data === 'string' ? Buffer.from(data) : data);
    this.#socket.write(data);
  }

  /** Writes much, no faster than the other side takes it; false when it has closed the connection meanwhile. */
  async writeAll(data: string): Promise<boolean> {
    this.write(data);
    while (this.#socket.writableLength > 0 && !this.#isOver && !this.#budget.signal.aborted) {
      await this.#waitForChange(50);
    }
    return !this.#isOver;
  }

  /** Opens a stream, or opens it anew: what was parsed before is forgotten. */
  openStream(opening: StreamOpening): void {
    this.#restartParser();
    this.write(streamHeader(opening));
  }

  /** What comes next; `silent` after `timeoutMs` (the budget's step unless given). @throws InterruptedError @throws TimeoutError the time of the endpoint is over */
  async next(timeoutMs = this.#budget.limits.stepMs): Promise<StreamEvent> {
    const until = performance.now() + timeoutMs;
    for (;;) {
      const event = this.#events.shift();
      if (event) return event;
      if (this.#isOver) return { kind: 'closed' };
      this.#budget.signal.throwIfAborted();
      const left = until - performance.now();
      if (left <= 0) {
        if (timeoutMs >= this.#budget.limits.stepMs) this.#budget.reportSilence();
        return { kind: 'silent' };
      }
      await this.#waitForChange(left);
    }
  }

  /** Everything that comes until the stream ends, is closed, or has been silent for `quietMs`. */
  async rest(quietMs: number): Promise<StreamEvent[]> {
    const events: StreamEvent[] = [];
    while (events.length < 50) {
      const event = await this.next(quietMs);
      events.push(event);
      if (event.kind === 'closed' || event.kind === 'silent' || event.kind === 'broken') break;
    }
    return events;
  }

  /**
   * The handshake, on the connection as it is.
   *
   * @throws TlsError @throws TimeoutError @throws InterruptedError
   */
  async startTls(options: HandshakeOptions): Promise<TLSSocket> {
    this.#plain.removeAllListeners('data');
    const { socket: secured, hasStapledOcsp } = await secureSocket(this.#plain, options, this.#budget);
    this.#hasStapledOcsp = hasStapledOcsp;
    this.#trace?.event('tls', {
      serverName: options.serverName,
      version: secured.getProtocol(),
      cipher: secured.getCipher().standardName,
    });
    this.#socket = secured;
    this.#restartParser();
    this.#listen();
    return secured;
  }

  /** The connection as it is, for somebody else to talk on: this stream hears and says nothing more. */
  detach(): Socket {
    this.#plain.removeAllListeners('data');
    return this.#plain;
  }

  close(): void {
    if (!this.#socket.destroyed && this.#socket.writable) this.#socket.end('</stream:stream>');
    this.#socket.destroySoon();
    this.#plain.destroySoon();
    this.#trace?.event('close', { clean: true });
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #restartParser(): void {
    this.#events = [];
    const parser = new StreamParser({ maxStanzaBytes: this.#budget.limits.bytes, maxDepth: 60 });
    parser.on('start', (element) => this.#push({ kind: 'header', element }));
    parser.on('element', (element) => this.#push(eventOf(element)));
    parser.on('end', () => this.#push({ kind: 'end' }));
    parser.on('error', (error) => this.#push({ kind: 'broken', reason: error.message }));
    this.#parser = parser;
  }

  #listen(): void {
    const socket = this.#socket;
    this.#restartParser();
    socket.on('data', (data: Buffer) => {
      this.#bytesRead += data.length;
      this.transcript.received(data);
      this.#trace?.data('in', data);
      if (this.#bytesRead > this.#budget.limits.bytes) {
        this.#push({ kind: 'broken', reason: `it sent more than ${this.#budget.limits.bytes} bytes` });
        this.#finish();
        socket.destroy();
        return;
      }
      this.#parser.write(data);
    });
    socket.on('error', () => undefined);
    socket.on('end', () => this.#finish());
    socket.on('close', () => this.#finish());
  }

  #push(event: StreamEvent): void {
    if (this.#events.length < 1000) this.#events.push(event);
    this.#wake?.();
  }

  #finish(): void {
    this.#isOver = true;
    this.#wake?.();
  }

  #waitForChange(timeoutMs: number): Promise<void> {
    const { signal } = this.#budget;
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        this.#wake = undefined;
        resolve();
      };
      const timer = setTimeout(done, timeoutMs);
      signal.addEventListener('abort', done);
      this.#wake = done;
    });
  }
}

export function streamHeader({ namespace, to, from, version = '1.0' }: StreamOpening): string {
  const attribute = (name: string, value: string | undefined): string =>
    value === undefined || value === '' ? '' : ` ${name}='${escapeAnywhere(value)}'`;
  return (
    `<?xml version='1.0'?><stream:stream xmlns='${namespace}' xmlns:stream='${NS_STREAMS}'` +
    (namespace === 'jabber:server' ? " xmlns:db='jabber:server:dialback'" : '') +
    `${attribute('to', to)}${attribute('from', from)}${attribute('version', version)} xml:lang='en'>`
  );
}

function eventOf(element: Element): StreamEvent {
  if (element.getName() !== 'error' || element.getNS() !== NS_STREAMS) return { kind: 'element', element };
  const children = childElements(element).filter((child) => child.getNS() === NS_STREAM_ERRORS);
  const condition = children.find((child) => child.getName() !== 'text');
  const text = children.find((child) => child.getName() === 'text');
  return {
    kind: 'stream-error',
    condition: condition?.getName() ?? 'undefined-condition',
    text: text?.getText().slice(0, 300),
  };
}
