import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Simulation } from './simulation.js';

const sizes = [fc.integer(), fc.integer({ min: 2, max: 5 }), fc.integer({ min: 10, max: 100 })] as const;

describe('convergence', () => {
  it('of 2 to 5 participants who write, move, remove, join, leave and get things twice', () => {
    fc.assert(
      fc.property(...sizes, (seed, participants, steps) => {
        const simulation = new Simulation(seed, { participants, steps });
        simulation.run();
        expect(simulation.problems()).toEqual([]);
      }),
      { numRuns: 500, seed: 284 },
    );
  });
});
