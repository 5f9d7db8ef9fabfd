/**
 * The server that direct connections come to: one for all negotiations of a run, told apart by what they ask for. It
 * listens only while a negotiation needs it.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { FileError } from '../../errors.js';
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
/** Connections whose handshake is not over: more are refused, so that nobody can use them all up. */
const MAX_PENDING = 64;

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

  /**
   * The port to be reached at, as long as the registration is not disposed of. Each connection that asks for one of the
   * hashes is given to `take`.
   * @throws FileError the port cannot be listened on
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
        throw new FileError('nothing to listen on for direct connections');
      return { port: address.port, [Symbol.dispose]: dispose };
    } catch (error) {
      this.#servers = undefined;
      dispose();
      throw error;
    }
  }

  async #listen(): Promise<Server[]> {
    const { hosts, port = 0 } = this.#options;
    if (hosts) {
      const servers: Server[] = [];
      let chosen = port;
      for (const host of hosts) {
        const server = await this.#listenOn(host, chosen);
        servers.push(server);
        const address = server.address();
        if (address !== null && typeof address === 'object') chosen = address.port;
      }
      return servers;
    }
    try {
      return [await this.#listenOn('::', port)];
    } catch (error) {
      if (port !== 0) throw error;
      // A machine without IPv6.
      return [await this.#listenOn('0.0.0.0', port)];
    }
  }

  #listenOn(host: string, port: number): Promise<Server> {
    return new Promise((resolve, reject) => {
      // The half that says "all was sent" must not end the half that answers.
      const server = createServer(
        { allowHalfOpen: true, noDelay: true, pauseOnConnect: false, highWaterMark: STREAM_BUFFER_BYTES },
        (socket) => void this.#greet(socket),
      );
      server.once('error', (cause: NodeJS.ErrnoException) =>
        reject(
          new FileError(
            `cannot listen on ${host} port ${port} for direct connections: ${cause.code ?? cause.message}`,
            {
              cause,
            },
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
    if (this.#pending.size >= MAX_PENDING) {
      socket.destroy();
      return;
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
