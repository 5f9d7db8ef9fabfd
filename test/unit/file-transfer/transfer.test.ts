import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { ConnectionLostError } from '../../../src/lib/errors.js';
import {
  Refusal,
  type DecideOffer,
  type FileOffer,
} from '../../../src/lib/file-transfer/receiving/incoming-file.js';
import {
  receiveFiles,
  type ReceiveFilesOptions,
} from '../../../src/lib/file-transfer/receiving/receive-files.js';
import { sendFiles, type SendFilesOptions } from '../../../src/lib/file-transfer/sending/send-files.js';
import type { FileSource, TransferEvent, TransferResult } from '../../../src/lib/file-transfer/transfer.js';
import { asSession, linkStreams, type LinkedStream } from '../../support/linked-streams.js';
import { MemorySink, memorySource } from '../../support/memory-files.js';
import { MemoryTransport } from '../../support/memory-transport.js';

interface Setup {
  sources: Iterable<FileSource>;
  /** What the receiver has before each offer. */
  sinks?: MemorySink[];
  decide?: DecideOffer;
  transports?: MemoryTransport[];
  send?: Partial<SendFilesOptions>;
  receive?: Partial<ReceiveFilesOptions>;
  /** Called when the streams are there. */
  prepare?: (streams: [LinkedStream, LinkedStream]) => void;
  timeoutMs?: number;
}

interface Outcome {
  sent: TransferEvent[];
  received: TransferEvent[];
  sinks: MemorySink[];
  offers: FileOffer[];
  streams: [LinkedStream, LinkedStream];
}

/** Sends files between two sides in memory, until the sender is through. */
async function transfer(setup: Setup): Promise<Outcome> {
  const streams = linkStreams();
  const [romeo, juliet] = streams;
  const transports = setup.transports ?? [new MemoryTransport()];
  const timeoutMs = setup.timeoutMs ?? 500;
  const sinks: MemorySink[] = [...(setup.sinks ?? [])];
  const offers: FileOffer[] = [];
  const accept: DecideOffer = (offer) => {
    offers.push(offer);
    if (setup.decide) {
      offers.pop();
      return setup.decide(offer);
    }
    const sink = sinks[offers.length - 1] ?? new MemorySink();
    sinks[offers.length - 1] = sink;
    return Promise.resolve(sink);
  };
  const receiving = receiveFiles(asSession(juliet), { transports, accept, timeoutMs, ...setup.receive });
  const received: TransferEvent[] = [];
  const reading = (async () => {
    for await (const event of receiving) received.push(event);
  })();
  setup.prepare?.(streams);
  const sent: TransferEvent[] = [];
  const options = { transports, timeoutMs, acceptTimeoutMs: timeoutMs, ...setup.send };
  for await (const event of sendFiles(asSession(romeo), juliet.jid, setup.sources, options)) sent.push(event);
  await settled(received, offers.length);
  await receiving.return?.();
  await reading.catch(() => undefined);
  return { sent, received, sinks, offers, streams };
}

/** The receiver may be a little behind the sender. */
async function settled(events: TransferEvent[], count: number): Promise<void> {
  const isEnd = ({ kind }: TransferEvent): boolean => kind === 'done' || kind === 'failed';
  for (let turn = 0; turn < 200 && events.filter(isEnd).length < count; turn += 1)
    await new Promise((resolve) => setTimeout(resolve, 5));
}

const resultsOf = (events: TransferEvent[]): TransferResult[] =>
  events.flatMap((event) => (event.kind === 'done' ? [event.result] : []));
const errorsOf = (events: TransferEvent[]): Error[] =>
  events.flatMap((event) => (event.kind === 'failed' ? [event.error] : []));
const actionsTo = (stream: LinkedStream): string[] =>
  stream.received.map((text) => /action="([^"]*)"/.exec(text)?.[1] ?? '');
const sha256 = (content: Buffer): Buffer => createHash('sha256').update(content).digest();

const content = randomBytes(300_000);

describe('a file that is sent and received', () => {
  it('arrives, is compared, stored, and only then confirmed', async () => {
    const { sent, received, sinks, offers, streams } = await transfer({
      sources: [memorySource(content, { name: 'a.bin', mediaType: 'text/plain' })],
    });
    expect(errorsOf([...sent, ...received])).toEqual([]);
    expect(sinks[0]?.content.equals(content)).toBe(true);
    expect(sinks[0]?.state).toBe('committed');
    expect(offers[0]).toMatchObject({
      file: {
        name: 'a.bin',
        sizeBytes: content.length,
        mediaType: 'text/plain',
        promisedHashes: ['sha-256'],
      },
      isResumable: true,
    });
    const facts = { certainty: 'verified', sizeBytes: content.length, method: 'direct', resumedFromBytes: 0 };
    expect(resultsOf(sent)[0]).toMatchObject(facts);
    expect(resultsOf(received)[0]).toMatchObject({ ...facts, storedAs: '/stored/file.bin' });
    expect(resultsOf(sent)[0]?.hashes).toEqual([{ algorithm: 'sha-256', value: sha256(content) }]);
    expect(sent.map(({ kind }) => kind).filter((kind) => kind !== 'progress')).toEqual([
      'offered',
      'accepted',
      'transport',
      'done',
    ]);
    expect(actionsTo(streams[0])).toEqual(['session-accept', 'session-info']);
    expect(actionsTo(streams[1])).toEqual(['session-initiate', 'session-info', 'session-terminate']);
  });

  it('may be empty', async () => {
    const { sent, sinks } = await transfer({ sources: [memorySource(Buffer.alloc(0))] });
    expect(errorsOf(sent)).toEqual([]);
    expect(resultsOf(sent)[0]).toMatchObject({ certainty: 'verified', sizeBytes: 0 });
    expect(sinks[0]?.state).toBe('committed');
  });

  it('may be a pipe, whose size nobody knows', async () => {
    const { sent, received, offers, sinks } = await transfer({
      sources: [memorySource(content, {}, { isSeekable: false })],
    });
    expect(offers[0]?.file.sizeBytes).toBeUndefined();
    expect(resultsOf(sent)[0]).toMatchObject({ certainty: 'verified', sizeBytes: content.length });
    expect(resultsOf(received)[0]).toMatchObject({ certainty: 'verified', sizeBytes: content.length });
    expect(sinks[0]?.content.equals(content)).toBe(true);
  });

  it('carries its hash in the checksum where it is known before', async () => {
    const hashes = [{ algorithm: 'sha-512' as const, value: createHash('sha512').update(content).digest() }];
    const { received } = await transfer({ sources: [memorySource(content, { hashes })] });
    expect(resultsOf(received)[0]).toMatchObject({ certainty: 'verified', hashes });
  });

  it('goes to somebody who has a part of it', async () => {
    const memory = new MemoryTransport();
    const { sent, received, sinks } = await transfer({
      sources: [memorySource(content)],
      sinks: [new MemorySink(content.subarray(0, 123_456))],
      transports: [memory],
    });
    expect(sinks[0]?.content.equals(content)).toBe(true);
    expect(memory.writtenBytes).toBe(content.length - 123_456);
    expect(resultsOf(sent)[0]).toMatchObject({ certainty: 'verified', resumedFromBytes: 123_456 });
    expect(resultsOf(received)[0]).toMatchObject({ certainty: 'verified', resumedFromBytes: 123_456 });
  });

  it('goes to somebody who has all of it', async () => {
    const { sent, sinks } = await transfer({
      sources: [memorySource(content)],
      sinks: [new MemorySink(content)],
    });
    expect(resultsOf(sent)[0]).toMatchObject({ certainty: 'verified', resumedFromBytes: content.length });
    expect(sinks[0]?.state).toBe('committed');
  });

  it('is not taken from somebody who has a part of something else', async () => {
    const { sent, received, sinks } = await transfer({
      sources: [memorySource(content)],
      sinks: [new MemorySink(randomBytes(1000))],
    });
    expect(sinks[0]?.state).toBe('discarded');
    expect(errorsOf(received)[0]?.message).toContain('hashes differ');
    expect(errorsOf(sent)[0]?.message).toContain('hashes differ');
  });
});

describe('several files', () => {
  it('share one session', async () => {
    const sources = Array.from({ length: 40 }, (_, index) =>
      memorySource(randomBytes(index * 10), { name: `${index}` }),
    );
    const { sent, received, sinks, streams } = await transfer({ sources });
    expect(errorsOf([...sent, ...received])).toEqual([]);
    expect(resultsOf(sent).map(({ certainty }) => certainty)).toEqual(sources.map(() => 'verified'));
    expect(sinks.map(({ state }) => state)).toEqual(sources.map(() => 'committed'));
    expect(actionsTo(streams[1]).filter((action) => action === 'session-initiate')).toHaveLength(1);
    expect(new Set(sent.map(({ id }) => id)).size).toBe(40);
  });

  it('go the shortest way when they are tiny, after the first', async () => {
    const usual = new MemoryTransport({ namespace: 'urn:example:usual' });
    const quick = Object.assign(new MemoryTransport({ namespace: 'urn:example:quick' }), {
      isQuickToOpen: true,
    });
    const sources = [10, 20, 9000].map((bytes) => memorySource(randomBytes(bytes)));
    const { sent } = await transfer({ sources, transports: [usual, quick] });
    expect(resultsOf(sent)).toHaveLength(3);
    expect([usual.attempts, quick.attempts]).toEqual([2, 1]);
  });

  it('do not stop because one of them is declined', async () => {
    const sources = ['a', 'b', 'c', 'd'].map((name) => memorySource(Buffer.from(name), { name }));
    const { sent } = await transfer({
      sources,
      decide: ({ file }) =>
        Promise.resolve(
          file.name === 'a' || file.name === 'c' ? new Refusal('decline', 'no room') : new MemorySink(),
        ),
    });
    expect(resultsOf(sent).map(({ name }) => name)).toEqual(['b', 'd']);
    expect(errorsOf(sent).map(({ name, message }) => `${name}: ${message}`)).toEqual([
      'NegativeError: juliet@capulet.example/b declined the file (no room)',
      'NegativeError: juliet@capulet.example/b declined the file (no room)',
    ]);
  });

  it('do not stop because one of them cannot be read', async () => {
    const good = memorySource(Buffer.from('good'), { name: 'good' });
    const small = memorySource(Buffer.from('short'), { name: 'small', sizeBytes: 10 });
    const large = memorySource(content, { name: 'large', sizeBytes: content.length - 1 });
    const { sent, received, offers } = await transfer({ sources: [good, small, good, large, good] });
    expect(resultsOf(sent)).toHaveLength(3);
    expect(errorsOf(sent).map(({ message }) => message)).toEqual([
      'small shrank while it was being sent',
      'large grew while it was being sent',
    ]);
    // What is small is read before anybody is asked.
    expect(offers.map(({ file }) => file.name)).toEqual(['good', 'good', 'large', 'good']);
    expect(errorsOf(received)).toHaveLength(1);
  });
});

describe('two parties', () => {
  it('send to each other at the same time, over the same connections', async () => {
    const streams = linkStreams();
    const transports = [new MemoryTransport()];
    const options = { transports, timeoutMs: 500, acceptTimeoutMs: 500 };
    const sinks: MemorySink[] = [];
    const accept: DecideOffer = () => {
      const sink = new MemorySink();
      sinks.push(sink);
      return Promise.resolve(sink);
    };
    const receiving = streams.map((stream) =>
      receiveFiles(asSession(stream), { transports, timeoutMs: 500, accept }),
    );
    const [romeo, juliet] = streams;
    const sending = [
      sendFiles(asSession(romeo), juliet.jid, [memorySource(content)], options),
      sendFiles(asSession(juliet), romeo.jid, [memorySource(content)], options),
      sendFiles(asSession(romeo), juliet.jid, [memorySource(Buffer.from('x'))], options),
    ].map(async (events) => {
      for await (const event of events) if (event.kind === 'done') return event.result.certainty;
      return undefined;
    });
    expect(await Promise.all(sending)).toEqual(['verified', 'verified', 'verified']);
    for (const events of receiving) await events.return?.();
    expect(sinks.map(({ state }) => state)).toEqual(['committed', 'committed', 'committed']);
  });
});

describe('a path that fails', () => {
  it('is replaced by the next transport, inside the same session', async () => {
    const first = new MemoryTransport({ namespace: 'urn:example:first', plan: ['fails'] });
    const second = new MemoryTransport({ namespace: 'urn:example:second', method: 'in-band' });
    const { sent, received, streams } = await transfer({
      sources: [memorySource(content)],
      transports: [first, second],
    });
    expect(resultsOf(sent)[0]).toMatchObject({ certainty: 'verified', method: 'in-band' });
    expect(resultsOf(received)[0]).toMatchObject({ certainty: 'verified', method: 'in-band' });
    expect(sent.find(({ kind }) => kind === 'transport')).toMatchObject({
      reason: 'no path over urn:example:first',
    });
    expect(actionsTo(streams[1])).toContain('transport-replace');
    expect(actionsTo(streams[0])).toContain('transport-accept');
  });

  it('breaks in the middle: the transfer goes on where the receiver is', async () => {
    const memory = new MemoryTransport({ plan: [{ cutAfter: 100_000 }, { endAfter: 50_000 }, 'ok'] });
    const { sent, received, sinks, streams } = await transfer({
      sources: [memorySource(content)],
      transports: [memory],
    });
    expect(errorsOf([...sent, ...received])).toEqual([]);
    expect(sinks[0]?.content.equals(content)).toBe(true);
    expect(memory.attempts).toBe(3);
    expect(memory.writtenBytes).toBe(content.length);
    expect(actionsTo(streams[1]).filter((action) => action === 'session-initiate')).toHaveLength(1);
  });

  it('breaks in the middle of a pipe: what was on its way is sent again from memory', async () => {
    const memory = new MemoryTransport({ plan: [{ cutAfter: 100_000 }, 'ok'] });
    const { sent, received, sinks } = await transfer({
      sources: [memorySource(content, {}, { isSeekable: false })],
      transports: [memory],
    });
    expect(errorsOf([...sent, ...received])).toEqual([]);
    expect(sinks[0]?.content.equals(content)).toBe(true);
  });

  it('leaves what arrived for the next run, when there is no other', async () => {
    const memory = new MemoryTransport({ plan: [{ cutAfter: 100_000 }, 'fails'] });
    const { sent, received, sinks } = await transfer({
      sources: [memorySource(content)],
      transports: [memory],
    });
    expect(errorsOf(sent)[0]?.name).toMatch(/TransportFailedError|BrokenPathError/);
    expect(errorsOf(received)).toHaveLength(1);
    expect(sinks[0]?.state).toBe('suspended');
    expect(sinks[0]?.content.equals(content.subarray(0, 100_000))).toBe(true);
  });

  it('may break anywhere, whatever the receiver has', async () => {
    const small = randomBytes(3000);
    await fc.assert(
      fc.asyncProperty(
        fc.nat(3000),
        fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 1, max: 1500 })), { maxLength: 3 }),
        fc.boolean(),
        async (kept, breaks, isSeekable) => {
          const plan = [
            ...breaks.map(([isCut, bytes]) => (isCut ? { cutAfter: bytes } : { endAfter: bytes })),
            'ok' as const,
          ];
          const { sent, received, sinks } = await transfer({
            sources: [memorySource(small, {}, { isSeekable, chunkBytes: 700 })],
            sinks: [new MemorySink(small.subarray(0, kept))],
            transports: [new MemoryTransport({ plan })],
          });
          expect(errorsOf([...sent, ...received])).toEqual([]);
          expect(sinks[0]?.content.equals(small)).toBe(true);
          expect(resultsOf(sent)[0]?.certainty).toBe('verified');
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('the end of a connection', () => {
  it('on the side of the sender is told at once, and the receiver keeps what it has', async () => {
    const { sent } = await transfer({
      sources: [memorySource(content)],
      prepare: ([romeo]) => setImmediate(() => romeo.lose(new ConnectionLostError('cut'))),
    });
    expect(errorsOf(sent)[0]).toBeInstanceOf(ConnectionLostError);
  });
});
