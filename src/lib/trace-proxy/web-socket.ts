/** The server's side of a WebSocket (RFC 7395), for clients that come with a request of HTTP. */
import { createServer, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { ProtocolError } from '../errors.js';
import { WebSocketCarrier } from '../session/transport/websocket.js';
import { within } from '../session/wait.js';

const maxMessageBytes = 64 * 1024 * 1024;

/**
 * Answers the request, which has not been read yet.
 * @throws ProtocolError it does not ask for a WebSocket of XMPP @throws TimeoutError
 */
export async function acceptWebSocket(socket: Socket, timeoutMs: number): Promise<WebSocketCarrier> {
  const { WebSocketServer } = await import('ws');
  const webSockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: maxMessageBytes,
    handleProtocols: (offered) => (offered.has('xmpp') ? 'xmpp' : false),
  });
  const http = createServer();
  const accepted = new Promise<WebSocketCarrier>((resolve, reject) => {
    http.once('upgrade', (request: IncomingMessage, stream: Socket, head: Buffer) => {
      webSockets.handleUpgrade(request, stream, head, (webSocket) => {
        // What comes before somebody listens is not lost.
        webSocket.pause();
        webSocket.on('error', () => undefined);
        resolve(new WebSocketCarrier(webSocket, stream));
      });
    });
    http.once('request', (_request, response) => {
      response.writeHead(426, { Upgrade: 'websocket', Connection: 'close' }).end();
      reject(new ProtocolError('the client asked for a page of HTTP, not for a WebSocket'));
    });
    socket.once('close', () => reject(new ProtocolError('the client hung up before the WebSocket was open')));
  });
  http.on('clientError', () => socket.destroy());
  http.emit('connection', socket);
  socket.resume();
  return within(accepted, { doing: 'waiting for the client to ask for a WebSocket', timeoutMs });
}
