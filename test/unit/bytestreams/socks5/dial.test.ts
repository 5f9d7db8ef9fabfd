import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Candidate } from '../../../../src/lib/bytestreams/socks5/candidates.js';
import { dial, dialFirst, type DialOptions } from '../../../../src/lib/bytestreams/socks5/dial.js';
import { grantStream, readStreamRequest } from '../../../../src/lib/bytestreams/socks5/handshake.js';
import { listenOnLoopback } from '../../../support/loopback.js';

const hash = 'a'.repeat(40);

async function serve(onConnection: (socket: Socket) => void, host = '127.0.0.1'): Promise<number> {
  const listening = await listenOnLoopback(createServer(onConnection), { host });
  onTestFinished(() => listening[Symbol.asyncDispose]());
  return listening.port;
}

/** A server that lets everybody in, and says its name. */
function greeting(name: string): (socket: Socket) => void {
  return (socket) =>
    void readStreamRequest(socket).then((destination) => {
      grantStream(socket, destination);
      socket.end(name);
    });
}

const candidate = (port: number, priority: number, over: Partial<Candidate> = {}): Candidate => ({
  cid: String(port),
  host: '127.0.0.1',
  jid: 'romeo@montague.lit/orchard',
  port,
  priority,
  type: 'direct',
  ...over,
});

function options(over: Partial<DialOptions> = {}): DialOptions & { notes: string[] } {
  const notes: string[] = [];
  return {
    destinationsOf: () => [hash],
    signal: new AbortController().signal,
    mayReachLoopback: true,
    floor: () => 0,
    note: (fact) => notes.push(fact),
    notes,
    ...over,
  };
}

describe('trying what is offered', () => {
  it('is not held up by one that says nothing, and lets go of it', async () => {
    const letGo: Promise<unknown>[] = [];
    const silent = await serve((socket) => letGo.push(once(socket.resume(), 'close')));
    const working = await serve(greeting('second'));
    const dialed = await dialFirst([candidate(silent, 2), candidate(working, 1)], options());
    expect(dialed?.candidate.port).toBe(working);
    expect(dialed && (await text(dialed.socket))).toBe('second');
    expect(letGo).toHaveLength(1);
    await letGo[0];
    dialed?.socket.destroy();
  });

  it('does not begin with what is worse than what the other party has found', async () => {
    let connections = 0;
    const port = await serve(() => (connections += 1));
    const tried = options({ floor: () => 5 });
    expect(await dialFirst([candidate(port, 4)], tried)).toBeUndefined();
    expect(connections).toBe(0);
  });

  it('ends at once when it is told to', async () => {
    const ending = new AbortController();
    const port = await serve(() => ending.abort());
    const tried = options({ signal: ending.signal });
    expect(await dialFirst([candidate(port, 2), candidate(port, 1)], tried)).toBeUndefined();
    expect(tried.notes).toEqual([]);
  });

  it('says of each why it failed, of many without a word of warning from Node', async () => {
    const warnings: Error[] = [];
    const listener = (warning: Error): void => void warnings.push(warning);
    process.on('warning', listener);
    onTestFinished(() => void process.off('warning', listener));
    const port = await serve((socket) => socket.end('220 mail.example.org ESMTP\r\n'));
    const many = Array.from({ length: 20 }, (_, index) => candidate(port, 20 - index));
    const tried = options();
    expect(await dialFirst(many, tried)).toBeUndefined();
    expect(tried.notes).toEqual(many.map(() => `127.0.0.1:${port}: it does not speak SOCKS5`));
    expect(warnings).toEqual([]);
  });

  it('asks for the next where one is refused by closing the connection', async () => {
    const asked: string[] = [];
    const port = await serve((socket) => {
      void readStreamRequest(socket).then((destination) => {
        asked.push(destination);
        if (destination === hash) socket.resetAndDestroy();
        else greeted(socket, destination);
      });
    });
    const greeted = (socket: Socket, destination: string): void => {
      grantStream(socket, destination);
      socket.end('welcome');
    };
    const { signal } = new AbortController();
    const socket = await dial({ host: '127.0.0.1', port }, [hash, 'b'.repeat(40)], {
      signal,
      mayReachLoopback: true,
    });
    expect(await text(socket)).toBe('welcome');
    expect(asked).toEqual([hash, 'b'.repeat(40)]);
    socket.destroy();
  });

  it('finds a name by either family', async () => {
    const { signal } = new AbortController();
    // Which of them `localhost` has is a matter of the machine.
    for (const { address } of await lookup('localhost', { all: true })) {
      const port = await serve(greeting(address), address);
      const socket = await dial({ host: 'localhost', port }, [hash], { signal, mayReachLoopback: true });
      expect(await text(socket)).toBe(address);
      socket.destroy();
    }
  });

  it('gives one candidate a limited time, whatever it is asked for', async () => {
    const port = await serve(() => undefined);
    const { signal } = new AbortController();
    await expect(
      dial({ host: '127.0.0.1', port }, [hash, 'b'.repeat(40)], {
        signal,
        mayReachLoopback: true,
        timeoutMs: 20,
      }),
    ).rejects.toThrow('no answer within 0.02 s');
  });
});
