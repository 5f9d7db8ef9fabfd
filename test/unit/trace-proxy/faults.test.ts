import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UsageError } from '../../../src/lib/errors.js';
import { FaultSchedule, parseFault, type Step } from '../../../src/lib/trace-proxy/faults.js';

describe('parseFault', () => {
  it.each([
    ['latency=50ms', { kind: 'latency', ms: 50 }],
    ['latency=1.5s', { kind: 'latency', ms: 1500 }],
    ['in:bandwidth=64k', { dir: 'in', kind: 'bandwidth', bytesPerSecond: 64_000 }],
    ['out:cut-after=1000', { dir: 'out', kind: 'cut-after', bytes: 1000 }],
    ['stall-after=0', { kind: 'stall-after', bytes: 0 }],
    ['split=7', { kind: 'split', bytes: 7 }],
  ])('reads %s', (text, fault) => {
    expect(parseFault(text)).toEqual(fault);
  });

  it.each([
    '',
    'latency',
    'latency=-1',
    'latency=5k',
    'split=0',
    'bandwidth=0',
    'both:split=7',
    'fire=1',
    'split=1x',
  ])('refuses "%s"', (text) => {
    expect(() => parseFault(text)).toThrow(UsageError);
  });
});

describe('FaultSchedule', () => {
  const plan = (faults: string[], ...packets: [text: string, atMs: number][]): Step[] => {
    const schedule = new FaultSchedule(faults.map(parseFault));
    return packets.flatMap(([text, atMs]) => schedule.take(Buffer.from(text), atMs));
  };
  const read = (steps: Step[]): unknown[] =>
    steps.map((step) => [step.kind === 'packet' ? step.bytes.toString() : step.kind, Math.round(step.atMs)]);

  it('delays everything by the latency', () => {
    expect(read(plan(['latency=50ms'], ['ab', 0], ['c', 10]))).toEqual([
      ['ab', 50],
      ['c', 60],
    ]);
  });

  it('splits into packets, the last of them shorter', () => {
    expect(read(plan(['split=2'], ['abcde', 0]))).toEqual([
      ['ab', 0],
      ['cd', 0],
      ['e', 0],
    ]);
  });

  it('lets a line be busy until its bytes have passed', () => {
    expect(read(plan(['bandwidth=100'], ['abc', 0], ['d', 1000]))).toEqual([
      ['ab', 20],
      ['c', 30],
      ['d', 1010],
    ]);
  });

  it('cuts inside of a packet, and nothing follows', () => {
    expect(read(plan(['cut-after=3', 'latency=5ms'], ['ab', 0], ['cd', 10], ['e', 20]))).toEqual([
      ['ab', 5],
      ['c', 15],
      ['cut', 15],
    ]);
  });

  it('lets the first end win', () => {
    expect(read(plan(['cut-after=9', 'stall-after=1'], ['abc', 0]))).toEqual([
      ['a', 0],
      ['stall', 0],
    ]);
  });

  it('loses and reorders nothing, however it is cut', () => {
    const fault = fc.oneof(
      fc.nat(100).map((ms) => `latency=${ms}ms`),
      fc.integer({ min: 1, max: 50 }).map((bytes) => `split=${bytes}`),
      fc.integer({ min: 1, max: 5000 }).map((rate) => `bandwidth=${rate}`),
    );
    fc.assert(
      fc.property(
        fc.array(fault, { maxLength: 3 }),
        fc.array(fc.uint8Array({ maxLength: 80 })),
        (faults, packets) => {
          const schedule = new FaultSchedule(faults.map(parseFault));
          const steps = packets.flatMap((packet, index) => schedule.take(Buffer.from(packet), index));
          const bytes = steps.map((step) => (step.kind === 'packet' ? step.bytes : Buffer.from(step.kind)));
          expect(Buffer.concat(bytes)).toEqual(Buffer.concat(packets));
          const times = steps.map(({ atMs }) => atMs);
          expect(times).toEqual([...times].sort((a, b) => a - b));
        },
      ),
    );
  });
});
