import { defineCommand } from '../../lib/command/definition.js';
import type { Context } from '../../lib/context.js';
import { purgeNode } from '../../lib/pubsub/nodes.js';
import type { NodeAddress } from '../../lib/pubsub/requester.js';
import { addressOf, atCompletes, atOption } from './pubsub-flags.js';
import { confirmLoss } from './confirm-loss.js';

export interface PurgeOptions {
  address: NodeAddress;
  isSure: boolean;
}

export const command = defineCommand({
  path: 'pubsub purge',
  summary: 'delete all items of a node, and keep the node',
  description: 'Asks at a terminal; elsewhere it wants --yes. Nothing is printed when all went well.',
  examples: [{ does: 'empty a node', line: 'xmppctl pubsub purge events --at pubsub.example.org --yes' }],
  exitCodes: { 1: 'the answer was no', 5: 'the node is not there, or is not yours' },
  completes: atCompletes,
  build: (command) =>
    command.argument('<node>', 'the node').addOption(atOption).option('-y, --yes', 'do not ask'),
  parse: ([node], flags): PurgeOptions => ({
    address: addressOf(node, flags.at),
    isSure: flags.yes === true,
  }),
  run: runPurge,
});

/** @throws StanzaError @throws NegativeError the answer was no */
export async function runPurge({ address, isSure }: PurgeOptions, context: Context): Promise<void> {
  if (!isSure) await confirmLoss(`Delete all items of ${address.node}?`, context);
  await using session = await context.connect();
  await purgeNode(session, address, { signal: context.signal });
}
