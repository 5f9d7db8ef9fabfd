/**
 * XMPP over WebSocket: RFC 7395. The certificate of `wss:` is verified for the host of the URL (§3.10), which a JID's
 * domain has named by --service or over verified HTTPS.
 *
 * Not here: compression (CRIME-like attacks on secrets beside chosen text), and channel binding, because the other end
 * of TLS is often a proxy.
 */
import type { WebSocket } from 'ws';
import { ConnectError, ProtocolError, XmppctlError } from '../../errors.js';
import { within } from '../wait.js';
import type { Carrier, CarrierListener } from './carrier.js';
import { toHostName } from './endpoints.js';
import { connectTcp, type TcpOptions } from './tcp.js';
import { describeTls, type TlsClient, type TlsInfo } from './tls.js';
import { report } from './trace-details.js';
import { TLSSocket } from 'node:tls';
import type { Socket } from 'node:net';

/** The parser's limit for a stanza is lower; this one keeps a message from being collected without end. */
const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;

/** @throws ConnectError @throws TlsError @throws DnsError @throws TimeoutError @throws InterruptedError */
export async function openWebSocket(href: string, tls: TlsClient, options: TcpOptions): Promise<Carrier> {
  const { timeoutMs, signal, trace } = options;
  const stream = await connectToUrl(new URL(href), tls, options);
  const { WebSocket } = await import('ws');
  const webSocket = new WebSocket(href, ['xmpp'], {
    createConnection: () => stream,
    perMessageDeflate: false,
    maxPayload: MAX_MESSAGE_BYTES,
  });
  try {
    const opened = new Promise<void>((resolve, reject) => {
      webSocket.once('open', () => {
        // What comes before somebody listens is not lost.
        webSocket.pause();
        resolve();
      });
      // Stays on: ws complains once more when a connection that is being made is given up.
      webSocket.on('error', reject);
    });
    await within(opened, { doing: `opening the WebSocket ${href}`, timeoutMs, signal });
  } catch (error) {
    webSocket.terminate();
    const failure =
      error instanceof XmppctlError
        ? error
        : new ConnectError(`the WebSocket ${href} was refused: ${messageOf(error)}`, {
            hint: 'check the path of the URL, and that it is an XMPP service',
            details: { url: href },
            cause: error,
          });
    report(trace, 'websocket', { url: href, error: failure.message });
    throw failure;
  }
  report(trace, 'websocket', { url: href, subprotocol: webSocket.protocol });
  return new WebSocketCarrier(webSocket, stream);
}

/** A connection to the host of a URL, secure for `wss:` and `https:`. */
export async function connectToUrl(url: URL, tls: TlsClient, options: TcpOptions): Promise<Socket> {
  const isSecure = url.protocol === 'wss:' || url.protocol === 'https:';
  const host = toHostName(url.hostname);
  const port = Number(url.port === '' ? (isSecure ? 443 : 80) : url.port);
  const plain = await connectTcp(host, port, options);
  return isSecure ? tls.secure(plain, { name: host, place: url.host, alpn: ['http/1.1'] }) : plain;
}

export class WebSocketCarrier implements Carrier {
  readonly isSecure: boolean;
  readonly tls: TlsInfo | undefined;
  readonly #webSocket: WebSocket;

  constructor(webSocket: WebSocket, stream: Socket) {
    this.#webSocket = webSocket;
    this.isSecure = stream instanceof TLSSocket;
    this.tls = stream instanceof TLSSocket ? describeTls(stream) : undefined;
  }

  listen({ onData, onError, onClose }: CarrierListener): void {
    this.#webSocket.removeAllListeners('error');
    this.#webSocket
      .on('message', (data: Buffer, isBinary: boolean) => {
        if (isBinary)
          onError(new ProtocolError('the other side sent a binary WebSocket message (RFC 7395 §3.3)'));
        else onData(data);
      })
      .on('error', onError)
      .on('close', (code: number) => onClose(code !== 1000 && code !== 1005));
    this.#webSocket.resume();
  }

  channelBinding(): undefined {
    return undefined;
  }

  write(data: string | Uint8Array, done?: (error?: Error | null) => void): boolean {
    if (this.#webSocket.readyState !== this.#webSocket.OPEN) {
      const error = new Error('the WebSocket is closed');
      setImmediate(() => done?.(error));
      return false;
    }
    this.#webSocket.send(data, { binary: false }, (error) => done?.(error));
    return this.#webSocket.bufferedAmount < 16_384;
  }

  pause(): void {
    this.#webSocket.pause();
  }

  resume(): void {
    this.#webSocket.resume();
  }

  end(): void {
    this.#webSocket.close(1000);
  }

  destroy(): void {
    this.#webSocket.terminate();
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
