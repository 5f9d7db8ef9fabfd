/** How messages get to a TURN server: datagrams, or a TCP stream that is cut into them (RFC 8656 §3.7). */
import { connect, type Socket } from 'node:net';
import { bindDatagramPath } from './datagram-path.js';
import type { TransportAddress } from './stun-message.js';

export interface TurnWire {
  send(message: Buffer): void;
  onMessage: (message: Buffer) => void;
  /** What must be added to ChannelData to end at a multiple of this (RFC 8656 §12.5). */
  readonly alignment: 1 | 4;
  close(): void;
}

const CONNECT_TIMEOUT_MS = 5_000;
/** A server that sends more than this without a whole message in it is no TURN server. */
const MAX_BUFFERED_BYTES = 1 << 17;

/** @throws Error of the system */
export async function openUdpWire(server: TransportAddress, localIp: string): Promise<TurnWire> {
  const path = await bindDatagramPath(localIp);
  const wire: TurnWire = {
    alignment: 1,
    send: (message) => path.send(message, server),
    onMessage: () => undefined,
    close: () => path.close(),
  };
  path.onDatagram = (datagram, from) => {
    if (from.port === server.port && from.ip === server.ip) wire.onMessage(datagram);
  };
  return wire;
}

/** @throws Error of the system, or that it took too long */
export async function openTcpWire(server: TransportAddress, localIp: string | undefined): Promise<TurnWire> {
  const socket = connect({
    host: server.ip,
    port: server.port,
    ...(localIp === undefined ? {} : { localAddress: localIp }),
  });
  await connected(socket);
  socket.setNoDelay(true);
  socket.on('error', () => socket.destroy());
  const wire: TurnWire = {
    alignment: 4,
    // A stream that does not flow is like a network that loses: sound that comes late is of no use.
    send: (message) => {
      if (socket.writableLength < MAX_BUFFERED_BYTES) socket.write(message);
    },
    onMessage: () => undefined,
    close: () => socket.destroy(),
  };
  let rest: Buffer = Buffer.alloc(0);
  socket.on('data', (chunk) => {
    rest = cutMessages(rest.length === 0 ? chunk : Buffer.concat([rest, chunk]), (message) =>
      wire.onMessage(message),
    );
    if (rest.length > MAX_BUFFERED_BYTES) socket.destroy();
  });
  return wire;
}

function connected(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.setTimeout(CONNECT_TIMEOUT_MS, () => socket.destroy(new Error('no connection in time')));
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.setTimeout(0);
      socket.off('error', reject);
      resolve();
    });
  });
}

/** @returns what is left */
export function cutMessages(bytes: Buffer, take: (message: Buffer) => void): Buffer {
  let at = 0;
  while (bytes.length - at >= 4) {
    const isChannelData = bytes.readUInt8(at) >= 0x40;
    const sizeBytes = bytes.readUInt16BE(at + 2) + (isChannelData ? 4 : 20);
    const padded = isChannelData ? Math.ceil(sizeBytes / 4) * 4 : sizeBytes;
    if (bytes.length - at < padded) break;
    take(bytes.subarray(at, at + sizeBytes));
    at += padded;
  }
  return Buffer.from(bytes.subarray(at));
}
