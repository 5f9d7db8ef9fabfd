/**
 * What the tracer records: the bytes that crossed a connection, and what happened to the connection.
 *
 * The session emits these; `tracer.ts` numbers and times them, redacts them and hands them to the sinks.
 * The file format (NDJSON) is documented in xmppctl-trace(5).
 */

export type Direction = 'in' | 'out';

/** Something that happened to the transport or to the stream. `name` says what; the rest are its facts. */
export interface LifecycleEvent {
  name:
    | 'dns' // query, answers or error
    | 'tcp' // address, port, family; or error
    | 'tls' // serverName, version, cipher, alpn, certificate, isVerified; or error
    | 'websocket' // url
    | 'stream' // a stream header was opened: id, from
    | 'sasl' // mechanism, channelBinding, outcome
    | 'bind' // jid
    | 'sm' // what: enabled | resumed | failed, counters
    | 'reconnect' // attempt, delayMs
    | 'close' // clean, reason
    | 'proxy' // what a proxy did: TLS with the client, a fault, a rule
    | 'error'; // message
  detail: Readonly<Record<string, unknown>>;
}

/** Where one connection reports what it sees. A reconnect opens a new one. */
export interface ConnectionTrace {
  /** Bytes exactly as read from, or written to, the innermost secure layer (inside TLS, inside WebSocket frames). */
  data(dir: Direction, bytes: Uint8Array): void;
  event(name: LifecycleEvent['name'], detail: LifecycleEvent['detail']): void;
}

export interface Tracer {
  /** @param label what the connection is, for example `c2s alice@example.org` */
  connection(label: string): ConnectionTrace;
  /** Waits until everything recorded has reached the sinks. */
  close(): Promise<void>;
}
