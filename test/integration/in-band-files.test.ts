/** Whole files over nothing but the stream of the server: Jingle between us, stream initiation with slixmpp. */
import { randomBytes } from 'node:crypto';
import { expect, it, onTestFinished } from 'vitest';
import { inBandTransport } from '../../src/lib/bytestreams/in-band/in-band-transport.js';
import { receiveFiles } from '../../src/lib/file-transfer/receiving/receive-files.js';
import { sendFiles } from '../../src/lib/file-transfer/sending/send-files.js';
import {
  inBandMethod,
  socks5Method,
  streamInitiationOffers,
} from '../../src/lib/file-transfer/receiving/stream-initiation.js';
import type { FileSink, TransferEvent, TransferResult } from '../../src/lib/file-transfer/transfer.js';
import type { Session } from '../../src/lib/session/session.js';
import { MemorySink, memorySource } from '../support/memory-files.js';
import { connectAccount } from '../support/sandbox-session.js';
import { describeOnEachServer, type ServerUnderTest } from '../support/servers.js';
import { startSlixmpp } from '../support/slixmpp-peer.js';
import { startTcpProxy } from '../support/tcp-proxy.js';

const MiB = 1024 * 1024;
const timeoutMs = 20_000;

async function connectAs(server: ServerUnderTest, name: string, service?: string): Promise<Session> {
  const session = await connectAccount(server.sandbox, name, { ...(service && { service }) });
  onTestFinished(() => session.close());
  return session;
}

/** The end of the first transfer. */
async function resultOf(events: AsyncIterable<TransferEvent>): Promise<TransferResult> {
  for await (const event of events) {
    if (event.kind === 'done') return event.result;
    if (event.kind === 'failed') throw event.error;
  }
  throw new Error('the transfer has no end');
}

function receiveInto(session: Session, sink: FileSink): AsyncIterableIterator<TransferEvent> {
  return receiveFiles(session, {
    transports: [inBandTransport()],
    sources: [streamInitiationOffers(session, { methods: [socks5Method, inBandMethod], timeoutMs })],
    accept: () => Promise.resolve(sink),
    timeoutMs,
  });
}

describeOnEachServer('files in-band', (server) => {
  it.each([
    ['of known size', true],
    ['from a pipe', false],
  ])('are sent and verified, %s', async (_, isSeekable) => {
    const [alice, bob] = [await connectAs(server, 'alice'), await connectAs(server, 'bob')];
    const content = randomBytes(2 * MiB);
    const sink = new MemorySink();
    const received = resultOf(receiveInto(bob, sink));
    const sent = resultOf(
      sendFiles(alice, bob.jid, [memorySource(content, {}, { isSeekable })], {
        transports: [inBandTransport()],
        timeoutMs,
        acceptTimeoutMs: timeoutMs,
      }),
    );
    const expected = { method: 'in-band', sizeBytes: content.length, certainty: 'verified' };
    expect(await sent).toMatchObject(expected);
    expect(await received).toMatchObject(expected);
    expect(sink.content.equals(content)).toBe(true);
    expect(sink.state).toBe('committed');
  });

  it('keep what has arrived when the connection of the sender is cut', async () => {
    await using proxy = await startTcpProxy({ host: '127.0.0.1', port: server.sandbox.ports.c2s });
    const alice = await connectAs(server, 'alice', `xmpp://127.0.0.1:${proxy.port}`);
    const bob = await connectAs(server, 'bob');
    const sink = new MemorySink();
    const content = randomBytes(20 * MiB);
    const received = resultOf(
      receiveFiles(bob, {
        transports: [inBandTransport()],
        accept: () => Promise.resolve(sink),
        timeoutMs: 1000,
      }),
    );
    received.catch(() => undefined);
    const sent = sendFiles(alice, bob.jid, [memorySource(content)], {
      transports: [inBandTransport()],
      timeoutMs,
      acceptTimeoutMs: timeoutMs,
    });
    for await (const event of sent) {
      if (event.kind === 'progress' && event.confirmedBytes > 0) proxy.cut();
      if (event.kind === 'done') throw new Error('it was not cut');
    }
    await expect(received).rejects.toThrow();
    expect(sink.state).toBe('suspended');
    expect(sink.offset).toBeGreaterThan(0);
    expect(content.subarray(0, sink.offset).equals(sink.content)).toBe(true);
  });

  it.each([
    ['http://jabber.org/protocol/ibb', 'in-band'],
    ['http://jabber.org/protocol/bytestreams', 'proxy'],
  ])(
    'come from slixmpp by stream initiation and %s, from where an earlier run stopped',
    async (namespace, method) => {
      const bob = await connectAs(server, 'bob');
      const content = randomBytes(MiB / 4);
      const sink = new MemorySink(content.subarray(0, 1000));
      const received = resultOf(receiveInto(bob, sink));
      const peer = await startSlixmpp(
        server.sandbox,
        'alice',
        ['si-send', bob.jid.toString(), 'old.bin', String(content.length), namespace, 'ranged'],
        content,
      );
      expect(await received).toMatchObject({
        name: 'old.bin',
        method,
        certainty: 'unverified',
        sizeBytes: content.length,
        resumedFromBytes: 1000,
      });
      expect(sink.content.equals(content)).toBe(true);
      expect((await peer.ended).code).toBe(0);
    },
  );
});
