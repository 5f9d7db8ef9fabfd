import { expect, test } from 'vitest';
import { backOffMs } from '../../../src/lib/session/back-off.js';

const options = { firstMs: 500, maxMs: 60_000 };

test('doubles up to its maximum', () => {
  const delays = [1, 2, 3, 4, 8, 9, 1000].map((attempt) => backOffMs(attempt, 0, options) * 2);
  expect(delays).toEqual([500, 1000, 2000, 4000, 60_000, 60_000, 60_000]);
});

test('is half fixed and half chance', () => {
  expect(backOffMs(1, 0, options)).toBe(250);
  expect(backOffMs(1, 0.5, options)).toBe(375);
  expect(backOffMs(1, 0.999, options)).toBe(500);
});
