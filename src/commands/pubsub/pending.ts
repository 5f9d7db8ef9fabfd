import { defineCommand } from '../../lib/command/definition.js';
import type { Context } from '../../lib/context.js';
import type { JID } from '../../lib/jid/jid.js';
import { parseAddress } from '../../lib/jid/xmpp-uri.js';
import { safeText } from '../../lib/output/safe-text.js';
import { fetchPending } from '../../lib/pubsub/pending.js';
import type { NodeAddress } from '../../lib/pubsub/requester.js';
import { changeSubscriptions } from '../../lib/pubsub/subscriptions.js';
import { addressOf, atCompletes, atOption, collect } from './pubsub-flags.js';

export interface PendingOptions {
  address: NodeAddress;
  changes: readonly { jid: JID; state: 'subscribed' | 'none' }[];
}

export const command = defineCommand({
  path: 'pubsub pending',
  summary: 'list who waits for an approval to subscribe, and answer',
  description:
    'Of a node with the access model authorize, prints the address of everybody who asked to subscribe and has no answer yet. --approve lets somebody in, --deny does not; nothing is printed then.',
  examples: [
    { does: 'who waits', line: 'xmppctl pubsub pending events --at pubsub.example.org' },
    {
      does: 'let somebody in',
      line: 'xmppctl pubsub pending events --approve romeo@example.org --at pubsub.example.org',
    },
    {
      does: 'let everybody in',
      line: 'xmppctl pubsub pending events --at pubsub.example.org | xargs -n1 xmppctl pubsub pending events --at pubsub.example.org --approve',
    },
  ],
  sections: [{ title: 'JSON OUTPUT', text: 'One object a line: node, jid.' }],
  exitCodes: { 5: 'the node is not there, or is not yours' },
  completes: { ...atCompletes, '--approve': 'jid', '--deny': 'jid' },
  build: (command) =>
    command
      .argument('<node>', 'the node')
      .addOption(atOption)
      .option('--approve <jid>', 'let somebody subscribe (repeatable)', collect, [])
      .option('--deny <jid>', 'do not let somebody subscribe (repeatable)', collect, []),
  parse: ([node], flags): PendingOptions => ({
    address: addressOf(node, flags.at),
    changes: [
      ...flags.approve.map((jid) => ({ jid: parseAddress(jid), state: 'subscribed' as const })),
      ...flags.deny.map((jid) => ({ jid: parseAddress(jid), state: 'none' as const })),
    ],
  }),
  run: runPending,
});

/** @throws StanzaError */
export async function runPending({ address, changes }: PendingOptions, context: Context): Promise<void> {
  const { output, signal } = context;
  await using session = await context.connect();
  if (changes.length > 0) {
    await changeSubscriptions(session, address, changes, { signal });
    return;
  }
  for (const jid of await fetchPending(session, address, { signal })) {
    await output.item({ node: address.node, jid: jid.toString() }, (shown) =>
      safeText(shown.jid, { singleLine: true }),
    );
  }
  await output.flush();
}
