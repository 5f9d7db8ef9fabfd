/**
 * One connection to an XMPP server, whatever carries it: TCP with STARTTLS, direct TLS, or a WebSocket.
 *
 * It is an EventEmitter in the shape that @xmpp/connection expects of a socket.
 */
import { EventEmitter } from 'node:events';
import type { ConnectionTrace } from '../../trace/events.js';
import type { TlsOptions } from '../options.js';
import type { Endpoint, EndpointOptions } from './endpoints.js';

export interface SocketParameters extends EndpointOptions {
  /** The JID's domain, in Unicode or A-labels: the name that a certificate must have. */
  domain: string;
  tls?: TlsOptions | undefined;
  clientCertificate?: { cert: string; key: string; passphrase?: string } | undefined;
  trace?: ConnectionTrace | undefined;
  warn?: ((message: string) => void) | undefined;
  /** Endpoints found earlier, instead of looking for them. */
  endpoints?: readonly Endpoint[];
  /** Look for a WebSocket over HTTPS (XEP-0156) when every TCP endpoint failed; true unless given. */
  useHostMeta?: boolean;
  /** Milliseconds before the next address is tried beside the last (RFC 8305); 250 unless given. */
  attemptDelayMs?: number;
}

/** What TLS came to. */
export interface TlsInfo {
  /** `TLSv1.3` */
  version: string;
  cipher: string;
  alpn: string | undefined;
  /** Upper-case hex with colons, of the server's certificate. */
  fingerprintSha256: string;
  subjectNames: readonly string[];
  /** ISO 8601 */
  validTo: string;
  /** False with --insecure when verification failed. */
  isVerified: boolean;
}

export type ChannelBindingType = 'tls-exporter' | 'tls-server-end-point' | 'tls-unique';

export interface SocketEvents {
  connect: [];
  /** Bytes as they came (a WebSocket: the UTF-8 of one text message). Give them to `StreamParser.write`. */
  data: [Buffer];
  /** An XmppctlError. Always followed by `close`, except when `connect` failed. */
  error: [Error];
  /** hadError as in node:net; reason is the error, if any. */
  close: [hadError: boolean, reason: Error | undefined];
}

export class XmppSocket extends EventEmitter<SocketEvents> {
  /** TLS is on (or `wss:`). */
  get secure(): boolean {
    throw new Error('being written');
  }

  /** The endpoint that answered, after `connect`. */
  get endpoint(): Endpoint | undefined {
    throw new Error('being written');
  }

  /** `<stream:stream>` or `<open/>` (RFC 7395). */
  get framing(): 'stream' | 'websocket' {
    throw new Error('being written');
  }

  /** As in `ConnectionInfo.endpoint`: `xmpps://[::1]:5223`, with the address that answered. */
  get remote(): string {
    throw new Error('being written');
  }

  get tls(): TlsInfo | undefined {
    throw new Error('being written');
  }

  /** Finds endpoints and tries them in order; ends in one `connect` or one `error`. */
  connect(_parameters: SocketParameters): void {
    throw new Error('being written');
  }

  /** The same as a promise: resolves when connected (STARTTLS not yet done). Nothing is emitted as `error` then. */
  open(_parameters: SocketParameters): Promise<void> {
    throw new Error('being written');
  }

  /**
   * Upgrades a `tcp` connection, right after `<proceed/>` was parsed. Bytes that came behind `<proceed/>` in plain
   * are an attack (response injection) and end in a TlsError. Afterwards the stream has to be restarted with a new parser.
   *
   * @throws TlsError @throws TimeoutError
   */
  startTls(): Promise<void> {
    throw new Error('being written');
  }

  /** Channel binding data, or undefined where this connection has none of that type. */
  channelBinding(_type: ChannelBindingType): Buffer | undefined {
    throw new Error('being written');
  }

  /** The callback runs when the operating system took the bytes, or with the error. */
  write(_data: string | Uint8Array, _done?: (error?: Error | null) => void): boolean {
    throw new Error('being written');
  }

  /** Stops reading from the network, and goes on. */
  pause(): this {
    throw new Error('being written');
  }

  resume(): this {
    throw new Error('being written');
  }

  /** Closes politely (TLS close_notify and FIN, or a WebSocket close); `close` follows. */
  end(): void {
    throw new Error('being written');
  }

  /** Closes at once; with an error, `error` is emitted before `close`. */
  destroy(_error?: Error): void {
    throw new Error('being written');
  }
}
