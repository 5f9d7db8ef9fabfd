/**
 * The server that direct connections come to: one for all negotiations of a run, told apart by what they ask for. It
 * listens only while a negotiation needs it.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { ConnectError } from '../../errors.js';
import { STREAM_BUFFER_BYTES } from './stream-buffer.js';
import { grantStream, readStreamRequest, refuseStream } from './handshake.js';

export interface ListenOptions {
  /** Addresses to listen on; every one of the machine when left out. */
  hosts?: readonly string[];
  /** 0 for any free one. */
  port?: number;
}

/** For a handshake: a few bytes each way. */
const HANDSHAKE_MS = 10_000;
/** Connections whose handshake is not over: of more, the oldest are closed, so that whoever says nothing keeps nobody out. */
const MAX_PENDING = 64;
const LISTEN_ATTEMPTS = 5;
/** There is no such kind of address on this machine. */
const noSuchFamily: readonly unknown[] = ['EAFNOSUPPORT', 'EADDRNOTAVAIL', 'EPROTONOSUPPORT'];

/** The port that somebody forwards to cannot be had. */
export class ListenError extends ConnectError {
  override readonly name = 'ListenError';
}

type Taker = (socket: Socket) => void;

export class Socks5Listener {
  readonly #options: ListenOptions;
  /** By the lower-case hash. */
  readonly #takers = new Map<string, Taker>();
  readonly #pending = new Set<Socket>();
  #servers: Promise<Server[]> | undefined;
  #users = 0;

  constructor(options: ListenOptions = {}) {
    this.#options = options;
  }

  /** The addresses it is told to listen on; undefined for every one of the machine. */
  get hosts(): readonly string[] | undefined {
    return this.#options.hosts;
  }

  /**
   * The port to be reached at, as long as the registration is not disposed of. Each connection that asks for one of the
   * hashes is given to `take`.
   * @throws ListenError the port cannot be listened on
   */
  async expect(hashes: readonly string[], take: Taker): Promise<{ port: number } & Disposable> {
    this.#users += 1;
    for (const hash of hashes) this.#takers.set(hash, take);
    let isDisposed = false;
    const dispose = (): void => {
      if (isDisposed) return;
      isDisposed = true;
      for (const hash of hashes) if (this.#takers.get(hash) === take) this.#takers.delete(hash);
      this.#users -= 1;
      // The next file of the same run may be right behind.
      if (this.#users === 0) setTimeout(() => this.#users === 0 && this.#close(), 500).unref();
    };
    try {
      const [server] = await (this.#servers ??= this.#listen());
      const address = server?.address();
      if (address === null || address === undefined || typeof address === 'string')
        throw new ListenError('nothing to listen on for direct connections');
      return { port: address.port, [Symbol.dispose]: dispose };
    } catch (error) {
      this.#servers = undefined;
      dispose();
      throw error;
    }
  }

  async #listen(): Promise<Server[]> {
    const { hosts, port = 0 } = this.#options;
    if (hosts) return this.#listenOnAll(hosts, port);
    try {
      return [await this.#listenOn('::', port)];
    } catch (error) {
      // A machine without IPv6.
      if (!(error instanceof ListenError && noSuchFamily.includes(error.details['code']))) throw error;
      return [await this.#listenOn('0.0.0.0', port)];
    }
  }

  /** The same port on each. One that is free at the first address may not be at the next, and another one is tried. */
  async #listenOnAll(hosts: readonly string[], port: number): Promise<Server[]> {
    for (let attempt = 1; ; attempt += 1) {
      const servers: Server[] = [];
      let chosen = port;
      try {
        for (const host of hosts) {
          const server = await this.#listenOn(host, chosen);
          servers.push(server);
          const address = server.address();
          if (address !== null && typeof address === 'object') chosen = address.port;
        }
        return servers;
      } catch (error) {
        for (const server of servers) server.close();
        if (port !== 0 || attempt === LISTEN_ATTEMPTS) throw error;
      }
    }
  }

  #listenOn(host: string, port: number): Promise<Server> {
    return new Promise((resolve, reject) => {
      // The half that says "all was sent" must not end the half that answers.
      const server = createServer(
        { allowHalfOpen: true, noDelay: true, pauseOnConnect: false, highWaterMark: STREAM_BUFFER_BYTES },
        (socket) => void this.#greet(socket),
      );
      server.on('error', (cause: NodeJS.ErrnoException) =>
        reject(
          new ListenError(
            `cannot listen on ${host} port ${port} for direct connections: ${cause.code ?? cause.message}`,
            { cause, details: { code: cause.code } },
          ),
        ),
      );
      server.listen({ host, port }, () => {
        server.unref();
        resolve(server);
      });
    });
  }

  async #greet(socket: Socket): Promise<void> {
    // Stays on: an error of a socket that nobody has taken yet is nobody's.
    socket.on('error', () => undefined);
    const [oldest] = this.#pending;
    if (oldest && this.#pending.size >= MAX_PENDING) {
      this.#pending.delete(oldest);
      oldest.destroy();
    }
    this.#pending.add(socket);
    const timer = setTimeout(() => socket.destroy(), HANDSHAKE_MS);
    try {
      const hash = await readStreamRequest(socket);
      const take = this.#takers.get(hash);
      if (take) {
        grantStream(socket, hash);
        take(socket);
      } else {
        refuseStream(socket);
        socket.destroySoon();
      }
    } catch {
      socket.destroySoon();
    } finally {
      clearTimeout(timer);
      this.#pending.delete(socket);
    }
  }

  #close(): void {
    const servers = this.#servers;
    this.#servers = undefined;
    void servers?.then((list) => list.forEach((server) => server.close())).catch(() => undefined);
    for (const socket of this.#pending) socket.destroy();
  }
}
