/**
 * The little of SOCKS version 5 (RFC 1928) that bytestreams use: no authentication, CONNECT to a domain that is a
 * SHA-1 hash, port 0 (XEP-0065 §5.3.2). Both ends read exactly their messages: what follows is the stream's.
 */
import type { Socket } from 'node:net';
import { RemoteError } from '../../errors.js';

const VERSION = 5;
const NO_AUTHENTICATION = 0;
const NO_ACCEPTABLE_METHOD = 0xff;
const CONNECT = 1;
const IPV4 = 1;
const DOMAIN = 3;
const IPV6 = 4;

export const Reply = { succeeded: 0, notAllowed: 2, commandUnknown: 7, addressUnknown: 8 } as const;

/** What is there speaks SOCKS5, or not, and does not let us through. */
export class Socks5Error extends RemoteError {
  override readonly name = 'Socks5Error';
}

/**
 * Asks for a stream. The socket is left paused, with everything behind the handshake unread.
 * @throws Socks5Error refused, or no SOCKS5 @throws Error the socket's own
 */
export async function requestStream(socket: Socket, destination: string): Promise<void> {
  socket.write(Buffer.from([VERSION, 1, NO_AUTHENTICATION]));
  const [version, method] = await readExactly(socket, 2);
  if (version !== VERSION) throw new Socks5Error('it does not speak SOCKS5');
  if (method !== NO_AUTHENTICATION) throw new Socks5Error('it wants a password');
  socket.write(connectMessage(CONNECT, destination));
  const [, reply] = await readHeader(socket);
  if (reply !== Reply.succeeded)
    throw new Socks5Error(`it refused the stream (SOCKS5 reply ${String(reply)})`);
}

/**
 * The other end: reads which stream is asked for. Answer with `grantStream` or `refuseStream`.
 * @throws Socks5Error no SOCKS5, or nothing that we do; the answer has been written where there is one
 */
export async function readStreamRequest(socket: Socket): Promise<string> {
  const [version, count] = await readExactly(socket, 2);
  if (version !== VERSION || !count) throw new Socks5Error('a connection that is not SOCKS5');
  const methods = await readExactly(socket, count);
  if (!methods.includes(NO_AUTHENTICATION)) {
    socket.write(Buffer.from([VERSION, NO_ACCEPTABLE_METHOD]));
    throw new Socks5Error('a SOCKS5 client that wants to authenticate');
  }
  socket.write(Buffer.from([VERSION, NO_AUTHENTICATION]));
  const [again, command, , kind] = await readExactly(socket, 4);
  if (again !== VERSION) throw new Socks5Error('a connection that is not SOCKS5');
  if (command !== CONNECT || kind !== DOMAIN) {
    refuseStream(socket, command === CONNECT ? Reply.addressUnknown : Reply.commandUnknown);
    throw new Socks5Error('a SOCKS5 client that wants something else');
  }
  const [length = 0] = await readExactly(socket, 1);
  const rest = await readExactly(socket, length + 2);
  return rest.subarray(0, length).toString('latin1').toLowerCase();
}

/** COMPAT(Libervia 0.9): it takes no other address in the answer than the hash itself. */
export function grantStream(socket: Socket, destination: string): void {
  socket.write(connectMessage(Reply.succeeded, destination));
}

export function refuseStream(socket: Socket, reply: number = Reply.notAllowed): void {
  socket.write(connectMessage(reply, ''));
}

function connectMessage(second: number, destination: string): Buffer {
  return Buffer.concat([
    Buffer.from([VERSION, second, 0, DOMAIN, destination.length]),
    Buffer.from(destination, 'latin1'),
    Buffer.from([0, 0]),
  ]);
}

/** Reads a whole answer, whatever kind of address it has. */
async function readHeader(socket: Socket): Promise<Buffer> {
  const header = await readExactly(socket, 4);
  const [version, , , kind] = header;
  if (version !== VERSION) throw new Socks5Error('it does not speak SOCKS5');
  const lengths: Readonly<Record<number, number>> = { [IPV4]: 4, [IPV6]: 16 };
  let length = lengths[kind ?? 0];
  if (kind === DOMAIN) [length] = await readExactly(socket, 1);
  if (length === undefined) throw new Socks5Error('it does not speak SOCKS5');
  await readExactly(socket, length + 2);
  return header;
}

/** The next `size` bytes and no more: the rest stays in the socket. */
function readExactly(socket: Socket, size: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const read = (): boolean => {
      const data = socket.read(size) as Buffer | null;
      if (data?.length !== size) return false;
      end();
      resolve(data);
      return true;
    };
    const onError = (error: Error): void => {
      end();
      reject(error);
    };
    const onEnd = (): void => {
      end();
      reject(new Socks5Error('it closed the connection in the middle of the SOCKS5 handshake'));
    };
    const onReadable = (): void => void read();
    const end = (): void => {
      socket.off('readable', onReadable).off('error', onError).off('end', onEnd).off('close', onEnd);
    };
    socket.on('error', onError).on('end', onEnd).on('close', onEnd);
    if (read()) return;
    socket.on('readable', onReadable);
  });
}
