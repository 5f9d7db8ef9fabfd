/** Where datagrams of ICE go out and come in: a socket bound to one address, or a relay that stands for one. */
import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { TransportAddress } from './stun-message.js';

export interface DatagramPath {
  readonly address: TransportAddress;
  /** Errors are like loss: the next check tells. */
  send(datagram: Buffer, to: TransportAddress): void;
  onDatagram: (datagram: Buffer, from: TransportAddress) => void;
  /** What must be told a relay before it forwards anything to or from an address. */
  permit?(ip: string): Promise<void>;
  /** Makes the way through a relay shorter for the peer that was chosen. */
  bindChannel?(peer: TransportAddress): Promise<void>;
  close(): void;
}

/** Room for a burst of video while the process is busy. */
const RECEIVE_BUFFER_BYTES = 1 << 20;

/**
 * @param ip of this machine; a socket bound to it never sends from another one
 * @throws Error of the system when it cannot be bound
 */
export async function bindDatagramPath(ip: string): Promise<DatagramPath> {
  const isV6 = isIPv6(ip);
  const socket = createSocket({
    type: isV6 ? 'udp6' : 'udp4',
    // Addresses are literal here: no look-up, and no detour through the event loop for each packet.
    lookup: (host, _options, done) => done(null, host, isV6 ? 6 : 4),
  });
  await bind(socket, ip);
  try {
    socket.setRecvBufferSize(RECEIVE_BUFFER_BYTES);
  } catch {
    // The system gives what it gives.
  }
  return new SocketPath(socket, { ip, port: socket.address().port });
}

function bind(socket: Socket, ip: string): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.bind({ address: ip, port: 0 }, () => {
      socket.off('error', reject);
      resolve();
    });
  });
}

class SocketPath implements DatagramPath {
  onDatagram: DatagramPath['onDatagram'] = () => undefined;
  #isClosed = false;

  constructor(
    private readonly socket: Socket,
    readonly address: TransportAddress,
  ) {
    socket.on('message', (datagram, { address: ip, port }) =>
      this.onDatagram(datagram, { ip: ip.includes('%') ? ip.replace(/%.*$/, '') : ip, port }),
    );
    socket.on('error', () => undefined);
  }

  send(datagram: Buffer, to: TransportAddress): void {
    if (!this.#isClosed) this.socket.send(datagram, to.port, to.ip, () => undefined);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.socket.close();
  }
}
