/** What `xmppctl help TOPIC` can show beside commands. */
import type { Page } from './document.js';

export const topics: Readonly<Record<string, { summary: string; load: () => Promise<Page> }>> = {
  'exit-codes': {
    summary: 'what the exit codes mean',
    load: async () => (await import('./exit-codes.js')).exitCodesPage,
  },
  environment: {
    summary: 'the environment variables that are read',
    load: async () => (await import('./environment.js')).environmentPage,
  },
  config: {
    summary: 'the configuration file',
    load: async () => (await import('./config-page.js')).configPage,
  },
  'trace-format': {
    summary: 'what --trace=FILE writes',
    load: async () => (await import('./trace-page.js')).tracePage,
  },
};
