/** Either side is killed at any moment, and starts again: nothing is lost, nothing wrong is left, nothing is sent twice. */
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { receiveFiles } from '../../../src/lib/file-transfer/receiving/receive-files.js';
import { sendFiles } from '../../../src/lib/file-transfer/sending/send-files.js';
import type { TransferEvent } from '../../../src/lib/file-transfer/transfer.js';
import { asSession, linkStreams } from '../../support/linked-streams.js';
import { MemorySink, memorySource } from '../../support/memory-files.js';
import { MemoryTransport } from '../../support/memory-transport.js';

const content = randomBytes(4000);
/** For what a dead one does not answer; where nobody dies, a busy machine may take longer. */
const PATIENCE_MS = { sender: 40, receiver: 40, nobody: 10_000 };

type Victim = 'sender' | 'receiver' | 'nobody';

interface Run {
  /** Where the survivor ended. */
  sent: TransferEvent | undefined;
  received: TransferEvent | undefined;
  sink: MemorySink;
  /** What was on the disk of a receiver that was killed. */
  kept: Buffer;
  wasCommitted: boolean;
  writtenBytes: number;
}

const isEnd = ({ kind }: TransferEvent): boolean => kind === 'done' || kind === 'failed';

async function endOf(events: AsyncIterable<TransferEvent>): Promise<TransferEvent | undefined> {
  for await (const event of events) if (isEnd(event)) return event;
  return undefined;
}

/** Kills one side at the given step: a request that arrives, or a piece that is written. */
async function run(victim: Victim, step: number, had: Buffer, isSeekable: boolean): Promise<Run> {
  const timeoutMs = PATIENCE_MS[victim];
  const [romeo, juliet] = linkStreams();
  const ours = new MemoryTransport();
  const theirs = ours.sibling();
  const sink = new MemorySink(had);
  let steps = 0;
  let onDisk: { kept: Buffer; wasCommitted: boolean } | undefined;
  const count = (): void => {
    steps += 1;
    if (steps !== step || victim === 'nobody') return;
    onDisk = { kept: sink.content, wasCommitted: sink.state === 'committed' };
    const [stream, transport] = victim === 'sender' ? [romeo, ours] : [juliet, theirs];
    stream.kill();
    transport.kill();
  };
  for (const stream of [romeo, juliet]) stream.onRequest = count;
  for (const transport of [ours, theirs]) transport.onWrite = count;
  const receiving = receiveFiles(asSession(juliet), {
    transports: [theirs],
    timeoutMs,
    accept: () => Promise.resolve(sink),
  });
  const received = endOf(receiving);
  const source = memorySource(content, {}, { isSeekable, chunkBytes: 600 });
  const sending = sendFiles(asSession(romeo), juliet.jid, [source], {
    transports: [ours],
    timeoutMs,
    acceptTimeoutMs: timeoutMs,
  });
  const sent = endOf(sending);
  // The dead one comes to no end.
  const result = {
    sent: victim === 'sender' ? undefined : await sent,
    received: victim === 'nobody' ? await received : undefined,
  };
  // Killed before anything was offered, the survivor goes on waiting for an offer.
  const nothing = new Promise<void>((resolve) => setTimeout(resolve, 10 * timeoutMs));
  if (victim === 'sender') result.received = (await Promise.race([received, nothing])) ?? undefined;
  const writtenBytes = ours.writtenBytes + theirs.writtenBytes;
  const disk = onDisk ?? { kept: sink.content, wasCommitted: sink.state === 'committed' };
  return { ...result, ...disk, sink, writtenBytes };
}

it('a transfer survives the death of either side', { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom<Victim>('sender', 'receiver'),
      fc.integer({ min: 1, max: 22 }),
      fc.boolean(),
      async (victim, step, isSeekable) => {
        const first = await run(victim, step, Buffer.alloc(0), isSeekable);
        if (victim === 'sender') {
          // The receiver came to an end by itself: it has everything, or has put away what it has.
          if (first.received?.kind === 'done') expect(first.sink.content.equals(content)).toBe(true);
          else if (first.received) expect(first.sink.state).toBe('suspended');
        } else if (first.sent?.kind === 'done' && first.sent.result.certainty === 'verified') {
          // What the sender says is true even if the receiver died right after.
          expect(first.wasCommitted).toBe(true);
        }
        const kept = victim === 'sender' ? first.sink.content : first.kept;
        expect(content.subarray(0, kept.length).equals(kept)).toBe(true);
        if (victim === 'sender' ? first.received?.kind === 'done' : first.wasCommitted) return;
        const second = await run('nobody', 0, kept, isSeekable);
        expect(second.sent).toMatchObject({ kind: 'done', result: { certainty: 'verified' } });
        expect(second.sink.content.equals(content)).toBe(true);
        expect(second.writtenBytes).toBe(content.length - kept.length);
      },
    ),
    { numRuns: 60 },
  );
});
