/** The connection of a client: its first bytes, TLS with a certificate of the proxy's own, and then what it says. */
import type { Socket } from 'node:net';
import { TLSSocket, type SecureContext } from 'node:tls';
import { ConnectionLostError, TlsError } from '../errors.js';
import { StreamCarrier, type Carrier } from '../session/transport/carrier.js';
import { within } from '../session/wait.js';
import type { ConnectionTrace } from '../trace/events.js';
import type { Sink, Source } from './lane.js';

export interface ClientEnd {
  hadError: boolean;
  reason?: string;
}

/** How long a client may take to hang up after it was told the end. */
const goodbyeMs = 5000;

export class ClientLeg implements Source, Sink {
  readonly #socket: Socket;
  readonly #trace: ConnectionTrace;
  #carrier: Carrier | undefined;
  /** What came while nobody took it. */
  #queue: Buffer[] = [];
  #take: ((bytes: Buffer) => void) | undefined;
  #wake: (() => void) | undefined;
  #end: ClientEnd | undefined;
  #reason: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Told once, when the client has gone. */
  onClose: ((end: ClientEnd) => void) | undefined;

  /** @param trace is given what the client sends, as it comes, inside TLS */
  constructor(socket: Socket, trace: ConnectionTrace) {
    this.#socket = socket;
    this.#trace = trace;
    socket.setNoDelay(true);
  }

  get isSecure(): boolean {
    return this.#carrier?.isSecure === true;
  }

  /** Takes the connection; what is read is recorded from here on. */
  adopt(carrier: Carrier): void {
    this.#carrier = carrier;
    carrier.listen({
      onData: (bytes) => {
        this.#trace.data('out', bytes);
        if (this.#take) {
          this.#take(bytes);
          return;
        }
        this.#queue.push(bytes);
        carrier.pause();
        this.#wake?.();
      },
      onOwnWrite: () => undefined,
      onError: (error) => (this.#reason ??= 'code' in error ? String(error.code) : error.message),
      onClose: (hadError) => {
        if (this.#carrier !== carrier) return;
        clearTimeout(this.#timer);
        this.#end = { hadError, ...(this.#reason !== undefined && { reason: this.#reason }) };
        this.#wake?.();
        this.onClose?.(this.#end);
      },
    });
    if (carrier instanceof StreamCarrier) carrier.resume();
  }

  /**
   * The server's side of a TLS handshake, from the first byte or behind `<proceed/>`.
   * @throws TlsError @throws TimeoutError
   */
  async secure(secureContext: SecureContext, timeoutMs: number): Promise<TLSSocket> {
    const carrier = this.#carrier;
    if (carrier instanceof StreamCarrier) carrier.release();
    this.#carrier = undefined;
    // Anything that came in plain behind <starttls/> must not be taken for what comes inside TLS.
    this.#queue = [];
    const socket = new TLSSocket(this.#socket, {
      isServer: true,
      secureContext,
      minVersion: 'TLSv1.2',
      // RFC 7301: what a client asks for it gets, since all of it ends here.
      ALPNCallback: ({ protocols }) => protocols[0],
    });
    try {
      await within(settle(socket), { doing: 'in the TLS handshake with the client', timeoutMs });
    } catch (error) {
      socket.destroy();
      const failure =
        error instanceof Error && 'exitCode' in error
          ? error
          : new TlsError(`the TLS handshake with the client failed: ${reasonOf(error)}`, { cause: error });
      this.#trace.event('proxy', { what: 'TLS with the client', error: failure.message });
      throw failure;
    }
    this.#trace.event('proxy', {
      what: 'TLS with the client',
      version: socket.getProtocol() ?? '',
      cipher: socket.getCipher().name,
      ...(typeof socket.alpnProtocol === 'string' && { alpn: socket.alpnProtocol }),
    });
    return socket;
  }

  /** What comes next. @throws ConnectionLostError @throws TimeoutError */
  async read(timeoutMs: number): Promise<Buffer> {
    if (this.#queue.length === 0 && !this.#end) {
      this.#carrier?.resume();
      const woken = new Promise<void>((resolve) => (this.#wake = resolve));
      await within(woken, { doing: 'waiting for the client', timeoutMs });
    }
    const bytes = this.#queue.shift();
    if (!bytes) throw new ConnectionLostError('the client hung up');
    return bytes;
  }

  /** From now on everything goes to `take`, at once; undefined keeps it for `read` again. */
  flow(take: ((bytes: Buffer) => void) | undefined): void {
    this.#take = take;
    if (!take) return;
    for (const bytes of this.#queue.splice(0)) take(bytes);
    if (this.#end) this.onClose?.(this.#end);
    else this.#carrier?.resume();
  }

  write(data: string | Uint8Array, done?: (error?: Error | null) => void): boolean {
    if (this.#carrier && !this.#end) return this.#carrier.write(data, done);
    setImmediate(() => done?.(new ConnectionLostError('the client hung up')));
    return false;
  }

  pause(): void {
    this.#carrier?.pause();
  }

  resume(): void {
    this.#carrier?.resume();
  }

  end(): void {
    if (!this.#carrier || this.#end) {
      this.#socket.destroy();
      return;
    }
    this.#carrier.end();
    // Its own end of the stream is nobody's business any more, but has to be read for it to be able to close.
    this.#take = () => undefined;
    this.#carrier.resume();
    this.#timer ??= setTimeout(() => this.destroy(), goodbyeMs).unref();
  }

  destroy(): void {
    this.#carrier?.destroy();
    this.#socket.destroy();
  }

  /** Cuts the line without a goodbye: TCP's reset. */
  reset(): void {
    if (this.#socket.destroyed) return;
    try {
      this.#socket.resetAndDestroy();
    } catch {
      this.#socket.destroy();
    }
    this.#carrier?.destroy();
  }
}

/**
 * Looks at the first bytes of a connection without taking them.
 * @throws ConnectionLostError @throws TimeoutError
 */
export async function peekAt(socket: Socket, timeoutMs: number): Promise<Buffer> {
  const first = new Promise<Buffer>((resolve, reject) => {
    const lost = (): void => reject(new ConnectionLostError('the client hung up before it said anything'));
    socket.once('data', (bytes: Buffer) => {
      socket.off('close', lost);
      socket.pause();
      socket.unshift(bytes);
      resolve(bytes);
    });
    socket.once('close', lost);
    socket.resume();
  });
  const deaf = (): void => undefined;
  socket.on('error', deaf);
  try {
    return await within(first, { doing: 'waiting for the client to say something', timeoutMs });
  } finally {
    // Whoever takes the connection over listens in the same turn.
    setImmediate(() => socket.off('error', deaf));
  }
}

function settle(socket: TLSSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    // Stays on, so that an error that comes while a failed connection is taken down does not go unheard.
    socket.on('error', reject);
    socket.once('secure', () => {
      socket.off('error', reject);
      resolve();
    });
    socket.once('close', () => reject(new Error('the client closed the connection')));
  });
}

/** OpenSSL's reason is readable; what node:tls makes of it is not. */
function reasonOf(error: unknown): string {
  if (error instanceof Error && 'reason' in error && typeof error.reason === 'string') return error.reason;
  return error instanceof Error ? error.message : String(error);
}
