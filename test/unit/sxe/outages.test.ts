import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OutageSimulation } from './outage-simulation.js';

const sizes = [fc.integer(), fc.integer({ min: 2, max: 5 }), fc.integer({ min: 10, max: 80 })] as const;

describe('lost connections', () => {
  it('of one, of some and of all leave everybody with the same, and with every word', async () => {
    await fc.assert(
      fc.asyncProperty(...sizes, async (seed, participants, steps) => {
        const simulation = new OutageSimulation(seed, { participants, steps });
        expect(await simulation.run()).toEqual([]);
      }),
      { numRuns: 100, seed: 284 },
    );
  }, 120_000);
});
