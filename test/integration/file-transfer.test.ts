/** Files between two sessions on real servers. */
import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { inBandTransport } from '../../src/lib/bytestreams/in-band/in-band-transport.js';
import { socks5Transport } from '../../src/lib/bytestreams/socks5/socks5-transport.js';
import { Refusal, type DecideOffer } from '../../src/lib/file-transfer/receiving/incoming-file.js';
import {
  receiveFiles,
  type ReceiveFilesOptions,
} from '../../src/lib/file-transfer/receiving/receive-files.js';
import { sendFiles, type SendFilesOptions } from '../../src/lib/file-transfer/sending/send-files.js';
import type {
  FileSource,
  Method,
  TransferEvent,
  TransferResult,
} from '../../src/lib/file-transfer/transfer.js';
import type { JID } from '../../src/lib/jid/jid.js';
import type { Bytestream, JingleTransport } from '../../src/lib/jingle/transport.js';
import type { Session } from '../../src/lib/session/session.js';
import { xml } from '../../src/lib/xml/element.js';
import { MemorySink, memorySource } from '../support/memory-files.js';
import { MemoryTransport } from '../support/memory-transport.js';
import { connectAccount } from '../support/sandbox-session.js';
import { describeOnEachServer } from '../support/servers.js';

const content = randomBytes(200_000);
const timeoutMs = 10_000;

function send(
  session: Session,
  peer: JID,
  sources: FileSource[],
  options: Partial<SendFilesOptions> & { transports: readonly JingleTransport[] },
): Promise<TransferEvent[]> {
  return collect(sendFiles(session, peer, sources, { timeoutMs, acceptTimeoutMs: timeoutMs, ...options }));
}

/** Receives until `count` files have come to an end. */
async function receive(
  session: Session,
  count: number,
  accept: DecideOffer,
  options: Partial<ReceiveFilesOptions> & { transports: readonly JingleTransport[] },
): Promise<TransferEvent[]> {
  return collect(receiveFiles(session, { timeoutMs, accept, ...options }), count);
}

async function collect(events: AsyncIterable<TransferEvent>, count?: number): Promise<TransferEvent[]> {
  const list: TransferEvent[] = [];
  let ended = 0;
  for await (const event of events) {
    list.push(event);
    if (event.kind === 'done' || event.kind === 'failed') ended += 1;
    if (ended === count) break;
  }
  return list;
}

/** Connections that this makes are cut when so much has come. */
function cutAfter(bytes: number, transport: JingleTransport): JingleTransport {
  const cut = (bytestream: Bytestream): Bytestream => {
    const { stream } = bytestream;
    const read = stream.emit.bind(stream);
    let received = 0;
    stream.emit = (event: string | symbol, ...args: unknown[]): boolean => {
      if (event === 'data' && args[0] instanceof Buffer) {
        received += args[0].length;
        if (received > bytes) setImmediate(() => stream.destroy());
      }
      return read(event as string, ...args);
    };
    return bytestream;
  };
  return {
    ...transport,
    begin: (context) => {
      const negotiation = transport.begin(context);
      const connect = negotiation.connect.bind(negotiation);
      return Object.assign(negotiation, { connect: async () => cut(await connect()) });
    },
  };
}

const resultsOf = (events: TransferEvent[]): TransferResult[] =>
  events.flatMap((event) => (event.kind === 'done' ? [event.result] : []));
const errorsOf = (events: TransferEvent[]): string[] =>
  events.flatMap((event) => (event.kind === 'failed' ? [`${event.error.name}: ${event.error.message}`] : []));

describeOnEachServer('file transfer', (server) => {
  test.each<[string, () => JingleTransport[], Method]>([
    ['directly', () => [socks5Transport()], 'direct'],
    ['by the proxy', () => [socks5Transport({ direct: false })], 'proxy'],
    ['in-band', () => [inBandTransport()], 'in-band'],
    [
      'in-band where nothing else connects',
      () => [socks5Transport({ direct: false, proxies: false }), inBandTransport()],
      'in-band',
    ],
  ])('goes %s, and is verified', async (_name, transports, method) => {
    await using alice = await connectAccount(server.sandbox, 'alice');
    await using bob = await connectAccount(server.sandbox, 'bob');
    const sink = new MemorySink();
    const receiving = receive(bob, 1, () => Promise.resolve(sink), { transports: transports() });
    const sent = await send(alice, bob.jid, [memorySource(content)], { transports: transports() });
    expect(errorsOf(sent)).toEqual([]);
    expect(resultsOf(sent)[0]).toMatchObject({ certainty: 'verified', method });
    expect(resultsOf(await receiving)[0]).toMatchObject({ certainty: 'verified', method });
    expect(sink.content.equals(content)).toBe(true);
  });

  test('goes on in-band where another path broke, in the same session', async () => {
    await using alice = await connectAccount(server.sandbox, 'alice');
    await using bob = await connectAccount(server.sandbox, 'bob');
    const memory = new MemoryTransport({ plan: [{ cutAfter: 120_000 }, 'fails'] });
    const transports = [memory, inBandTransport()];
    const sink = new MemorySink();
    const offers: unknown[] = [];
    const accept: DecideOffer = (offer) => {
      offers.push(offer);
      return Promise.resolve(sink);
    };
    const receiving = receive(bob, 1, accept, { transports });
    const sent = await send(alice, bob.jid, [memorySource(content)], { transports });
    expect(errorsOf(sent)).toEqual([]);
    expect(resultsOf(sent)[0]).toMatchObject({ certainty: 'verified', method: 'in-band' });
    expect(resultsOf(await receiving)[0]).toMatchObject({ certainty: 'verified', method: 'in-band' });
    expect(memory.writtenBytes).toBe(120_000);
    expect(sink.content.equals(content)).toBe(true);
    expect(offers).toHaveLength(1);
  });

  test('goes on where direct connections are cut, by whatever comes next', async () => {
    await using alice = await connectAccount(server.sandbox, 'alice');
    await using bob = await connectAccount(server.sandbox, 'bob');
    const large = randomBytes(4_000_000);
    const sink = new MemorySink();
    const receiving = receive(bob, 1, () => Promise.resolve(sink), {
      transports: [cutAfter(500_000, socks5Transport()), inBandTransport()],
    });
    const sent = await send(alice, bob.jid, [memorySource(large)], {
      transports: [socks5Transport(), inBandTransport()],
    });
    expect(errorsOf(sent)).toEqual([]);
    const methods = sent.flatMap((event) => (event.kind === 'transport' ? [event.method] : []));
    // A path that has carried something is tried again.
    expect(methods.slice(0, 2)).toEqual(['direct', 'direct']);
    expect(resultsOf(sent)[0]).toMatchObject({ certainty: 'verified', resumedFromBytes: 0 });
    expect(resultsOf(await receiving)[0]).toMatchObject({ certainty: 'verified' });
    expect(sink.content.equals(large)).toBe(true);
  });

  test('takes many small files in one session', async () => {
    await using alice = await connectAccount(server.sandbox, 'alice');
    await using bob = await connectAccount(server.sandbox, 'bob');
    const transports = [inBandTransport()];
    const sources = Array.from({ length: 60 }, (_, index) =>
      memorySource(randomBytes(index * 20), { name: `f${index}` }),
    );
    const sids = new Set<unknown>();
    using _seen = bob.handle({ name: 'iq', child: { namespace: 'urn:xmpp:jingle:1' } }, (iq) => {
      sids.add(iq.getChild('jingle')?.attrs['sid']);
    });
    const receiving = receive(bob, 60, () => Promise.resolve(new MemorySink()), { transports });
    const sent = await send(alice, bob.jid, sources, { transports });
    expect(errorsOf(sent)).toEqual([]);
    expect(resultsOf(sent).map(({ certainty }) => certainty)).toEqual(sources.map(() => 'verified'));
    expect(resultsOf(await receiving)).toHaveLength(60);
    expect(sids.size).toBe(1);
  });

  test('tells apart who declines, who takes no files, and who is not there', async () => {
    await using alice = await connectAccount(server.sandbox, 'alice');
    await using bob = await connectAccount(server.sandbox, 'bob');
    const transports = [inBandTransport()];
    const sources = [memorySource(content)];
    expect(errorsOf(await send(alice, bob.jid, sources, { transports }))[0]).toMatch(/^CannotReceiveError/);
    const nobody = bob.jid.bare.withResource('nobody');
    expect(errorsOf(await send(alice, nobody, sources, { transports }))[0]).toMatch(/^CannotReceiveError/);
    const receiving = receiveFiles(bob, {
      timeoutMs,
      transports,
      accept: () => Promise.resolve(new Refusal('decline', 'not today')),
    });
    expect(errorsOf(await send(alice, bob.jid, sources, { transports }))).toEqual([
      `NegativeError: ${bob.jid.toString()} declined the file (not today)`,
    ]);
    await receiving.return?.();
  });

  test.each([
    ['is asked', 'seen'],
    ['receives', 'not seen'],
  ])('to somebody who goes away while he %s ends soon: he is %s', async (phase) => {
    await using alice = await connectAccount(server.sandbox, 'alice');
    await using bob = await connectAccount(server.sandbox, 'bob');
    if (phase === 'is asked') await bob.send(xml('presence', { to: alice.jid.toString() }));
    const transports = [inBandTransport()];
    const accept: DecideOffer = async () => {
      if (phase === 'receives') return new MemorySink();
      void bob.close();
      return new Promise(() => undefined);
    };
    const receiving = receiveFiles(bob, { transports, timeoutMs, accept });
    const patience = { acceptTimeoutMs: 600_000, timeoutMs: 600_000 };
    const sources = [memorySource(randomBytes(4_000_000))];
    const sending = send(alice, bob.jid, sources, { transports, ...patience });
    for await (const event of receiving) {
      if (event.kind === 'progress' && event.confirmedBytes > 0) await bob.close();
      if (event.kind === 'failed') break;
    }
    expect(errorsOf(await sending)).toEqual([`CannotReceiveError: ${bob.jid.toString()} has gone away`]);
  });

  test('to somebody who goes away in the middle loses nothing, and goes on when they are back', async () => {
    await using alice = await connectAccount(server.sandbox, 'alice');
    const transports = [inBandTransport()];
    const first = new MemorySink();
    {
      await using bob = await connectAccount(server.sandbox, 'bob');
      const receiving = receiveFiles(bob, { transports, timeoutMs, accept: () => Promise.resolve(first) });
      const sending = send(alice, bob.jid, [memorySource(content)], { transports, timeoutMs: 3000 });
      for await (const event of receiving) {
        if (event.kind === 'progress' && first.offset > 20_000) await bob.close();
        if (event.kind === 'failed') break;
      }
      expect(errorsOf(await sending)).toHaveLength(1);
    }
    expect(first.state).toBe('suspended');
    expect(first.offset).toBeGreaterThan(20_000);
    await using bob = await connectAccount(server.sandbox, 'bob');
    const second = new MemorySink(first.content);
    const receiving = receive(bob, 1, () => Promise.resolve(second), { transports });
    const sent = await send(alice, bob.jid, [memorySource(content)], { transports });
    expect(resultsOf(sent)[0]).toMatchObject({ certainty: 'verified', resumedFromBytes: first.offset });
    expect(resultsOf(await receiving)[0]).toMatchObject({ certainty: 'verified' });
    expect(second.content.equals(content)).toBe(true);
  });
});
