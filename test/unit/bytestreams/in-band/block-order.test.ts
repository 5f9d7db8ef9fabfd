import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BlockOrder, nextNumber } from '../../../../src/lib/bytestreams/in-band/block-order.js';

/** An order that has seen `count` blocks. */
function after(count: number): BlockOrder {
  const order = new BlockOrder();
  for (let index = 0; index < count; index += 1) order.place(index % 65_536);
  return order;
}

describe('the numbers of blocks', () => {
  it('begin at 0 and again after 65535', () => {
    expect(new BlockOrder().expected).toBe(0);
    expect(nextNumber(65_534)).toBe(65_535);
    expect(nextNumber(65_535)).toBe(0);
    const order = after(65_536);
    expect(order.place(0)).toBe('next');
    expect(order.place(1)).toBe('next');
  });

  it.each([
    [0, 1, 'gap'],
    [0, 65_535, 'gap'],
    [5, 4, 'duplicate'],
    [5, 0, 'duplicate'],
    [5, 6, 'gap'],
    [5, 65_535, 'gap'],
    [65_537, 0, 'duplicate'],
    [65_537, 65_535, 'duplicate'],
    [65_537, 3, 'gap'],
    [65_535, 65_534, 'duplicate'],
  ] as const)('after %i blocks, number %i is a %s', (count, number, placement) => {
    expect(after(count).place(number)).toBe(placement);
  });

  it('begin again after 65534 where the other party counts so (Libervia 0.9)', () => {
    const order = after(65_535);
    expect(order.expected).toBe(65_535);
    expect(order.place(0)).toBe('next');
    expect(order.place(1)).toBe('next');
  });

  it('do not move for a block that is refused', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 70_000 }),
        fc.integer({ min: 0, max: 65_535 }),
        (count, number) => {
          const order = after(count);
          const { expected } = order;
          const isNext = order.place(number) === 'next';
          expect(order.expected).toBe(isNext ? nextNumber(number) : expected);
          if (number === expected) expect(isNext).toBe(true);
        },
      ),
      { numRuns: 30 },
    );
  });
});
