import type { Socket } from 'node:net';
import type { Bytestream } from '../../jingle/transport.js';

/** Before a connection on which nothing moves is asked whether it is still there. */
const KEEP_ALIVE_MS = 30_000;

/** A connected socket as whoever moves bytes wants it. What the SOCKS5 handshake took does not count. */
export function socketBytestream(socket: Socket, method: 'direct' | 'proxy', path: string): Bytestream {
  // A party that is switched off says nothing, and a router forgets a connection while the other side verifies.
  socket.setKeepAlive(true, KEEP_ALIVE_MS);
  const before = socket.bytesWritten;
  return {
    stream: socket,
    method,
    path,
    confirmedBytes: () => Math.max(0, socket.bytesWritten - socket.writableLength - before),
  };
}
