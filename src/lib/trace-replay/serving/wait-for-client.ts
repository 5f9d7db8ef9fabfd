/** Listens until a client has logged in: the first that does is the one that is served. */
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { ConnectError } from '../../errors.js';
import { formatAddress } from '../../session/transport/tcp.js';
import { interruption } from '../../session/wait.js';
import type { ConnectionTrace } from '../../trace/events.js';
import { serveLogin, type ServedClient, type ServeOptions } from './serve-client.js';

export interface WaitForClientOptions extends ServeOptions {
  host: string;
  /** 0 takes a free one. */
  port: number;
  record: (label: string) => Promise<{ trace: ConnectionTrace; close: () => Promise<void> }>;
  /** Told where clients can connect to. */
  onListening: (address: string, port: number) => Promise<void>;
  /** Told why a client did not get as far as logging in; the next one is waited for. */
  onFailure: (error: unknown) => void;
}

export interface WaitingClient {
  client: ServedClient;
  /** Waits until it has hung up, and its trace is complete. */
  finish: (reason: string | undefined) => Promise<void>;
}

const maxPending = 50;

/** @throws ConnectError the address cannot be listened on @throws InterruptedError */
export async function waitForClient(options: WaitForClientOptions): Promise<WaitingClient> {
  const { host, port, signal, domain, record } = options;
  const sockets = new Set<Socket>();
  const listener = createServer({ pauseOnConnect: true, noDelay: true });
  listener.listen({ host, port });
  try {
    await once(listener, 'listening');
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
    throw new ConnectError(`cannot listen on ${formatAddress(host, port)}: ${code}`, {
      ...(code === 'EADDRINUSE' && {
        hint: 'something listens there already; --listen 127.0.0.1:0 takes a free port',
      }),
      cause,
    });
  }
  let served: Socket | undefined;
  const serve = async (socket: Socket): Promise<WaitingClient | undefined> => {
    const client = formatAddress(socket.remoteAddress ?? '', socket.remotePort ?? 0);
    const { trace, close } = await record(`replay ${client} → ${domain}`);
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    const finish = async (reason: string | undefined): Promise<void> => {
      await closed;
      trace.event('close', { clean: reason === undefined, ...(reason !== undefined && { reason }) });
      await close();
    };
    try {
      const loggedIn = await serveLogin(socket, trace, options);
      if (served) {
        loggedIn.close();
        return undefined;
      }
      served = socket;
      return { client: loggedIn, finish };
    } catch (error) {
      if (!signal.aborted && !served) options.onFailure(error);
      void finish(error instanceof Error ? error.message : String(error));
      return undefined;
    }
  };
  try {
    const found = new Promise<WaitingClient>((resolve, reject) => {
      signal.addEventListener('abort', () => reject(interruption(signal, 'waiting for a client')), {
        once: true,
      });
      listener.on('connection', (socket) => {
        socket.on('error', () => undefined);
        if (sockets.size >= maxPending) {
          socket.destroy();
          return;
        }
        sockets.add(socket);
        socket.once('close', () => sockets.delete(socket));
        serve(socket).then((waiting) => waiting && resolve(waiting), reject);
      });
      if (signal.aborted) reject(interruption(signal, 'waiting for a client'));
    });
    const { address, port: bound } = listener.address() as AddressInfo;
    await options.onListening(address, bound);
    return await found;
  } finally {
    listener.close();
    for (const socket of sockets) if (socket !== served) socket.destroy();
  }
}
