/**
 * The page of a board, served to this computer only: at a loopback address, under a path that cannot be guessed, to who
 * names the right host (against DNS rebinding), and its WebSocket to nothing but the page itself.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { WebSocket, WebSocketServer } from 'ws';
import { readMessage } from './read-message.js';
import type { BoardAction, ToPage } from './messages.js';

export interface BoardFiles {
  html: string;
  css: string;
  script: string;
  icon: string;
}

/** A page that is open. */
export interface BoardPage {
  /** The same one after its connection was lost. */
  readonly name: string;
  send(message: ToPage): void;
}

export interface BoardHandlers {
  onOpen: (page: BoardPage) => void;
  onAction: (page: BoardPage, action: BoardAction) => void;
}

const MAX_PAGES = 8;
const MAX_CONNECTIONS = 64;
const MAX_MESSAGE_BYTES = 1024 * 1024;
/** A page that does not read for so long comes again and gets everything anew. */
const MAX_UNREAD_BYTES = 64 * 1024 * 1024;
const HELLO_MS = 10_000;
const CLOSE_MS = 1000;

export class BoardServer {
  /** For the browser. Who knows it can draw. */
  readonly url: string;
  readonly #pages = new Map<WebSocket, BoardPage>();

  private constructor(
    private readonly server: Server,
    private readonly sockets: WebSocketServer,
    private readonly files: BoardFiles,
    private readonly handlers: BoardHandlers,
    private readonly host: string,
    private readonly token: string,
  ) {
    this.url = `http://${host}/${token}/`;
    server.on('request', (request, response) => this.#answer(request, response));
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) =>
      this.#upgrade(request, socket, head),
    );
    server.on('clientError', (_error, socket) => socket.destroy());
  }

  /** At a port that is free. */
  static async open(files: BoardFiles, handlers: BoardHandlers): Promise<BoardServer> {
    const { WebSocketServer } = await import('ws');
    const server = createServer({ headersTimeout: 10_000, requestTimeout: 10_000, maxHeaderSize: 16_384 });
    server.maxConnections = MAX_CONNECTIONS;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', resolve);
    });
    const sockets = new WebSocketServer({
      noServer: true,
      perMessageDeflate: false,
      maxPayload: MAX_MESSAGE_BYTES,
    });
    const { port } = server.address() as AddressInfo;
    const token = randomBytes(32).toString('base64url');
    return new BoardServer(server, sockets, files, handlers, `127.0.0.1:${port}`, token);
  }

  /** To all pages. */
  send(message: ToPage): void {
    for (const page of this.#pages.values()) page.send(message);
  }

  /** Tells the pages that it is over. */
  async close(text: string): Promise<void> {
    this.send({ kind: 'end', text });
    const sockets = [...this.sockets.clients];
    const closed = sockets.map((socket) => new Promise((resolve) => socket.once('close', resolve)));
    for (const socket of sockets) socket.close(1000);
    const timer = setTimeout(() => {
      for (const socket of sockets) socket.terminate();
    }, CLOSE_MS);
    await Promise.all(closed);
    clearTimeout(timer);
    await new Promise<void>((resolve) => {
      this.server.close(() => resolve());
      this.server.closeAllConnections();
    });
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    for (const [name, value] of Object.entries(this.#headers())) response.setHeader(name, value);
    const file = this.#isFromHere(request) ? this.#fileAt(this.#pathOf(request)) : undefined;
    if (!file) {
      response.writeHead(this.#isFromHere(request) ? 404 : 403).end();
    } else if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.writeHead(405, { Allow: 'GET, HEAD' }).end();
    } else {
      response.writeHead(200, { 'Content-Type': `${file.type}; charset=utf-8` });
      response.end(request.method === 'GET' ? file.text : undefined);
    }
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => undefined);
    // Every browser says whose page asks; a program that says nothing is no page.
    const isAllowed =
      this.#isFromHere(request) &&
      request.headers.origin === `http://${this.host}` &&
      this.#pathOf(request) === 'socket' &&
      this.sockets.clients.size < MAX_PAGES;
    if (!isAllowed) {
      socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    this.sockets.handleUpgrade(request, socket, head, (webSocket) => this.#welcome(webSocket));
  }

  #welcome(socket: WebSocket): void {
    socket.on('error', () => undefined);
    const timer = setTimeout(() => socket.close(1008), HELLO_MS);
    socket.on('close', () => {
      clearTimeout(timer);
      this.#pages.delete(socket);
    });
    socket.on('message', (data: Buffer, isBinary) => {
      const message = isBinary ? undefined : readMessage(data.toString('utf8'));
      const page = this.#pages.get(socket);
      if (!message || (message.kind === 'hello') === (page !== undefined)) socket.close(1008);
      else if (message.kind === 'hello') {
        clearTimeout(timer);
        const opened = { name: message.page, send: (one: ToPage) => sendTo(socket, one) };
        this.#pages.set(socket, opened);
        this.handlers.onOpen(opened);
      } else if (page) this.handlers.onAction(page, message);
    });
  }

  /** Not a page of somebody else's whose name was made to lead here, and not a form on one. */
  #isFromHere({ headers }: IncomingMessage): boolean {
    return headers.host === this.host && (headers.origin ?? `http://${this.host}`) === `http://${this.host}`;
  }

  /** What is behind the token. */
  #pathOf({ url = '' }: IncomingMessage): string | undefined {
    const [, token = '', ...rest] = url.split('/');
    const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
    // Digests have one length, and take the same time wherever they differ.
    return timingSafeEqual(digest(token), digest(this.token)) ? rest.join('/') : undefined;
  }

  #fileAt(place: string | undefined): { type: string; text: string } | undefined {
    const { html, css, script, icon } = this.files;
    switch (place) {
      case '':
        return { type: 'text/html', text: html };
      case 'page.css':
        return { type: 'text/css', text: css };
      case 'page.js':
        return { type: 'text/javascript', text: script };
      case 'icon.svg':
        return { type: 'image/svg+xml', text: icon };
      default:
        return undefined;
    }
  }

  #headers(): Record<string, string> {
    return {
      'Content-Security-Policy': [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        `connect-src 'self' ws://${this.host}`,
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
      ].join('; '),
      'Cache-Control': 'no-store',
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Cross-Origin-Resource-Policy': 'same-origin',
      'Permissions-Policy': 'camera=(), geolocation=(), microphone=()',
      'Referrer-Policy': 'no-referrer',
      'X-Content-Type-Options': 'nosniff',
      'X-Frame-Options': 'DENY',
    };
  }
}

function sendTo(socket: WebSocket, message: ToPage): void {
  if (socket.readyState !== socket.OPEN) return;
  if (socket.bufferedAmount > MAX_UNREAD_BYTES) socket.close(1013);
  else socket.send(JSON.stringify(message));
}
