/** The server's end of one connection: what the client sent, one thing after the other, and bytes to send back. */
import { createHash, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { TLSSocket, type SecureContextOptions } from 'node:tls';
import { Parser, type Element } from '@xmpp/xml';

/** The client has gone: ends a conversation, and is no failure of the server's. */
export class PeerLeft extends Error {}

type Received = { kind: 'header' | 'element'; element: Element } | { kind: 'end' };

export interface PeerTls extends SecureContextOptions {
  /** PEM */
  cert: string;
  key: string;
}

export class FakePeer {
  readonly #tcp: Socket;
  #socket: Socket;
  #parser: Parser | undefined;
  #received: Received[] = [];
  #wake: () => void = () => undefined;
  #hasLeft = false;
  readonly #tls: PeerTls;
  /** Bytes of one packet at most: whatever is written leaves in pieces of this size. */
  splitBytes: number | undefined;

  constructor(socket: Socket, tls: PeerTls) {
    this.#tcp = socket;
    this.#socket = socket;
    this.#tls = tls;
    this.#listen();
  }

  get socket(): Socket {
    return this.#socket;
  }

  get isSecure(): boolean {
    return this.#socket instanceof TLSSocket;
  }

  #listen(): void {
    const socket = this.#socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => {
      try {
        this.#parser?.write(chunk.toString('utf8'));
      } catch {
        // COMPAT(@xmpp/xml 0.14): a client that says goodbye in the middle of a lie makes it throw.
        socket.destroy();
      }
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#hasLeft = true;
      this.#wake();
    });
    this.expectNewStream();
  }

  /** After STARTTLS and SASL a new document begins. */
  expectNewStream(): void {
    const parser = new Parser();
    const push = (received: Received): void => {
      if (parser !== this.#parser) return;
      this.#received.push(received);
      this.#wake();
    };
    parser.on('start', (element: Element) => push({ kind: 'header', element }));
    parser.on('element', (element: Element) => push({ kind: 'element', element }));
    parser.on('end', () => push({ kind: 'end' }));
    parser.on('error', () => push({ kind: 'end' }));
    this.#parser = parser;
  }

  async #next(): Promise<Received> {
    for (;;) {
      const received = this.#received.shift();
      if (received) return received;
      if (this.#hasLeft) throw new PeerLeft('the client closed the connection');
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  /** The client's stream header. */
  async header(): Promise<Element> {
    const received = await this.#next();
    if (received.kind === 'header') return received.element;
    throw new PeerLeft('the client did not open a stream');
  }

  /** The next element from the client. Answers a goodbye, and ends the conversation then. */
  async element(): Promise<Element> {
    const received = await this.#next();
    if (received.kind === 'element') return received.element;
    await this.write('</stream:stream>');
    this.#socket.end();
    throw new PeerLeft('the client ended the stream');
  }

  /** Waits until the client has gone, whatever it still says: that need not be XML. */
  async gone(): Promise<never> {
    this.#parser = undefined;
    for (;;) await this.#next();
  }

  async send(element: Element): Promise<void> {
    await this.write(element.toString());
  }

  /** Writes bytes as they are. Resolves when the operating system took them, or the client has gone. */
  async write(data: string | Uint8Array): Promise<void> {
    const bytes = Buffer.from(data);
    const size = this.splitBytes ?? Math.max(bytes.length, 1);
    for (let start = 0; start < bytes.length; start += size) {
      if (this.#socket.destroyed) return;
      await new Promise<void>((resolve) => {
        this.#socket.write(bytes.subarray(start, start + size), () => {
          setImmediate(resolve);
        });
      });
    }
  }

  /** The TLS handshake, as the server. */
  async startTls(): Promise<void> {
    const plain = this.#socket;
    plain.removeAllListeners('data');
    const secure = new TLSSocket(plain, {
      isServer: true,
      requestCert: true,
      rejectUnauthorized: false,
      ALPNProtocols: ['xmpp-client'],
      ...this.#tls,
    });
    this.#socket = secure;
    this.#listen();
    await Promise.race([once(secure, 'secure'), once(secure, 'close')]);
  }

  /** Channel binding data as the server sees it (RFC 9266, RFC 5929). */
  channelBinding(type: string): Buffer | undefined {
    const socket = this.#socket;
    if (!(socket instanceof TLSSocket)) return undefined;
    switch (type) {
      case 'tls-exporter':
        return socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0));
      case 'tls-unique':
        return socket.getPeerFinished();
      case 'tls-server-end-point':
        return createHash('sha256').update(new X509Certificate(this.#tls.cert).raw).digest();
      default:
        return undefined;
    }
  }

  /** Says nothing more and hangs up. */
  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
    this.#tcp.destroy();
  }

  /** Cuts the connection with a TCP reset, inside TLS too. */
  reset(): void {
    this.#tcp.resetAndDestroy();
  }
}
