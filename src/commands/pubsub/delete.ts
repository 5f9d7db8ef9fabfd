import { defineCommand } from '../../lib/command/definition.js';
import type { Context } from '../../lib/context.js';
import { deleteNode } from '../../lib/pubsub/nodes.js';
import type { NodeAddress } from '../../lib/pubsub/requester.js';
import { confirmLoss } from './confirm-loss.js';
import { addressOf, atCompletes, atOption } from './pubsub-flags.js';

export interface DeleteOptions {
  address: NodeAddress;
  isSure: boolean;
}

export const command = defineCommand({
  path: 'pubsub delete',
  summary: 'delete a node with all its items and subscriptions',
  description: 'Asks at a terminal; elsewhere it wants --yes. Nothing is printed when all went well.',
  examples: [{ does: 'delete a node', line: 'xmppctl pubsub delete events --at pubsub.example.org --yes' }],
  exitCodes: { 1: 'the answer was no', 5: 'the node is not there, or is not yours' },
  completes: atCompletes,
  build: (command) =>
    command.argument('<node>', 'the node').addOption(atOption).option('-y, --yes', 'do not ask'),
  parse: ([node], flags): DeleteOptions => ({
    address: addressOf(node, flags.at),
    isSure: flags.yes === true,
  }),
  run: runDelete,
});

/** @throws StanzaError @throws NegativeError the answer was no */
export async function runDelete({ address, isSure }: DeleteOptions, context: Context): Promise<void> {
  if (!isSure) await confirmLoss(`Delete ${address.node} and everything in it?`, context);
  await using session = await context.connect();
  await deleteNode(session, address, { signal: context.signal });
}
