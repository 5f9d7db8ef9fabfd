/** One connection through the proxy, from the client's first byte to the end of both sides. */
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import type { SecureContext } from 'node:tls';
import { ProtocolError, TimeoutError, XmppctlError } from '../errors.js';
import { StreamCarrier } from '../session/transport/carrier.js';
import type { XmppSocket } from '../session/transport/socket.js';
import type { ConnectionTrace, Direction } from '../trace/events.js';
import { ClientLeg, peekAt } from './client-leg.js';
import { FaultSchedule, type Fault } from './faults.js';
import type { Interceptor } from './intercept.js';
import { Lane, type Sink, type Source } from './lane.js';
import type { Server } from './server-leg.js';
import { StanzaCutter } from './stanza-cutter.js';
import { StanzaPath } from './stanza-path.js';
import { readStreamHead, speaks, type StreamHead } from './stream-head.js';
import { conditionOf, PROCEED, startTlsOffer, streamError, streamHeader } from './stream-texts.js';

export interface ConnectionOptions {
  server: Server;
  domain: string;
  /** With the certificate that clients are shown. */
  secureContext: () => SecureContext;
  /** Whether a client may go without TLS: never, if it wants to, or without being offered it. */
  plain: 'never' | 'allowed' | 'always';
  /** A component may: XEP-0114 knows no TLS. */
  allowsPlainComponents: boolean;
  stripsChannelBinding: boolean;
  /** Only these mechanisms are offered to clients; all of the server's when left out. */
  mechanisms?: ReadonlySet<string> | undefined;
  faults: readonly Fault[];
  interceptors: readonly Interceptor[];
  /** For each step until the client's stream reaches the server. */
  timeoutMs: number;
  now: () => number;
  /** Told of mechanisms that cannot work through a proxy. */
  onPlusOffered: (mechanisms: readonly string[]) => void;
  /** Told why a connection failed, on one line. */
  onFailure: (message: string) => void;
}

/** How a stretch of relaying ended: the connection is over, or the client begins again with TLS. */
type Outcome = 'over' | 'starttls';

export class ProxiedConnection {
  readonly #client: ClientLeg;
  readonly #socket: Socket;
  readonly #trace: ConnectionTrace;
  readonly #options: ConnectionOptions;
  #server: XmppSocket | undefined;
  /** The client has a header of ours or of the server's. */
  #hasHeader = false;
  /** On a WebSocket: what is written is a message. */
  #isFramed = false;
  #failure: string | undefined;
  #isInterrupted = false;

  /** @param trace records what the client sees */
  constructor(socket: Socket, trace: ConnectionTrace, options: ConnectionOptions) {
    this.#socket = socket;
    this.#trace = trace;
    this.#options = options;
    this.#client = new ClientLeg(socket, trace);
  }

  /** Serves the client until both sides are closed. Never rejects: what goes wrong is recorded, and told. */
  async run(): Promise<void> {
    try {
      await this.#serve();
    } catch (error) {
      if (!this.#isInterrupted) this.#fail(error);
      this.#client.end();
      this.#server?.destroy();
    }
    if (!this.#socket.destroyed)
      await new Promise<void>((resolve) => this.#socket.once('close', () => resolve()));
    const isClean = this.#failure === undefined;
    this.#trace.event('close', { clean: isClean, ...(!isClean && { reason: this.#failure }) });
  }

  /** Takes the connection down, politely where that is possible. */
  interrupt(): void {
    this.#isInterrupted = true;
    this.#failure ??= 'the proxy was stopped';
    this.#server?.end();
    this.#client.end();
    // Whoever stopped us does not wait long for a peer that does not hang up.
    setTimeout(() => {
      this.#server?.destroy();
      this.#client.destroy();
    }, interruptedMs).unref();
  }

  async #serve(): Promise<void> {
    const { timeoutMs, secureContext, plain } = this.#options;
    let socket = this.#socket;
    let first = speaks(await peekAt(socket, timeoutMs));
    if (first === 'tls') {
      socket = await this.#client.secure(secureContext(), timeoutMs);
      first = speaks(await peekAt(socket, timeoutMs));
    }
    if (first === 'http') {
      this.#isFramed = true;
      if (plain === 'never' && socket === this.#socket)
        throw new ProtocolError('the client asked for a WebSocket without TLS', plainHint);
      const { acceptWebSocket } = await import('./web-socket.js');
      this.#client.adopt(await acceptWebSocket(socket, timeoutMs));
      await this.#relay(undefined, undefined);
      return;
    }
    this.#client.adopt(new StreamCarrier(socket));
    let read = await this.#readHead();
    while ((await this.#converse(read.head, read.bytes)) === 'starttls') {
      const socket = await this.#client.secure(secureContext(), timeoutMs);
      this.#client.adopt(new StreamCarrier(socket));
      this.#hasHeader = false;
      read = await this.#readHead();
    }
  }

  /** A client's stream, from its header on. */
  async #converse(head: StreamHead, bytes: Buffer): Promise<Outcome> {
    const { plain, allowsPlainComponents } = this.#options;
    const mayStay = plain !== 'never' || (head.kind === 'component' && allowsPlainComponents);
    if (this.#client.isSecure || mayStay) return this.#relay(head, bytes);
    if (head.kind === 'component')
      throw new ProtocolError('a component without TLS is served on a loopback address only');
    await this.#demandTls(head, bytes);
    return 'starttls';
  }

  async #readHead(): Promise<{ head: StreamHead; bytes: Buffer }> {
    const { timeoutMs, now } = this.#options;
    const deadline = now() + timeoutMs;
    let bytes: Buffer = Buffer.alloc(0);
    for (;;) {
      const leftMs = deadline - now();
      if (leftMs <= 0) throw new TimeoutError('the client did not finish the header of its stream in time');
      bytes = Buffer.concat([bytes, await this.#client.read(leftMs)]);
      const head = readStreamHead(bytes);
      if (head === 'wrong')
        throw new ProtocolError('what the client sent does not begin like a stream of XMPP');
      if (head !== 'incomplete') return { head, bytes };
    }
  }

  /** Answers the client before TLS, and waits until it starts TLS (RFC 6120 §5.4.2). */
  async #demandTls(head: StreamHead, bytes: Buffer): Promise<void> {
    const { domain, timeoutMs } = this.#options;
    this.#say(startTlsOffer(head, domain, newStreamId()));
    this.#hasHeader = true;
    let answer: string | undefined;
    const cutter = new StanzaCutter('out', ({ kind, stanza }) => {
      if (kind === 'element') answer ??= stanza.start?.name ?? '';
      if (kind === 'footer') answer ??= '/stream';
    });
    // What came with the header counts, too.
    cutter.push(bytes);
    while (answer === undefined) cutter.push(await this.#client.read(timeoutMs));
    if (answer === '/stream') {
      this.#say('</stream:stream>');
      throw new ProtocolError('the client ended its stream before TLS');
    }
    if (answer !== 'starttls') throw new ProtocolError('the client did not start TLS', plainHint);
    this.#say(PROCEED);
  }

  /** @param head undefined on a WebSocket, where a message is a stanza */
  async #relay(head: StreamHead | undefined, first: Buffer | undefined): Promise<Outcome> {
    const { interceptors, stripsChannelBinding, mechanisms } = this.#options;
    const client = this.#client;
    const server = await this.#options.server.open(head, this.#trace);
    if (this.#isInterrupted) {
      server.destroy();
      return 'over';
    }
    this.#server = server;
    return new Promise((resolve) => {
      const lanes = {
        out: this.#lane('out', client, server),
        in: this.#lane('in', server, client, (bytes) => {
          this.#hasHeader = true;
          this.#trace.data('in', bytes);
        }),
      };
      const shared = { interceptors, trace: this.#trace, onError: (error: unknown) => this.#fail(error) };
      const isOptional =
        this.#options.plain === 'allowed' &&
        !client.isSecure &&
        head !== undefined &&
        head.kind !== 'component';
      let outcome: Outcome = 'over';
      const out = new StanzaPath({
        ...shared,
        dir: 'out',
        lane: lanes.out,
        replyLane: lanes.in,
        ...(isOptional && {
          onStartTls: () => {
            outcome = 'starttls';
            client.flow(undefined);
            this.#say(PROCEED);
            server.destroy();
          },
        }),
      });
      const into = new StanzaPath({
        ...shared,
        dir: 'in',
        lane: lanes.in,
        replyLane: lanes.out,
        ...(head?.kind !== 'component' && {
          features: { startTls: isOptional ? 'add' : 'strip', stripsChannelBinding, mechanisms },
        }),
        onPlusOffered: this.#options.onPlusOffered,
        onAuthenticated: () => out.stopNegotiating(),
      });
      let open = 2;
      const close = (): void => {
        open -= 1;
        if (open > 0) return;
        for (const part of [out, into]) part.close();
        for (const lane of Object.values(lanes)) lane.destroy();
        resolve(outcome);
      };
      client.onClose = ({ hadError, reason }) => {
        if (outcome === 'starttls') return;
        if (hadError || reason !== undefined) this.#failure ??= `the client: ${reason ?? 'lost'}`;
        out.end();
        close();
      };
      server.on('close', (hadError, reason) => {
        if (outcome === 'starttls') {
          open = 1;
          close();
          return;
        }
        if (hadError) this.#failure ??= reason?.message ?? 'the server: lost';
        into.end();
        close();
      });
      server.on('data', (bytes) => into.push(bytes));
      server.resume();
      if (first) out.push(first);
      client.flow((bytes) => out.push(bytes));
    });
  }

  #lane(dir: Direction, source: Source, sink: Sink, onLeave?: (bytes: Buffer) => void): Lane {
    const { now } = this.#options;
    const faults = this.#options.faults.filter((fault) => fault.dir === undefined || fault.dir === dir);
    return new Lane({
      source,
      sink,
      now,
      onLeave,
      isFramed: this.#isFramed,
      faults: faults.length === 0 ? undefined : new FaultSchedule(faults, this.#isFramed),
      onFault: (kind) => {
        this.#trace.event('proxy', { what: `fault ${kind}`, dir });
        if (kind === 'stall') return;
        this.#failure ??= 'cut by a fault';
        this.#client.reset();
        this.#server?.destroy();
      },
    });
  }

  /** Something of our own, which the client takes for the server's. */
  #say(text: string): void {
    const bytes = Buffer.from(text);
    this.#trace.data('in', bytes);
    this.#client.write(bytes);
  }

  #fail(error: unknown): void {
    const isKnown = error instanceof XmppctlError;
    const message = error instanceof Error ? error.message : String(error);
    this.#failure ??= message;
    this.#trace.event('error', { message });
    this.#options.onFailure(isKnown && error.hint !== undefined ? `${message} (${error.hint})` : message);
    // A WebSocket has no header, and its end says enough.
    if (this.#socket.destroyed || this.#isFramed) return;
    if (!this.#hasHeader) this.#say(streamHeader('c2s', { id: newStreamId(), from: this.#options.domain }));
    this.#hasHeader = true;
    this.#say(streamError(conditionOf(error), message));
  }
}

const interruptedMs = 500;
const plainHint = { hint: 'let clients go without it, on a loopback address, with --allow-plain' };

function newStreamId(): string {
  return randomBytes(8).toString('hex');
}
