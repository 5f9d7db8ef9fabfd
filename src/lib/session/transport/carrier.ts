/**
 * What carries the bytes of a stream: a TCP or TLS connection here, a WebSocket in `websocket.ts`.
 */
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { channelBindingData, type ChannelBindingType } from './channel-binding.js';
import { describeTls, type TlsInfo } from './tls.js';

export interface CarrierListener {
  onData: (bytes: Buffer) => void;
  /** The carrier wrote something of its own accord. */
  onOwnWrite: (bytes: Buffer) => void;
  onError: (error: Error) => void;
  /** Nothing follows it. */
  onClose: (hadError: boolean) => void;
}

export interface Carrier {
  readonly isSecure: boolean;
  readonly tls: TlsInfo | undefined;
  listen(listener: CarrierListener): void;
  channelBinding(type: ChannelBindingType): Buffer | undefined;
  /** Returns false when more should wait for the callback. */
  write(data: string | Uint8Array, done?: (error?: Error | null) => void): boolean;
  pause(): void;
  resume(): void;
  end(): void;
  destroy(): void;
}

export class StreamCarrier implements Carrier {
  readonly isSecure: boolean;
  readonly tls: TlsInfo | undefined;
  readonly #socket: Socket;
  #listener: CarrierListener | undefined;
  #lastWriteWasHeader = false;
  #isAcknowledging = false;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.isSecure = socket instanceof TLSSocket;
    this.tls = socket instanceof TLSSocket ? describeTls(socket) : undefined;
  }

  listen(listener: CarrierListener): void {
    this.#listener = listener;
    const { onData, onError, onClose } = listener;
    this.#socket.on('data', onData).on('error', onError).on('close', onClose);
    if (this.isSecure) this.#socket.on('session', () => this.#acknowledgeTickets());
  }

  /** Takes the plain socket out, for STARTTLS. */
  release(): Socket {
    if (this.#listener) {
      const { onData, onError, onClose } = this.#listener;
      this.#socket.off('data', onData).off('error', onError).off('close', onClose);
    }
    return this.#socket;
  }

  channelBinding(type: ChannelBindingType): Buffer | undefined {
    return this.#socket instanceof TLSSocket ? channelBindingData(this.#socket, type) : undefined;
  }

  write(data: string | Uint8Array, done?: (error?: Error | null) => void): boolean {
    this.#lastWriteWasHeader = typeof data === 'string' && data.startsWith('<?xml') && data.endsWith('>');
    return this.#socket.write(data, done);
  }

  /**
   * A TLS 1.3 server sends session tickets before anything else. One that leaves Nagle's algorithm on (COMPAT(prosody
   * 0.12): its default) then holds back its answer until the tickets are acknowledged, which the operating system does
   * 40 ms later, unless there is something to send. White space is: behind the stream header and before what
   * follows it, where no negotiation has begun that forbids it (RFC 6120 §5.3.3, §6.3.5).
   */
  #acknowledgeTickets(): void {
    if (this.#isAcknowledging) return;
    this.#isAcknowledging = true;
    // Never inside the event: OpenSSL is in the middle of reading then, and the record would be broken.
    setImmediate(() => {
      this.#isAcknowledging = false;
      if (!this.#lastWriteWasHeader || !this.#socket.writable) return;
      const space = Buffer.from(' ');
      this.#listener?.onOwnWrite(space);
      this.#socket.write(space);
    });
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }
}
