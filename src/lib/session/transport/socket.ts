/**
 * One connection to an XMPP server, whatever carries it: TCP with STARTTLS, direct TLS, or a WebSocket.
 *
 * It is an EventEmitter in the shape that @xmpp/connection expects of a socket.
 */
import { EventEmitter } from 'node:events';
import { ConnectionLostError, InterruptedError, TlsError, XmppctlError } from '../../errors.js';
import { StreamCarrier, type Carrier } from './carrier.js';
import type { ChannelBindingType } from './channel-binding.js';
import { toHostName, type Endpoint } from './endpoints.js';
import { reachServer, type ReachOptions } from './reach.js';
import { TlsClient, type TlsInfo } from './tls.js';
import { report } from './trace-details.js';

export type { ChannelBindingType } from './channel-binding.js';
export type { TlsInfo } from './tls.js';
export interface SocketParameters extends ReachOptions {
  /** False where no TLS will follow: saves reading the root certificates. */
  willStartTls?: boolean | undefined;
  /** Shared by many connections, whose root certificates are then read once; one of its own unless given. */
  tlsClient?: TlsClient | undefined;
}

export interface SocketEvents {
  connect: [];
  /** Bytes as they came (a WebSocket: the UTF-8 of one text message). Give them to `StreamParser.write`. */
  data: [Buffer];
  /** An XmppctlError. Always followed by `close`, except when `connect` failed. */
  error: [Error];
  /** hadError as in node:net; reason is the error, if any. */
  close: [hadError: boolean, reason: Error | undefined];
}

/** How much of what came in plain is remembered, to look for something behind `<proceed/>`. */
const PLAIN_TAIL_BYTES = 512;
const PROCEED_AT_THE_END =
  /<(?:[^\s<>/]+:)?proceed(?:\s[^<>]*)?(?:\/>|>\s*<\/(?:[^\s<>/]+:)?proceed\s*>)\s*$/;

export class XmppSocket extends EventEmitter<SocketEvents> {
  #parameters: SocketParameters | undefined;
  #tlsClient: TlsClient | undefined;
  #carrier: Carrier | undefined;
  #endpoint: Endpoint | undefined;
  #remote = '';
  readonly #opening = new AbortController();
  #plainTail = Buffer.alloc(0);
  #failure: Error | undefined;
  #isEnding = false;
  #hasPeerHungUp = false;
  #isClosed = false;
  #endTimer: NodeJS.Timeout | undefined;

  /** TLS is on (or `wss:`). */
  get secure(): boolean {
    return this.#carrier?.isSecure === true;
  }

  /** The endpoint that answered, after `connect`. */
  get endpoint(): Endpoint | undefined {
    return this.#endpoint;
  }

  /** `<stream:stream>` or `<open/>` (RFC 7395). */
  get framing(): 'stream' | 'websocket' {
    return this.#endpoint?.kind === 'websocket' ? 'websocket' : 'stream';
  }

  /** As in `ConnectionInfo.endpoint`: `xmpps://[::1]:5223`, with the address that answered. */
  get remote(): string {
    return this.#remote;
  }

  get tls(): TlsInfo | undefined {
    return this.#carrier?.tls;
  }

  /** Finds endpoints and tries them in order; ends in one `connect` or one `error`. */
  connect(parameters: SocketParameters): void {
    this.open(parameters).then(
      () => this.emit('connect'),
      (error: unknown) => this.emit('error', error instanceof Error ? error : new Error(String(error))),
    );
  }

  /**
   * The same as a promise: resolves when connected (STARTTLS not yet done). Nothing is emitted as `error` then.
   *
   * @throws DnsError @throws ConnectError @throws TlsError @throws TimeoutError @throws InterruptedError @throws UsageError
   */
  async open(parameters: SocketParameters): Promise<void> {
    this.#parameters = parameters;
    const { signal } = parameters;
    const either = signal ? AbortSignal.any([signal, this.#opening.signal]) : this.#opening.signal;
    const bounded = { ...parameters, signal: either };
    this.#tlsClient = parameters.tlsClient ?? new TlsClient(bounded);
    const { carrier, endpoint, remote } = await reachServer(bounded, this.#tlsClient);
    this.#endpoint = endpoint;
    this.#remote = remote;
    this.#adopt(carrier);
    if (endpoint.kind === 'tcp' && parameters.willStartTls !== false) this.#tlsClient.prepareSoon();
  }

  /**
   * Upgrades a `tcp` connection, right after `<proceed/>` was parsed. Bytes that came behind `<proceed/>` in plain
   * are an attack (response injection) and end in a TlsError. Afterwards the stream has to be restarted with a new parser.
   *
   * @throws TlsError @throws TimeoutError @throws InterruptedError
   */
  async startTls(): Promise<void> {
    const carrier = this.#carrier;
    if (!(carrier instanceof StreamCarrier) || carrier.isSecure || !this.#tlsClient || !this.#parameters) {
      throw new Error('startTls on a connection that is not plain TCP');
    }
    const plain = carrier.release();
    try {
      if (!PROCEED_AT_THE_END.test(this.#plainTail.toString('latin1'))) {
        plain.destroy();
        throw new TlsError(`${this.#remote} sent something in plain behind its consent to TLS`, {
          hint: 'somebody between here and the server may be tampering with the connection',
        });
      }
      this.#plainTail = Buffer.alloc(0);
      const name = toHostName(this.#parameters.domain);
      const place = this.#remote.replace('xmpp://', '');
      const { trace } = this.#parameters;
      this.#adopt(new StreamCarrier(await this.#tlsClient.secure(plain, { name, place, trace })));
    } catch (error) {
      this.#failure = error instanceof Error ? error : new Error(String(error));
      this.#onClose(true);
      throw error;
    }
  }

  #adopt(carrier: Carrier): void {
    this.#carrier = carrier;
    const trace = this.#parameters?.trace;
    const isPlainStream = !carrier.isSecure && carrier instanceof StreamCarrier;
    carrier.listen({
      onData: (bytes) => {
        trace?.data('in', bytes);
        if (isPlainStream) this.#rememberTail(bytes);
        this.emit('data', bytes);
      },
      onOwnWrite: (bytes) => trace?.data('out', bytes),
      onError: (error) => this.#onError(error),
      onClose: (hadError) => {
        if (this.#carrier === carrier) this.#onClose(hadError);
      },
    });
    if (this.#opening.signal.aborted) carrier.destroy();
  }

  #rememberTail(bytes: Buffer): void {
    const all = bytes.length >= PLAIN_TAIL_BYTES ? bytes : Buffer.concat([this.#plainTail, bytes]);
    this.#plainTail = Buffer.from(all.subarray(-PLAIN_TAIL_BYTES));
  }

  #onError(error: Error): void {
    if (this.#failure || this.#isClosed) return;
    // A peer that hangs up first while we are hanging up is no error: a busy ejabberd does it with a reset.
    if (this.#isEnding && codeOf(error) === 'ECONNRESET') {
      this.#hasPeerHungUp = true;
      this.#carrier?.destroy();
      return;
    }
    this.#failure =
      error instanceof XmppctlError
        ? error
        : new ConnectionLostError(`the connection to ${this.#remote} was lost: ${codeOf(error)}`, {
            cause: error,
          });
    if (!this.#isEnding) this.emit('error', this.#failure);
    this.#carrier?.destroy();
  }

  #onClose(hadError: boolean): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#endTimer);
    const isClean = (this.#hasPeerHungUp || !hadError) && this.#failure === undefined;
    report(this.#parameters?.trace, 'close', {
      clean: isClean,
      ...(this.#failure && { reason: this.#failure.message }),
    });
    this.emit('close', !isClean, this.#failure);
  }

  /** Channel binding data, or undefined where this connection has none of that type. */
  channelBinding(type: ChannelBindingType): Buffer | undefined {
    return this.#carrier?.channelBinding(type);
  }

  /**
   * The callback runs when the operating system took the bytes, or with the error. Returns false when it is time to
   * wait for that.
   */
  write(data: string | Uint8Array, done?: (error?: Error | null) => void): boolean {
    if (!this.#carrier || this.#isClosed) {
      const error = this.#failure ?? new ConnectionLostError('the connection is closed');
      setImmediate(() => done?.(error));
      return false;
    }
    this.#parameters?.trace?.data('out', typeof data === 'string' ? Buffer.from(data) : data);
    return this.#carrier.write(data, done);
  }

  /** Stops reading from the network, and goes on. */
  pause(): this {
    this.#carrier?.pause();
    return this;
  }

  resume(): this {
    this.#carrier?.resume();
    return this;
  }

  /** Closes politely (TLS close_notify and FIN, or a WebSocket close); `close` follows, at the latest after the time-out. */
  end(): void {
    if (this.#isEnding || this.#isClosed) return;
    this.#isEnding = true;
    if (!this.#carrier) {
      this.destroy();
      return;
    }
    this.#carrier.end();
    this.#endTimer = setTimeout(() => this.#carrier?.destroy(), this.#parameters?.timeoutMs);
  }

  /** Closes at once; with an error, `error` is emitted before `close`. */
  destroy(error?: Error): void {
    if (error) this.#onError(error);
    else if (this.#carrier) this.#carrier.destroy();
    this.#opening.abort(error ?? new InterruptedError('the connection was given up before it stood'));
  }
}

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message;
}
