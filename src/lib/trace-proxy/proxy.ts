/** The listener of a proxy: takes connections, serves each by itself, and ends when it is told to or has had enough. */
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server as TcpServer, type Socket } from 'node:net';
import { ConnectError } from '../errors.js';
import { formatAddress } from '../session/transport/tcp.js';
import type { ConnectionTrace } from '../trace/events.js';
import { ProxiedConnection, type ConnectionOptions } from './connection.js';

export interface ProxyOptions extends ConnectionOptions {
  host: string;
  /** 0 takes a free one. */
  port: number;
  /** So many connections are taken; any number when left out. */
  maxConnections?: number | undefined;
  /** Opens the record of a connection; `close` is called behind its last event. */
  record: (label: string) => Promise<{ trace: ConnectionTrace; close: () => Promise<void> }>;
}

export interface RunningProxy {
  address: string;
  port: number;
  /** Resolves when all the connections that were to be taken have ended. */
  finished: Promise<void>;
  /** Takes no more connections, ends those there are, and waits for their records. */
  close(): Promise<void>;
}

/** @throws ConnectError the address cannot be listened on */
export async function startProxy(options: ProxyOptions): Promise<RunningProxy> {
  const { host, port, maxConnections = Number.POSITIVE_INFINITY } = options;
  const running = new Map<ProxiedConnection, Promise<void>>();
  let count = 0;
  let finish = (): void => undefined;
  const finished = new Promise<void>((resolve) => (finish = resolve));
  let isClosing = false;
  const listener = createServer({ pauseOnConnect: true, noDelay: true }, (socket) => {
    if (count >= maxConnections || isClosing) {
      socket.destroy();
      return;
    }
    count += 1;
    if (count >= maxConnections) listener.close();
    void serve(socket);
  });

  async function serve(socket: Socket): Promise<void> {
    const deaf = (): void => undefined;
    socket.on('error', deaf);
    const client = formatAddress(socket.remoteAddress ?? '', socket.remotePort ?? 0);
    const { trace, close } = await options.record(`proxy ${client} → ${options.domain}`);
    const connection = new ProxiedConnection(socket, trace, options);
    const work = connection.run().then(close);
    running.set(connection, work);
    if (isClosing) connection.interrupt();
    await work;
    running.delete(connection);
    if (count >= maxConnections && running.size === 0) finish();
  }

  await listen(listener, host, port);
  const { address, port: bound } = listener.address() as AddressInfo;
  return {
    address,
    port: bound,
    finished,
    async close() {
      isClosing = true;
      listener.close();
      for (const connection of running.keys()) connection.interrupt();
      await Promise.all(running.values());
    },
  };
}

async function listen(listener: TcpServer, host: string, port: number): Promise<void> {
  listener.listen({ host, port, backlog: 1024 });
  try {
    await once(listener, 'listening');
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
    throw new ConnectError(`cannot listen on ${formatAddress(host, port)}: ${code}`, {
      ...(code === 'EADDRINUSE' && {
        hint: 'something listens there already; --listen 127.0.0.1:0 takes a free port',
      }),
      ...(code === 'EACCES' && { hint: 'ports below 1024 are for the administrator' }),
      cause,
    });
  }
}
