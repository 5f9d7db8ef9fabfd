import { describe, expect, it } from 'vitest';
import { orderByPriorityAndWeight } from '../../../src/lib/dns/srv-order.js';

describe('orderByPriorityAndWeight', () => {
  it('puts lower priorities first', () => {
    const records = [
      { priority: 20, weight: 0, id: 'c' },
      { priority: 0, weight: 0, id: 'a' },
      { priority: 10, weight: 0, id: 'b' },
    ];
    expect(orderByPriorityAndWeight(records).map(({ id }) => id)).toEqual(['a', 'b', 'c']);
  });

  it('draws in proportion to the weights', () => {
    const records = [
      { priority: 0, weight: 0, id: 'never' },
      { priority: 0, weight: 10, id: 'seldom' },
      { priority: 0, weight: 30, id: 'often' },
    ];
    const firsts = new Map<string, number>();
    // 41 marks from 0 to 40: one for weight 0, ten and thirty for the others.
    for (let mark = 0; mark < 41; mark++) {
      const [first] = orderByPriorityAndWeight(records, () => mark / 41);
      firsts.set(first?.id ?? '', (firsts.get(first?.id ?? '') ?? 0) + 1);
    }
    expect(Object.fromEntries(firsts)).toEqual({ never: 1, seldom: 10, often: 30 });
  });

  it('keeps every record whatever the random source says', () => {
    const records = [1, 2, 3, 4].map((weight) => ({ priority: 0, weight }));
    for (const random of [0, 0.5, 0.999_999]) {
      expect(orderByPriorityAndWeight(records, () => random).sort((x, y) => x.weight - y.weight)).toEqual(
        records,
      );
    }
  });
});
