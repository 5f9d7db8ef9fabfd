/** Whole files by SOCKS5: directly and through the proxies of real servers. */
import { randomBytes } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { expect, it, onTestFinished } from 'vitest';
import { inBandTransport } from '../../src/lib/bytestreams/in-band/in-band-transport.js';
import { socks5Transport } from '../../src/lib/bytestreams/socks5/socks5-transport.js';
import { receiveFiles } from '../../src/lib/file-transfer/receiving/receive-files.js';
import { sendFiles } from '../../src/lib/file-transfer/sending/send-files.js';
import type { FileSource, TransferEvent } from '../../src/lib/file-transfer/transfer.js';
import type { JingleTransport, TransportNegotiation } from '../../src/lib/jingle/transport.js';
import type { Session } from '../../src/lib/session/session.js';
import { startFakeProxy } from '../support/fake-proxy.js';
import { MemorySink, memorySource } from '../support/memory-files.js';
import { connectAccount } from '../support/sandbox-session.js';
import { describeOnEachServer, type ServerUnderTest } from '../support/servers.js';

const MiB = 1024 * 1024;
const timeoutMs = 20_000;

async function connectBoth(server: ServerUnderTest): Promise<[Session, Session]> {
  const both = await Promise.all([
    connectAccount(server.sandbox, 'alice'),
    connectAccount(server.sandbox, 'bob'),
  ]);
  onTestFinished(async () => {
    for (const session of both) await session.close();
  });
  return both;
}

interface Way {
  /** Each party has its own, as it has a process of its own. */
  transports: () => readonly JingleTransport[];
  /** Of the sender. */
  timeoutMs?: number;
  onEvent?: (event: TransferEvent) => void;
}

/** Sends one file to its end on both sides. @returns what the sender was told, and what the receiver has */
async function transfer(
  [alice, bob]: readonly [Session, Session],
  source: FileSource,
  { transports, onEvent, ...way }: Way,
): Promise<{ events: TransferEvent[]; sink: MemorySink }> {
  const sink = new MemorySink();
  const received = (async () => {
    for await (const event of receiveFiles(bob, {
      transports: transports(),
      accept: () => Promise.resolve(sink),
      timeoutMs,
    })) {
      if (event.kind === 'done') return event.result;
      if (event.kind === 'failed') throw event.error;
    }
    throw new Error('the transfer has no end');
  })();
  const events: TransferEvent[] = [];
  for await (const event of sendFiles(alice, bob.jid, [source], {
    transports: transports(),
    acceptTimeoutMs: timeoutMs,
    timeoutMs: way.timeoutMs ?? timeoutMs,
  })) {
    if (event.kind === 'failed') throw event.error;
    events.push(event);
    onEvent?.(event);
  }
  expect(await received).toMatchObject({ certainty: 'verified' });
  return { events, sink };
}

const methodsOf = (events: readonly TransferEvent[]): string[] =>
  events.flatMap((event) => (event.kind === 'transport' ? [event.method] : []));

/** The same transport, with its connections put into a list. */
function watched(transport: JingleTransport, sockets: Duplex[]): JingleTransport {
  const begin: JingleTransport['begin'] = (context) => {
    const negotiation = transport.begin(context);
    const connect: TransportNegotiation['connect'] = async () => {
      const bytestream = await negotiation.connect();
      sockets.push(bytestream.stream);
      return bytestream;
    };
    return new Proxy(negotiation, {
      get: (target, key) => {
        if (key === 'connect') return connect;
        const value: unknown = Reflect.get(target, key, target);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
  };
  return { ...transport, begin };
}

describeOnEachServer('files by SOCKS5', (server) => {
  it.each([
    ['direct', 'of known size', 3 * MiB],
    ['direct', 'from a pipe', 3 * MiB],
    ['direct', 'of known size', 0],
    ['proxy', 'of known size', 3 * MiB],
    ['proxy', 'from a pipe', 3 * MiB],
    ['proxy', 'of known size', 0],
  ] as const)('%s: arrive and are verified, %s, %i bytes', async (method, kind, size) => {
    const sessions = await connectBoth(server);
    const content = randomBytes(size);
    const source = memorySource(content, {}, { isSeekable: kind === 'of known size' });
    const transports = () => [socks5Transport({ direct: method === 'direct' })];
    const { events, sink } = await transfer(sessions, source, { transports });
    expect(events.at(-1)).toMatchObject({ kind: 'done', result: { method, certainty: 'verified' } });
    // By one path: nothing is sent again.
    expect(methodsOf(events)).toEqual([method]);
    expect(sink.content.equals(content)).toBe(true);
    expect(sink.state).toBe('committed');
  });

  it.each(['direct', 'proxy'] as const)(
    '%s: go on in the same session when the connection breaks',
    async (method) => {
      const sessions = await connectBoth(server);
      const content = randomBytes(24 * MiB);
      const sockets: Duplex[] = [];
      let hasBroken = false;
      const { events, sink } = await transfer(sessions, memorySource(content), {
        transports: () => [
          watched(socks5Transport({ direct: method === 'direct' }), sockets),
          inBandTransport(),
        ],
        onEvent: (event) => {
          if (hasBroken || event.kind !== 'progress' || event.confirmedBytes === 0) return;
          hasBroken = true;
          for (const socket of sockets) socket.destroy(new Error('cut'));
        },
      });
      expect(hasBroken).toBe(true);
      expect(methodsOf(events)).toEqual([method, method]);
      expect(sink.content.equals(content)).toBe(true);
    },
  );

  it.each([
    ['passes nothing on', 50_000],
    // More than the systems' buffers hold.
    ['stops in the middle', 50_000],
    ['stops in the middle', 12 * MiB],
  ] as const)(
    'go on in-band in the same session, at the byte, where the proxy %s: %i bytes',
    async (fault, size) => {
      const [alice, bob] = await connectBoth(server);
      await using proxy = await startFakeProxy(server.sandbox, fault);
      const content = randomBytes(size);
      const asked: unknown[] = [];
      using _answers = alice.handle({ name: 'iq' }, (iq) => {
        const jingle = iq.getChild('jingle');
        if (jingle?.attrs['action'] !== 'transport-accept') return;
        const file = jingle.getChild('content')?.getChild('description')?.getChild('file');
        asked.push(Number(file?.getChild('range')?.attrs['offset']));
      });
      const transports = () => [socks5Transport({ direct: false }), inBandTransport()];
      const { events, sink } = await transfer(
        [proxy.knownTo(alice), proxy.knownTo(bob)],
        memorySource(content),
        { transports, timeoutMs: 4000 },
      );
      expect(methodsOf(events)).toEqual(['proxy', 'in-band']);
      expect(sink.content.equals(content)).toBe(true);
      expect(asked).toEqual([fault === 'stops in the middle' ? 30_000 : 0]);
    },
  );

  it.each(['refuses the connection', 'cannot be activated', 'never answers the activation'] as const)(
    'go in-band in the same session where the proxy %s',
    async (fault) => {
      const [alice, bob] = await connectBoth(server);
      await using proxy = await startFakeProxy(server.sandbox, fault);
      const content = randomBytes(50_000);
      const transports = () => [socks5Transport({ direct: false }), inBandTransport()];
      const { events, sink } = await transfer(
        [proxy.knownTo(alice), proxy.knownTo(bob)],
        memorySource(content),
        {
          transports,
          timeoutMs: 2000,
        },
      );
      expect(methodsOf(events)).toEqual(['in-band']);
      expect(sink.content.equals(content)).toBe(true);
    },
  );
});
