import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  grantStream,
  readStreamRequest,
  refuseStream,
  requestStream,
} from '../../../../src/lib/bytestreams/socks5/handshake.js';

const hash = 'a'.repeat(40);

/** Both ends of a connection over loopback. */
async function pair(): Promise<[Socket, Socket]> {
  const server = createServer({ allowHalfOpen: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect({
    port: (server.address() as AddressInfo).port,
    host: '127.0.0.1',
    allowHalfOpen: true,
  });
  const [[accepted]] = (await Promise.all([once(server, 'connection'), once(client, 'connect')])) as [
    [Socket],
    unknown,
  ];
  server.close();
  for (const socket of [client, accepted]) socket.on('error', () => undefined).setNoDelay(true);
  return [client, accepted];
}

/** Writes what is given in pieces of these sizes, each in a packet of its own as far as that can be said. */
async function writeInPieces(socket: Socket, data: Buffer, sizes: readonly number[]): Promise<void> {
  let offset = 0;
  for (const size of [...sizes, data.length]) {
    socket.write(data.subarray(offset, offset + size));
    offset += size;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('the SOCKS5 handshake', () => {
  it('asks, is granted, and leaves every byte behind it to the stream', async () => {
    const [client, server] = await pair();
    const asked = requestStream(client, hash);
    expect(await readStreamRequest(server)).toBe(hash);
    grantStream(server, hash);
    server.end('the first bytes');
    await asked;
    client.end('and back');
    expect((await buffer(client)).toString()).toBe('the first bytes');
    expect((await buffer(server)).toString()).toBe('and back');
  });

  it('is the bytes that XEP-0065 and RFC 1928 say', async () => {
    const [client, server] = await pair();
    const asked = requestStream(client, hash);
    const greeting = (await once(server, 'data')) as [Buffer];
    expect(greeting[0]).toEqual(Buffer.from([5, 1, 0]));
    server.write(Buffer.from([5, 0]));
    const request = (await once(server, 'data')) as [Buffer];
    expect(request[0]).toEqual(
      Buffer.concat([Buffer.from([5, 1, 0, 3, 40]), Buffer.from(hash), Buffer.from([0, 0])]),
    );
    // With an address of the proxy's own, as some answer.
    server.write(Buffer.from([5, 0, 0, 1, 127, 0, 0, 1, 4, 56]));
    await asked;
    client.destroy();
    server.destroy();
  });

  it('understands a server however its bytes are cut', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 12 }), async (sizes) => {
        const [client, server] = await pair();
        const asked = requestStream(client, hash);
        const answers = Buffer.concat([
          Buffer.from([5, 0]),
          Buffer.from([5, 0, 0, 3, 40]),
          Buffer.from(hash),
          Buffer.from([0, 0]),
          Buffer.from('payload'),
        ]);
        await writeInPieces(server, answers, sizes);
        server.end();
        await asked;
        expect((await buffer(client)).toString()).toBe('payload');
        client.destroy();
        server.destroy();
      }),
      { numRuns: 30 },
    );
  });

  it('understands a client however its bytes are cut', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 12 }), async (sizes) => {
        const [client, server] = await pair();
        const read = readStreamRequest(server);
        const request = Buffer.concat([
          Buffer.from([5, 2, 2, 0]),
          Buffer.from([5, 1, 0, 3, 40]),
          Buffer.from(hash.toUpperCase()),
          Buffer.from([0, 0]),
          Buffer.from('payload'),
        ]);
        await writeInPieces(client, request, sizes);
        client.end();
        expect(await read).toBe(hash);
        expect((await buffer(server)).toString()).toBe('payload');
        client.destroy();
        server.destroy();
      }),
      { numRuns: 30 },
    );
  });

  it.each([
    ['something else', Buffer.from('HTTP/1.1 400 Bad Request\r\n')],
    ['a wish for a password', Buffer.from([5, 2])],
    ['no method at all', Buffer.from([5, 0xff])],
    ['a refusal', Buffer.from([5, 0, 5, 2, 0, 3, 0, 0, 0])],
    ['an unknown kind of address', Buffer.from([5, 0, 5, 0, 0, 9, 0, 0, 0])],
    ['an end in the middle', Buffer.from([5, 0, 5, 0])],
  ])('a server that answers with %s is an error', async (_, answer) => {
    const [client, server] = await pair();
    server.end(answer);
    await expect(requestStream(client, hash)).rejects.toMatchObject({ name: 'Socks5Error' });
    client.destroy();
    server.destroy();
  });

  it.each([
    ['not SOCKS5', Buffer.from('GET / HTTP/1.1\r\n'), []],
    ['SOCKS4', Buffer.from([4, 1, 0, 80, 0, 0, 0, 1, 0]), []],
    ['authentication only', Buffer.from([5, 1, 2]), [5, 0xff]],
    [
      'an address instead of a hash',
      Buffer.from([5, 1, 0, 5, 1, 0, 1, 127, 0, 0, 1, 0, 80]),
      [5, 0, 5, 8, 0, 3, 0, 0, 0],
    ],
    ['BIND', Buffer.from([5, 1, 0, 5, 2, 0, 3, 1, 65, 0, 0]), [5, 0, 5, 7, 0, 3, 0, 0, 0]],
  ])('a client that wants %s is refused', async (_, request, answer) => {
    const [client, server] = await pair();
    client.end(request);
    await expect(readStreamRequest(server)).rejects.toMatchObject({ name: 'Socks5Error' });
    server.end();
    expect([...(await buffer(client))]).toEqual(answer);
    server.destroy();
  });

  it('refuses in words that a client understands', async () => {
    const [client, server] = await pair();
    const asked = requestStream(client, hash);
    await readStreamRequest(server);
    refuseStream(server);
    await expect(asked).rejects.toThrow('it refused the stream (SOCKS5 reply 2)');
    client.destroy();
    server.destroy();
  });
});
