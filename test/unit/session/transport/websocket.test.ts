import { once } from 'node:events';
import { createServer, type Server as HttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createServer as createTcpServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { WebSocketServer, type WebSocket } from 'ws';
import { ConnectError, ProtocolError, TimeoutError, TlsError } from '../../../../src/lib/errors.js';
import { XmppSocket } from '../../../../src/lib/session/transport/socket.js';
import { listenOnLoopback } from '../../../support/loopback.js';
import { makeTlsFixtures } from '../../../support/tls-fixtures.js';

const fixtures = makeTlsFixtures('web.test');
const timeoutMs = 10_000;
const base = { domain: 'xmpp.test', timeoutMs, tls: { ca: fixtures.ca } };

/** Serves `/xmpp` with the given subprotocol. */
function serveWebSocket<T extends HttpServer>(
  server: T,
  onConnection: (webSocket: WebSocket) => void,
  subprotocol = 'xmpp',
): T {
  const sockets = new WebSocketServer({ server, path: '/xmpp', handleProtocols: () => subprotocol });
  sockets.on('connection', (webSocket) => {
    webSocket.on('error', () => undefined);
    onConnection(webSocket);
  });
  return server;
}

const echo = (webSocket: WebSocket): void => {
  webSocket.on('message', (data: Buffer, isBinary) => webSocket.send(data, { binary: isBinary }));
};

describe('XmppSocket over a WebSocket', () => {
  it('carries one message for each write, and counts ws: as plain', async () => {
    await using server = await listenOnLoopback(serveWebSocket(createServer(), echo));
    const events: unknown[] = [];
    const traced: string[] = [];
    const trace = {
      data: (dir: string, bytes: Uint8Array) => traced.push(`${dir} ${Buffer.from(bytes).toString()}`),
      event: (name: string, detail: object) => events.push({ event: name, ...detail }),
    };
    const url = `ws://127.0.0.1:${server.port}/xmpp`;
    const socket = new XmppSocket();
    socket.connect({ ...base, service: url, trace });
    await once(socket, 'connect');
    expect(socket.secure).toBe(false);
    expect(socket.framing).toBe('websocket');
    expect(socket.remote).toBe(url);
    const written = new Promise((resolve) => socket.write('<öpen/>', resolve));
    const [bytes] = (await once(socket, 'data')) as [Buffer];
    expect(bytes.toString()).toBe('<öpen/>');
    expect(await written).toBeFalsy();
    socket.end();
    expect(await once(socket, 'close')).toEqual([false, undefined]);
    expect(traced).toEqual(['out <öpen/>', 'in <öpen/>']);
    expect(events).toEqual([
      { event: 'tcp', address: '127.0.0.1', port: server.port, family: 4 },
      { event: 'websocket', url, subprotocol: 'xmpp' },
      { event: 'close', clean: true },
    ]);
    await expect(socket.startTls()).rejects.toThrow('not plain TCP');
  });

  it('verifies wss: for the host of the URL', async () => {
    await using server = await listenOnLoopback(serveWebSocket(createHttpsServer(fixtures.good), echo));
    const socket = new XmppSocket();
    await socket.open({ ...base, service: `wss://127.0.0.1:${server.port}/xmpp` });
    expect(socket.secure).toBe(true);
    expect(socket.tls).toMatchObject({ isVerified: true, alpn: 'http/1.1' });
    expect(socket.channelBinding('tls-exporter')).toBeUndefined();
    socket.destroy();
    await once(socket, 'close');

    const byName = new XmppSocket().open({ ...base, service: `wss://localhost:${server.port}/xmpp` });
    await expect(byName).rejects.toThrow(TlsError);
    await expect(byName).rejects.toThrow('is not valid for localhost');
  });

  it.each([
    ['another path', '/elsewhere', 'xmpp', 'Unexpected server response: 400'],
    ['another subprotocol', '/xmpp', 'chat', 'Server sent an invalid subprotocol'],
  ])('refuses %s', async (_, path, subprotocol, message) => {
    await using server = await listenOnLoopback(serveWebSocket(createServer(), echo, subprotocol));
    const opening = new XmppSocket().open({ ...base, service: `ws://127.0.0.1:${server.port}${path}` });
    await expect(opening).rejects.toThrow(ConnectError);
    await expect(opening).rejects.toThrow(message);
  });

  it('gives up on a web server that is silent', async () => {
    await using server = await listenOnLoopback(createTcpServer((peer) => peer.resume()));
    const opening = new XmppSocket().open({
      ...base,
      service: `ws://127.0.0.1:${server.port}/`,
      timeoutMs: 100,
    });
    await expect(opening).rejects.toThrow(TimeoutError);
  });

  it('refuses binary messages', async () => {
    await using server = await listenOnLoopback(
      serveWebSocket(createServer(), (webSocket) => webSocket.send(Buffer.from('<open/>'), { binary: true })),
    );
    const socket = new XmppSocket();
    await socket.open({ ...base, service: `ws://127.0.0.1:${server.port}/xmpp` });
    const [error] = (await once(socket, 'error')) as [Error];
    expect(error).toBeInstanceOf(ProtocolError);
  });

  it('tells that the connection was cut', async () => {
    await using server = await listenOnLoopback(
      serveWebSocket(createServer(), (webSocket) => {
        webSocket.on('message', () => webSocket.terminate());
      }),
    );
    const socket = new XmppSocket();
    await socket.open({ ...base, service: `ws://127.0.0.1:${server.port}/xmpp` });
    socket.on('error', () => undefined);
    socket.write('x');
    const [hadError] = (await once(socket, 'close')) as [boolean];
    expect(hadError).toBe(true);
  });
});
