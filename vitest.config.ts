import { defineConfig } from 'vitest/config';

/**
 * Rings: `unit` needs nothing, `integration` and `e2e` start real servers; scripts/test.mjs prepares and runs all three.
 * They run one after the other, the later ones with few workers: each of those has a server beside it.
 */
const withServers = {
  maxWorkers: 2,
  testTimeout: 120_000,
  hookTimeout: 120_000,
  globalSetup: ['test/support/global-setup.ts'],
};

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts'],
          testTimeout: 20_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          sequence: { groupOrder: 1 },
          ...withServers,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          sequence: { groupOrder: 2 },
          ...withServers,
          // They wait for other programs more than they work.
          maxWorkers: 3,
        },
      },
    ],
  },
});
