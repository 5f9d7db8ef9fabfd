/** The proxy's own connection to the server: found and verified as everywhere, encrypted before the client's stream begins. */
import { ProtocolError, TlsError } from '../errors.js';
import type { TlsOptions } from '../session/options.js';
import { CLIENT_SERVICES, SERVER_SERVICES } from '../session/transport/endpoints.js';
import { ipVersion } from '../session/transport/ip-address.js';
import { XmppSocket, type SocketParameters } from '../session/transport/socket.js';
import { TlsClient } from '../session/transport/tls.js';
import { within } from '../session/wait.js';
import type { ConnectionTrace } from '../trace/events.js';
import { elementsOf } from '../trace/trace-element.js';
import { NS_STARTTLS } from './features.js';
import { StanzaCutter, type Piece } from './stanza-cutter.js';
import type { StreamHead, StreamKind } from './stream-head.js';
import { streamHeader } from './stream-texts.js';

export interface ServerOptions {
  /** What the certificate must be valid for. */
  domain: string;
  /** As in `--service`; found by DNS when left out. */
  service?: string | undefined;
  tls?: TlsOptions | undefined;
  /** For servers that ask for one; the client's own cannot be passed on. */
  clientCertificate?: { cert: string; key: string } | undefined;
  timeoutMs: number;
  signal?: AbortSignal | undefined;
  warn?: ((message: string) => void) | undefined;
}

const streams: Readonly<Record<StreamKind, { port: number; extra: Partial<SocketParameters> }>> = {
  c2s: { port: 5222, extra: { srvServices: CLIENT_SERVICES, alpn: 'xmpp-client' } },
  s2s: { port: 5269, extra: { srvServices: SERVER_SERVICES, alpn: 'xmpp-server' } },
  component: { port: 5347, extra: { srvServices: [] } },
};

/** Opens connections to one server. */
export class Server {
  readonly #tlsClient: TlsClient;

  /** @throws UsageError a pin cannot be understood */
  constructor(private readonly options: ServerOptions) {
    this.#tlsClient = new TlsClient(options);
  }

  /**
   * Connects, and does STARTTLS with a stream of its own: the next thing to be written is the client's header.
   * Nothing listens to the socket's data then, and it is paused.
   *
   * @param head what the client wants; undefined for a WebSocket
   * @throws ConnectError @throws DnsError @throws TlsError @throws ProtocolError @throws TimeoutError @throws InterruptedError
   */
  async open(head: StreamHead | undefined, trace: ConnectionTrace): Promise<XmppSocket> {
    const { domain, service } = this.options;
    const { port, extra } = streams[head?.kind ?? 'c2s'];
    const socket = new XmppSocket();
    await socket.open({
      ...this.options,
      ...extra,
      domain,
      service,
      defaultPort: port,
      useHostMeta: head === undefined,
      willStartTls: head?.kind !== 'component',
      tlsClient: this.#tlsClient,
      // What crosses, and the end, are recorded where the client sees them.
      trace: {
        data: () => undefined,
        event: (name, detail) => name !== 'close' && trace.event(name, detail),
      },
    });
    // A loss is told by `close`, which has the reason.
    socket.on('error', () => undefined);
    try {
      if (head && !socket.secure && socket.endpoint?.kind === 'tcp') await this.#secure(socket, head);
      if (!head && socket.endpoint?.kind !== 'websocket')
        throw new ProtocolError('a client of a WebSocket needs a server of one', {
          hint: 'name it: --to wss://…',
        });
      socket.pause();
      return socket;
    } catch (error) {
      socket.destroy();
      throw error;
    }
  }

  async #secure(socket: XmppSocket, head: StreamHead): Promise<void> {
    const { domain, timeoutMs, signal } = this.options;
    if (head.kind === 'component') {
      // XEP-0114 knows no STARTTLS; on this computer nobody listens.
      if (isLoopback(socket.remote)) return;
      throw new TlsError(`${socket.remote} would be sent the secret of the component in plain`, {
        hint: 'only a server on this computer may be reached so; use xmpps:// where it has TLS for components',
      });
    }
    const reader = new PieceReader(socket);
    try {
      const header = streamHeader(head.kind, { from: head.from, to: head.to ?? domain });
      const ask = async (text: string, doing: string): Promise<Piece> => {
        socket.write(Buffer.from(text));
        return within(reader.nextElement(), { doing, timeoutMs, signal });
      };
      const features = await ask(header, `waiting for the features of ${socket.remote}`);
      const offer = features.stanza.tree;
      if (offer?.name !== 'features' || !elementsOf(offer).some(({ name }) => name === 'starttls'))
        throw new TlsError(`${socket.remote} offers no TLS`, { hint: 'a proxy does not log in without it' });
      const answer = await ask(`<starttls xmlns='${NS_STARTTLS}'/>`, `starting TLS with ${socket.remote}`);
      if (answer.stanza.tree?.name !== 'proceed') throw new TlsError(`${socket.remote} refused to start TLS`);
    } finally {
      reader.stop();
    }
    await socket.startTls();
  }
}

/** Hands out elements as they come. */
class PieceReader {
  readonly #waiting: Piece[] = [];
  #wake: (() => void) | undefined;
  #fail: ((error: Error) => void) | undefined;
  readonly #cutter = new StanzaCutter('in', (piece) => {
    if (piece.kind !== 'element') return;
    this.#waiting.push(piece);
    this.#wake?.();
  });
  readonly #onData = (bytes: Buffer): void => this.#cutter.push(bytes);
  readonly #onClose = (_hadError: boolean, reason: Error | undefined): void =>
    this.#fail?.(reason ?? new ProtocolError(`${this.socket.remote} closed the connection before TLS`));

  constructor(private readonly socket: XmppSocket) {
    socket.on('data', this.#onData).on('close', this.#onClose);
  }

  async nextElement(): Promise<Piece> {
    for (;;) {
      const piece = this.#waiting.shift();
      if (piece) return piece;
      await new Promise<void>((resolve, reject) => {
        this.#wake = resolve;
        this.#fail = reject;
      });
    }
  }

  stop(): void {
    this.socket.off('data', this.#onData).off('close', this.#onClose);
  }
}

/** @param remote `xmpp://127.0.0.1:5347` */
function isLoopback(remote: string): boolean {
  const host = remote
    .replace(/^\w+:\/\//, '')
    .replace(/:\d+$/, '')
    .replace(/^\[|\]$/g, '');
  return isLoopbackAddress(host);
}

export function isLoopbackAddress(host: string): boolean {
  if (host === 'localhost' || host === '::1') return true;
  return ipVersion(host) === 4 && host.startsWith('127.');
}
