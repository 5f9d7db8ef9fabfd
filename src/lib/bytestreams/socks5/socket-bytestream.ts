import type { Socket } from 'node:net';
import type { Bytestream } from '../../jingle/transport.js';

/** A connected socket as whoever moves bytes wants it. What the SOCKS5 handshake took does not count. */
export function socketBytestream(socket: Socket, method: 'direct' | 'proxy', path: string): Bytestream {
  const before = socket.bytesWritten;
  return {
    stream: socket,
    method,
    path,
    confirmedBytes: () => Math.max(0, socket.bytesWritten - socket.writableLength - before),
  };
}
