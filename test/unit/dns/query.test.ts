/** Questions and answers over real sockets on loopback. */
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { DnsError } from '../../../src/lib/errors.js';
import { DnsClient, type DnsExchange } from '../../../src/lib/dns/query.js';
import type { DnsServer } from '../../../src/lib/dns/servers.js';
import { rdata } from '../../support/dns-signer.js';
import { record, Type } from '../../support/dns-world.js';
import { listenOnLoopback } from '../../support/loopback.js';
import {
  encodeReply,
  FLAG_AD,
  FLAG_RA,
  FLAG_TC,
  startScriptedDns,
  type DnsScript,
} from '../../support/scripted-dns.js';

const NAME = 'host.test';
const address = record(NAME, Type.A, rdata.a('192.0.2.1'));
const forged = record(NAME, Type.A, rdata.a('203.0.113.66'));

function makeClient(
  servers: readonly DnsServer[],
  options: { timeoutMs?: number; retries?: number; signal?: AbortSignal } = {},
): { client: DnsClient; exchanges: DnsExchange[] } {
  const exchanges: DnsExchange[] = [];
  const client = new DnsClient({
    servers,
    timeoutMs: 5000,
    retries: 0,
    onExchange: (exchange) => exchanges.push(exchange),
    ...options,
  });
  return { client, exchanges };
}

async function ask(script: DnsScript, timeoutMs = 5000): Promise<Awaited<ReturnType<DnsClient['query']>>> {
  await using server = await startScriptedDns(script);
  return await makeClient([server], { timeoutMs }).client.query(NAME, 'A');
}

describe('a question', () => {
  it('is answered with records and flags', async () => {
    await using server = await startScriptedDns(() => ({ flags: FLAG_RA | FLAG_AD, answers: [address] }));
    const { client, exchanges } = makeClient([server]);
    expect(await client.query('HOST.test.', 'A')).toEqual({
      rcode: 'NOERROR',
      flags: { aa: false, tc: false, ra: true, ad: true },
      hasEdns: true,
      answers: [address],
      authorities: [],
      additionals: [],
      server,
      elapsedMs: expect.any(Number) as number,
    });
    expect(exchanges).toEqual([
      {
        name: NAME,
        type: 'A',
        server,
        transport: 'udp',
        elapsedMs: expect.any(Number) as number,
        outcome: 'NOERROR',
      },
    ]);
  });

  it('asks for signatures, and for data that is not checked only if told to', async () => {
    await using server = await startScriptedDns(() => ({}));
    const { client } = makeClient([server]);
    await client.query(NAME, 'A');
    await client.query(NAME, 'A', { checkingDisabled: true });
    expect(server.questions).toMatchObject([
      { wantsSignatures: true, isCheckingDisabled: false },
      { wantsSignatures: true, isCheckingDisabled: true },
    ]);
  });

  it('has another id and another port each time', async () => {
    await using server = await startScriptedDns(() => ({}));
    const { client } = makeClient([server]);
    for (let round = 0; round < 8; round++) await client.query(NAME, 'A');
    expect(new Set(server.questions.map(({ id }) => id)).size).toBeGreaterThan(4);
    expect(new Set(server.questions.map(({ port }) => port)).size).toBeGreaterThan(1);
  });

  it('is not asked for names that no host has', async () => {
    const { client } = makeClient([]);
    await expect(client.query('a\\.b.test', 'A')).rejects.toThrow(DnsError);
    await expect(client.query('bücher.test', 'A')).rejects.toThrow(DnsError);
  });
});

describe('what is not the answer', () => {
  it('is ignored: another id, another name, another type, a question, rubbish', async () => {
    const result = await ask((question) => [
      encodeReply({ ...question, id: question.id ^ 1 }, { answers: [forged] }),
      encodeReply({ ...question, name: 'other.test' }, { answers: [forged] }),
      encodeReply({ ...question, type: Type.TXT }, { answers: [forged] }),
      question.bytes,
      Buffer.from('rubbish'),
      { answers: [address] },
    ]);
    expect(result.answers).toEqual([address]);
  });

  it('is ignored from another port', async () => {
    const stranger = createSocket('udp4');
    await using server = await startScriptedDns((question) => {
      // The real answer is sent when the forged one has left.
      stranger.send(encodeReply(question, { answers: [forged] }), question.port, '127.0.0.1');
      return question.transport === 'udp' && server.questions.length === 1 ? [] : { answers: [address] };
    });
    const { client } = makeClient([server], { timeoutMs: 200, retries: 1 });
    expect((await client.query(NAME, 'A')).answers).toEqual([address]);
    await new Promise<void>((resolve) => stranger.close(resolve));
  });

  it('is told when nothing else came', async () => {
    await expect(ask(() => [Buffer.from('rubbish')], 100)).rejects.toThrow(
      /^no resolver answered for A of host\.test: 127\.0\.0\.1:\d+ did not answer in time, but sent a broken answer/,
    );
  });
});

describe('an answer that does not fit', () => {
  it('is fetched by TCP', async () => {
    const many = Array.from({ length: 900 }, (_, index) =>
      record(NAME, Type.A, rdata.a(`10.0.${index >> 8}.${index & 255}`)),
    );
    await using server = await startScriptedDns(({ transport }) =>
      transport === 'udp' ? { flags: FLAG_RA | FLAG_TC } : { answers: many },
    );
    const { client, exchanges } = makeClient([server]);
    expect((await client.query(NAME, 'A')).answers).toEqual(many);
    expect(exchanges.map(({ transport, outcome }) => `${transport} ${outcome}`)).toEqual([
      'udp NOERROR',
      'tcp NOERROR',
    ]);
  });

  it('is refused when it has more records than any honest one', async () => {
    const many = Array.from({ length: 2000 }, () => address);
    await expect(
      ask(({ transport }) => (transport === 'udp' ? { flags: FLAG_TC } : { answers: many })),
    ).rejects.toThrow(/sent a broken answer \(a DNS message holds more than 1000 records\)$/);
  });

  it('claims records that are not there, and is refused', async () => {
    await expect(
      ask((question) => {
        if (question.transport === 'udp') return { flags: FLAG_TC };
        const bytes = encodeReply(question, { hasEdns: false });
        bytes.writeUInt16BE(999, 6);
        return [bytes];
      }),
    ).rejects.toThrow(/a DNS message ends/);
  });

  it('is cut off by a server that closes the connection', async () => {
    const tcp = createServer((socket) => socket.end(Buffer.from('ffff00', 'hex')));
    await using listening = await listenOnLoopback(tcp);
    const udp = createSocket('udp4');
    udp.on('message', (bytes, { port }) => {
      const question = { id: bytes.readUInt16BE(), name: NAME, type: Type.A };
      udp.send(encodeReply(question, { flags: FLAG_TC }), port, '127.0.0.1');
    });
    await new Promise<void>((resolve) => udp.bind(listening.port, '127.0.0.1', resolve));
    const { client } = makeClient([{ address: '127.0.0.1', port: listening.port }]);
    await expect(client.query(NAME, 'A')).rejects.toThrow(/closed the connection without an answer$/);
    await new Promise<void>((resolve) => udp.close(resolve));
  });
});

describe('several servers', () => {
  it.each([
    ['SERVFAIL', { rcode: 2 }],
    ['REFUSED', { rcode: 5 }],
    ['silence', []],
  ] as const)('are asked one after the other after %s', async (_, first) => {
    await using bad = await startScriptedDns(() => first);
    await using good = await startScriptedDns(() => ({ answers: [address] }));
    const { client } = makeClient([bad, good], { timeoutMs: 300 });
    expect(await client.query(NAME, 'A')).toMatchObject({ server: good, answers: [address] });
  });

  it('that all fail give the first failure', async () => {
    await using one = await startScriptedDns(() => ({ rcode: 5 }));
    await using two = await startScriptedDns(() => ({ rcode: 2 }));
    const { client, exchanges } = makeClient([one, two], { retries: 3 });
    expect(await client.query(NAME, 'A')).toMatchObject({ server: one, rcode: 'REFUSED' });
    expect(exchanges).toHaveLength(2);
  });

  it('that are silent are asked again', async () => {
    await using server = await startScriptedDns(() => (server.questions.length < 3 ? [] : {}));
    const { client } = makeClient([server], { timeoutMs: 100, retries: 2 });
    expect(await client.query(NAME, 'A')).toMatchObject({ rcode: 'NOERROR' });
    expect(server.questions).toHaveLength(3);
  });

  it('where nobody listens are not waited for', async () => {
    const listening = await listenOnLoopback(createServer());
    await listening[Symbol.asyncDispose]();
    const { client } = makeClient([{ address: '127.0.0.1', port: listening.port }], { timeoutMs: 60_000 });
    await expect(client.query(NAME, 'A')).rejects.toThrow(
      `no resolver answered for A of host.test: 127.0.0.1:${listening.port} refused the connection`,
    );
  });

  it('are given up when the work is stopped', async () => {
    const stop = new AbortController();
    await using server = await startScriptedDns(() => {
      stop.abort(new Error('stopped'));
      return [];
    });
    const { client } = makeClient([server], { timeoutMs: 60_000, signal: stop.signal });
    await expect(client.query(NAME, 'A')).rejects.toThrow('stopped');
    await expect(client.query(NAME, 'A')).rejects.toThrow('stopped');
    expect(server.questions).toHaveLength(1);
  });
});
