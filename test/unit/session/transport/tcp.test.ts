import { createServer, connect, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { ConnectError, DnsError, InterruptedError, TimeoutError } from '../../../../src/lib/errors.js';
import { connectTcp, interleaveFamilies } from '../../../../src/lib/session/transport/tcp.js';
import { a, aaaa, startFakeDns } from '../../../support/fake-dns.js';
import { listenOnLoopback } from '../../../support/loopback.js';

const timeoutMs = 10_000;

/** Listens on ::1 and accepts nobody: once its queue is full, the system drops what else wants to connect. */
async function startBlackHole(): Promise<{ port: number } & AsyncDisposable> {
  const worker = new Worker(
    `const { parentPort } = require('node:worker_threads');
     const server = require('node:net').createServer();
     server.listen({ host: '::1', port: 0, backlog: 1 }, () => {
       parentPort.postMessage(server.address().port);
       Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
     });`,
    { eval: true },
  );
  const [port] = (await once(worker, 'message')) as [number];
  const fillers: Socket[] = [];
  for (let filler = 0; filler < 2; filler++) {
    const socket = connect({ host: '::1', port });
    socket.on('error', () => undefined);
    fillers.push(socket);
    await once(socket, 'connect');
  }
  return {
    port,
    [Symbol.asyncDispose]: async () => {
      for (const socket of fillers) socket.destroy();
      await worker.terminate();
    },
  };
}

describe('connectTcp', () => {
  it('takes turns between the families, beginning with the first', () => {
    const v6 = ['::1', '::2', '::3'].map((address) => ({ address, family: 6 as const }));
    const v4 = ['1.1.1.1'].map((address) => ({ address, family: 4 as const }));
    expect(interleaveFamilies([...v6, ...v4]).map(({ address }) => address)).toEqual([
      '::1',
      '1.1.1.1',
      '::2',
      '::3',
    ]);
    expect(interleaveFamilies([...v4, ...v6]).map(({ address }) => address)).toEqual([
      '1.1.1.1',
      '::1',
      '::2',
      '::3',
    ]);
  });

  it('connects over IPv6', async () => {
    await using server = await listenOnLoopback(createServer(), { host: '::1' });
    const socket = await connectTcp('::1', server.port, { timeoutMs });
    expect(socket.remoteAddress).toBe('::1');
    socket.destroy();
  });

  it('goes on to the next address when one refuses', async () => {
    await using server = await listenOnLoopback(createServer());
    const socket = await connectTcp('localhost', server.port, { timeoutMs, attemptDelayMs: 60_000 });
    expect(socket.remoteAddress).toBe('127.0.0.1');
    socket.destroy();
  });

  it('tries the next address beside one that does not answer', async () => {
    await using hole = await startBlackHole();
    await using _server = await listenOnLoopback(createServer(), { port: hole.port });
    await using dns = await startFakeDns({
      'AAAA example.org': [aaaa('example.org', '::1')],
      'A example.org': [a('example.org', '127.0.0.1')],
    });
    const socket = await connectTcp('example.org', hole.port, {
      dnsServers: [dns.server],
      timeoutMs,
      attemptDelayMs: 1,
    });
    expect(socket.remoteAddress).toBe('127.0.0.1');
    socket.destroy();
  });

  it('says what each address answered', async () => {
    await using dns = await startFakeDns({
      'AAAA example.org': [aaaa('example.org', '::1')],
      'A example.org': [a('example.org', '127.0.0.1')],
    });
    const closed = await listenOnLoopback(createServer());
    await closed[Symbol.asyncDispose]();
    const connecting = connectTcp('example.org', closed.port, { dnsServers: [dns.server], timeoutMs });
    await expect(connecting).rejects.toThrow(ConnectError);
    await expect(connecting).rejects.toThrow(
      `could not connect: ECONNREFUSED [::1]:${closed.port}, ECONNREFUSED 127.0.0.1:${closed.port}`,
    );
  });

  it('gives up on a host that does not answer', async () => {
    await using hole = await startBlackHole();
    const connecting = connectTcp('::1', hole.port, { timeoutMs: 50 });
    await expect(connecting).rejects.toThrow(TimeoutError);
    await expect(connecting).rejects.toThrow(`[::1]:${hole.port}`);
  });

  it('stops when it is told to', async () => {
    await using hole = await startBlackHole();
    const abort = new AbortController();
    const connecting = connectTcp('::1', hole.port, { timeoutMs, signal: abort.signal });
    setImmediate(() => abort.abort());
    await expect(connecting).rejects.toThrow(InterruptedError);
  });

  it('says that a host does not exist, or has no address', async () => {
    await using dns = await startFakeDns({ 'TXT empty.example': [] });
    const options = { dnsServers: [dns.server], timeoutMs };
    await expect(connectTcp('nowhere.example', 5222, options)).rejects.toThrow(DnsError);
    await expect(connectTcp('nowhere.example', 5222, options)).rejects.toThrow(
      'there is no host nowhere.example',
    );
    await expect(connectTcp('empty.example', 5222, options)).rejects.toThrow('empty.example has no address');
  });

  it('reports each attempt to the trace', async () => {
    await using server = await listenOnLoopback(createServer());
    const events: unknown[] = [];
    const trace = {
      data: () => undefined,
      event: (name: string, detail: object) => events.push({ name, ...detail }),
    };
    const socket = await connectTcp('localhost', server.port, { timeoutMs, trace });
    socket.destroy();
    expect(events).toEqual([
      { name: 'tcp', address: '::1', port: server.port, family: 6, error: 'ECONNREFUSED' },
      { name: 'tcp', address: '127.0.0.1', port: server.port, family: 4 },
    ]);
  });
});
