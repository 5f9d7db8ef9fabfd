import type { ServerName } from '../../src/lib/sandbox/options.js';

/** The servers that everything is tested against. */
export const serverNames: readonly ServerName[] = ['prosody', 'ejabberd'];
