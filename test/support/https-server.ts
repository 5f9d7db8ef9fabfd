/** A web server that behaves as a test wants, with a certificate that the test's own authority signed. */
import { once } from 'node:events';
import { createServer as createPlainServer, type RequestListener } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { KeyPair } from './tls-fixtures.js';

export interface WebServer extends AsyncDisposable {
  /** `https://127.0.0.1:12345` */
  readonly origin: string;
}

/** @param pair none for a server without TLS */
export async function startWebServer(handler: RequestListener, pair?: KeyPair): Promise<WebServer> {
  const server = pair ? createServer(pair, handler) : createPlainServer(handler);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    origin: `${pair ? 'https' : 'http'}://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
