/**
 * The @xmpp/client connection underneath a stream: its state machine for opening, restarting and closing, with our
 * socket and parser put in through its seam (`transports`).
 *
 * The client is put together from @xmpp/client-core, not by the `client()` factory: that one brings a resolver that
 * checks certificates against the wrong name, a STARTTLS that a man in the middle can strip, an IQ layer that takes a
 * reply from anybody, and a middleware that throws out of the socket's handler for a malformed `from`. Each of these is
 * replaced by a module of this folder, and the order of negotiation is written down as plain code (`negotiate.ts`)
 * where time-outs and errors have one place.
 */
import { Client } from '@xmpp/client-core';
import Connection from '@xmpp/connection';
import { xml, type Element } from '../xml/element.js';
import { StreamParser } from '../xml/stream-parser.js';
import { NS_CLIENT, NS_FRAMING, NS_STREAMS, type NS_COMPONENT } from './namespaces.js';
import { XmppSocket, type SocketParameters } from './transport/socket.js';

export type StreamNamespace = typeof NS_CLIENT | typeof NS_COMPONENT;

/** What happens on a stream. Exactly one listener, so that no error can go unheard. */
export interface StreamListener {
  onElement(element: Element): void;
  /** The transport failed, or what came is not XML. */
  onError(error: Error): void;
  /** `</stream:stream>` */
  onStreamEnd(): void;
  onSocketClosed(reason: Error | undefined): void;
}

/** What @xmpp/connection has and its types leave out. */
interface Internals {
  _attachParser(parser: StreamParser): void;
  _detachParser(): void;
}

export class StreamClient extends Client {
  bytesReceived = 0;
  declare socket: (XmppSocket & Connection['socket']) | null;
  readonly #namespace: StreamNamespace;
  readonly #listener: StreamListener;
  /** Our bare address, told to the server once the stream is secure (RFC 6120 §4.7.1). */
  readonly #from: string | undefined;

  constructor(
    parameters: SocketParameters,
    { namespace, from }: { namespace: StreamNamespace; from: string | undefined },
    listener: StreamListener,
  ) {
    super({ domain: parameters.domain });
    // Its own time-outs (2 s, and a timer that outlives the stream) are off; every step has one of ours.
    this.timeout = 0;
    this.#namespace = namespace;
    this.#from = from;
    this.#listener = listener;
    this.transports.unshift(transportFor(parameters));
    this.on('error', (error: Error) => listener.onError(error));
    this.on('close', () => listener.onStreamEnd());
    this.on('disconnect', ({ reason }: { reason?: unknown }) => {
      listener.onSocketClosed(reason instanceof Error ? reason : undefined);
    });
  }

  /** Called by @xmpp/connection; its own decodes UTF-8 chunk by chunk, and fails when the parser has gone. */
  _onData(data: Uint8Array): void {
    this.bytesReceived += data.byteLength;
    (this.parser as unknown as StreamParser | null)?.write(data);
  }

  /** Called by @xmpp/connection; its own follows any `see-other-host` and finds conditions by position. */
  _onElement(element: Element): void {
    this.#listener.onElement(element);
  }

  /** Called by @xmpp/connection when the parser gave up; `onError` follows and says goodbye. */
  _streamError(): void {
    // Nothing to do here.
  }

  /** Opens the first stream, or a new one on the same connection. Resolves with the server's header. */
  async openStream(): Promise<Element> {
    const internals = this as unknown as Internals;
    internals._detachParser();
    const isFramed = this.socket?.framing === 'websocket';
    this.Parser = class extends StreamParser {
      constructor() {
        super({ framing: isFramed ? 'websocket' : 'stream' });
      }
    } as unknown as typeof this.Parser;
    return this.open({ domain: this.options.domain ?? '' });
  }

  override headerElement(): Element {
    const isFramed = this.socket?.framing === 'websocket';
    return xml(isFramed ? 'open' : 'stream:stream', {
      xmlns: isFramed ? NS_FRAMING : this.#namespace,
      ...(!isFramed && { 'xmlns:stream': NS_STREAMS }),
      // XEP-0114 knows no version: it would announce features.
      ...(this.#namespace === NS_CLIENT && { version: '1.0' }),
      ...(this.socket?.secure === true && this.#from !== undefined && { from: this.#from }),
    });
  }

  override header(element: Element): string {
    const text = element.toString();
    return this.socket?.framing === 'websocket' ? text : `<?xml version='1.0'?>${text.slice(0, -2)}>`;
  }

  /** What ends the stream. */
  footerText(): string {
    return this.socket?.framing === 'websocket' ? `<close xmlns="${NS_FRAMING}"/>` : '</stream:stream>';
  }
}

/** A transport in the sense of @xmpp/client-core: a class whose prototype is asked for everything. */
function transportFor(parameters: SocketParameters): typeof Connection {
  class Transport extends Connection {
    override socketParameters(): SocketParameters {
      return parameters;
    }
    override headerElement(): Element {
      return xml('stream:stream');
    }
  }
  Object.assign(Transport.prototype, { Socket: XmppSocket, Parser: StreamParser });
  return Transport;
}
