import { defineCommand } from '../../lib/command/definition.js';
import type { Context } from '../../lib/context.js';
import type { NodeAddress } from '../../lib/pubsub/requester.js';
import { unsubscribe } from '../../lib/pubsub/subscriptions.js';
import { addressOf, atCompletes, atOption } from './pubsub-flags.js';

export interface UnsubscribeOptions {
  address: NodeAddress;
  subid: string | undefined;
}

export const command = defineCommand({
  path: 'pubsub unsubscribe',
  summary: 'have the account told no more of a node',
  description: 'Ends the subscription of the account. Nothing is printed when all went well.',
  examples: [{ does: 'unsubscribe', line: 'xmppctl pubsub unsubscribe events --at pubsub.example.org' }],
  exitCodes: { 5: 'there is no such subscription' },
  completes: { ...atCompletes, '--subid': 'none' },
  build: (command) =>
    command
      .argument('<node>', 'the node')
      .addOption(atOption)
      .option('--subid <id>', 'which subscription, where there are several'),
  parse: ([node], flags): UnsubscribeOptions => ({ address: addressOf(node, flags.at), subid: flags.subid }),
  run: runUnsubscribe,
});

/** @throws StanzaError */
export async function runUnsubscribe(
  { address, subid }: UnsubscribeOptions,
  context: Context,
): Promise<void> {
  await using session = await context.connect();
  await unsubscribe(session, address, session.jid.bare, subid, { signal: context.signal });
}
