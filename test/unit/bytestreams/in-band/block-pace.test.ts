import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BlockPace } from '../../../../src/lib/bytestreams/in-band/block-pace.js';
import { SendWindow } from '../../../../src/lib/bytestreams/in-band/send-window.js';

interface Path {
  /** One way and back, with nothing in the way. */
  roundTripMs: number;
  /** How long the slowest station works on a block. */
  workMs: (bytes: number) => number;
}

/** Prosody as it was measured: about 5 MiB/s in blocks of 4096 bytes, 2 MiB/s in large ones. */
const prosody: Path = { roundTripMs: 2, workMs: (bytes) => (bytes <= 4096 ? 0.75 : bytes / 2000) };
/** ejabberd: a stanza costs 0.1 ms, and a byte next to nothing. */
const ejabberd: Path = { roundTripMs: 1, workMs: (bytes) => 0.1 + bytes / 60_000 };
const steady: Path = { roundTripMs: 20, workMs: (bytes) => bytes / 5000 };

/** Sends `bytes` over a path that works on one block after the other. */
function transfer(path: Path, bytes: number, pace: BlockPace) {
  const underWay: { aimed: number; size: number; sentAt: number; backAt: number }[] = [];
  const sizes: number[] = [];
  let left = bytes;
  let nowMs = 0;
  let freeAt = 0;
  let most = 0;
  while (left > 0 || underWay.length > 0) {
    while (left > 0 && underWay.length < pace.window) {
      const size = Math.min(left, pace.blockBytes);
      freeAt = Math.max(freeAt, nowMs + path.roundTripMs / 2) + path.workMs(size);
      underWay.push({
        aimed: pace.blockBytes,
        size,
        sentAt: nowMs,
        backAt: freeAt + path.roundTripMs / 2,
      });
      sizes.push(size);
      left -= size;
    }
    most = Math.max(most, underWay.length);
    const next = underWay.shift();
    if (!next) break;
    nowMs = next.backAt;
    pace.acknowledge(next.aimed, next.size, next.sentAt, nowMs);
  }
  return { elapsedMs: nowMs, sizes, most };
}

const MiB = 1024 * 1024;

describe('the pace of blocks', () => {
  it('stays with small blocks where large ones are slow', () => {
    const { sizes, elapsedMs } = transfer(prosody, 16 * MiB, BlockPace.upTo(48_000));
    const large = sizes.filter((size) => size > 4096);
    expect(large.length).toBeGreaterThan(0);
    expect(large.length * 48_000).toBeLessThan(MiB);
    const best = transfer(prosody, 16 * MiB, BlockPace.fixed(4096, 32)).elapsedMs;
    expect(best / elapsedMs).toBeGreaterThan(0.9);
  });

  it('goes over to large blocks where they are fast', () => {
    const { sizes, elapsedMs } = transfer(ejabberd, 16 * MiB, BlockPace.upTo(48_000));
    expect(sizes.at(-2)).toBe(48_000);
    const best = transfer(ejabberd, 16 * MiB, BlockPace.fixed(48_000, 8)).elapsedMs;
    expect(best / elapsedMs).toBeGreaterThan(0.85);
  });

  it('compares again soon when something came between', () => {
    let large = 0;
    const busy: Path = {
      ...ejabberd,
      workMs: (bytes) => ejabberd.workMs(bytes) + (bytes > 4096 && ++large === 6 ? 12 : 0),
    };
    const { sizes } = transfer(busy, 8 * MiB, BlockPace.upTo(48_000));
    const firstTry = sizes.indexOf(48_000);
    const isGivenUp = sizes.indexOf(4096, firstTry) > 0;
    expect(isGivenUp).toBe(true);
    expect(sizes.at(-2)).toBe(48_000);
  });

  it('leaves blocks as they are where it makes no difference, and for small files', () => {
    expect(transfer(steady, 4 * MiB, BlockPace.upTo(48_000)).sizes.at(-2)).toBe(4096);
    expect(Math.max(...transfer(ejabberd, MiB / 2, BlockPace.upTo(48_000)).sizes)).toBe(4096);
  });

  it('keeps to what was agreed on', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 65_535 }),
        fc.constantFrom(prosody, ejabberd, steady),
        (agreed, path) => {
          const bytes = Math.min(2 * MiB, agreed * 2000);
          const { sizes, most } = transfer(path, bytes, BlockPace.upTo(agreed));
          expect(Math.max(...sizes)).toBeLessThanOrEqual(Math.min(agreed, 48_000));
          expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(bytes);
          expect(most).toBeLessThanOrEqual(256);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('is always the same when it is fixed', () => {
    const { sizes, most } = transfer(ejabberd, 4 * MiB, BlockPace.fixed(8192, 7));
    expect(new Set(sizes)).toEqual(new Set([8192]));
    expect(most).toBe(7);
  });
});

describe('the window', () => {
  it('grows until a long path is full, and no further than that', () => {
    const long: Path = { roundTripMs: 100, workMs: () => 1 };
    const { most, elapsedMs } = transfer(long, 16 * MiB, BlockPace.fixed(4096));
    expect(most).toBeGreaterThan(100);
    expect(most).toBeLessThanOrEqual(200);
    // 4096 blocks of 1 ms each.
    expect(elapsedMs).toBeLessThan(4096 * 1.3);
  });

  it('stays small where more would only queue', () => {
    const slow: Path = { roundTripMs: 2, workMs: () => 20 };
    expect(transfer(slow, MiB, BlockPace.fixed(4096)).most).toBeLessThanOrEqual(40);
  });

  it('never leaves its limits, whatever round trips it is told', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { maxLength: 500 }),
        (roundTrips) => {
          const window = new SendWindow({ min: 4, max: 64 });
          for (const ms of roundTrips) {
            window.acknowledge(ms);
            expect(window.size).toBeGreaterThanOrEqual(4);
            expect(window.size).toBeLessThanOrEqual(64);
          }
        },
      ),
    );
  });
});
