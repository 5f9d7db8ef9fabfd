/**
 * A man in the middle on loopback, between the program and a real server: he passes on so many of the server's bytes and
 * then cuts the connection or falls silent, or puts other bytes in their place.
 */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export interface Meddling {
  /** Bytes of the server that are passed on before it happens; everything when left out. */
  afterBytes?: number;
  /** What happens then; `silence` unless given. */
  then?: 'cut' | 'silence';
  /** What is passed on in place of what the server sent. */
  change?: (text: string) => string;
}

export interface MeddlingProxy extends AsyncDisposable {
  readonly port: number;
  /** Bytes of the server so far, on all connections. */
  readonly serverBytes: number;
  /** What the program has sent, as text. */
  readonly clientText: string;
  /** Resolves when it has happened. */
  readonly happened: Promise<void>;
}

export async function startMeddlingProxy(
  target: { host: string; port: number },
  { afterBytes = Number.POSITIVE_INFINITY, then = 'silence', change }: Meddling,
): Promise<MeddlingProxy> {
  const open = new Set<Socket>();
  let serverBytes = 0;
  let clientText = '';
  let tell = (): void => undefined;
  const happened = new Promise<void>((resolve) => (tell = resolve));
  const listener = createServer((client) => {
    const server = connect(target);
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      open.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        open.delete(socket);
        other.destroy();
      });
    }
    client.on('data', (chunk: Buffer) => {
      clientText += chunk.toString('latin1');
      server.write(chunk);
    });
    server.on('data', (chunk: Buffer) => {
      const passed = chunk.subarray(0, Math.max(0, afterBytes - serverBytes));
      serverBytes += chunk.length;
      if (passed.length > 0) client.write(change ? change(passed.toString('utf8')) : passed);
      if (serverBytes < afterBytes) return;
      // What was passed on before the cut arrives, as it does on a real line.
      if (then === 'cut') client.destroySoon();
      tell();
    });
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  return {
    port: (listener.address() as AddressInfo).port,
    get serverBytes() {
      return serverBytes;
    },
    get clientText() {
      return clientText;
    },
    happened,
    [Symbol.asyncDispose]: async () => {
      for (const socket of open) socket.destroy();
      listener.close();
      await once(listener, 'close');
    },
  };
}
