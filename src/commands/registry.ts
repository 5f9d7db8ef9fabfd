/**
 * Every command there is, in the order `xmppctl --help` shows them. A command is loaded when it is used.
 */
import type { AnyCommandDefinition, CommandEntry } from '../lib/command/definition.js';

/** Forgets the types of a definition: they have done their work where it is written. */
function load(importer: () => Promise<{ command: unknown }>): () => Promise<AnyCommandDefinition> {
  return async () => (await importer()).command as AnyCommandDefinition;
}

export const groups: Readonly<Record<string, string>> = {
  account: 'profiles: who you log in as',
  disco: 'what an entity offers (XEP-0030)',
  jid: 'check, normalise and compare addresses',
  sandbox: 'a throw-away, loopback-only real server',
  trace: 'look at recorded streams',
};

export const registry: readonly CommandEntry[] = [
  {
    path: 'ping',
    summary: 'measure the round trip to a server or an entity',
    load: load(() => import('./ping.js')),
  },
];
