import { defineCommand } from '../../lib/command/definition.js';
import type { Context } from '../../lib/context.js';
import { queryItems } from '../../lib/disco/query.js';
import type { JID } from '../../lib/jid/jid.js';
import { safeText } from '../../lib/output/safe-text.js';
import { atCompletes, atOption, serviceOf } from './pubsub-flags.js';

export interface NodesOptions {
  service: JID | undefined;
  /** Those that are in it; the outermost ones when undefined. */
  collection: string | undefined;
}

export const command = defineCommand({
  path: 'pubsub nodes',
  summary: 'list the nodes of a service, or of an account',
  description:
    'Prints the name of each node, and its title where it has one. Servers list only what the account may see. Where a service has collections (XEP-0248), name one to see the nodes in it.',
  examples: [
    { does: 'the own ones', line: 'xmppctl pubsub nodes' },
    { does: 'those of a service', line: 'xmppctl pubsub nodes --at pubsub.example.org' },
    {
      does: 'those in a collection',
      line: 'xmppctl pubsub nodes blogs --at pubsub.example.org',
    },
  ],
  sections: [{ title: 'JSON OUTPUT', text: 'One object a line: node, and name where it has a title.' }],
  completes: { ...atCompletes, collection: 'none' },
  build: (command) => command.argument('[collection]', 'only the nodes in it').addOption(atOption),
  parse: ([collection], flags): NodesOptions => ({
    service: flags.at === undefined ? undefined : serviceOf(flags.at),
    collection,
  }),
  run: runNodes,
});

/** @throws StanzaError */
export async function runNodes({ service, collection }: NodesOptions, context: Context): Promise<void> {
  const { output, signal } = context;
  await using session = await context.connect();
  const items = await queryItems(session, service ?? session.jid.bare, collection, { signal });
  for (const { node, name } of items) {
    // A leaf answers with its items, which have no node.
    if (node === undefined) continue;
    await output.item({ node, ...(name !== undefined && { name }) }, (shown) =>
      safeText(shown.name === undefined ? shown.node : `${shown.node}\t${shown.name}`, {
        singleLine: true,
      }).replace('␉', '\t'),
    );
  }
  await output.flush();
}
