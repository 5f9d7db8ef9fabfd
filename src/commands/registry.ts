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
    path: 'account add',
    summary: 'add an account, so that other commands can log in with it',
    load: load(() => import('./account/add.js')),
  },
  {
    path: 'account list',
    summary: 'list the accounts',
    load: load(() => import('./account/list.js')),
  },
  {
    path: 'account show',
    summary: 'show how an account connects; never its secrets',
    load: load(() => import('./account/show.js')),
  },
  {
    path: 'account use',
    summary: 'choose the account that is used when none is named',
    load: load(() => import('./account/use.js')),
  },
  {
    path: 'account remove',
    summary: 'remove an account and the secrets stored for it from this machine',
    load: load(() => import('./account/remove.js')),
  },
  {
    path: 'account import',
    summary: 'add the account that another program is set up with',
    load: load(() => import('./account/import.js')),
  },
  {
    path: 'ping',
    summary: 'measure the round trip to a server or an entity',
    load: load(() => import('./ping.js')),
  },
  {
    path: 'trace show',
    summary: 'show a recorded trace: stanzas, events and round trips',
    load: load(() => import('./trace/show.js')),
  },
];
