import { defineCommand } from '../../lib/command/definition.js';
import type { Context } from '../../lib/context.js';
import { retractItem } from '../../lib/pubsub/items.js';
import type { NodeAddress } from '../../lib/pubsub/requester.js';
import { addressOf, atCompletes, atOption } from './pubsub-flags.js';

export interface RetractOptions {
  address: NodeAddress;
  ids: readonly string[];
}

export const command = defineCommand({
  path: 'pubsub retract',
  summary: 'take items back',
  description:
    'Deletes the items that are named, and tells subscribers. Nothing is printed when all went well; at the first that is refused it ends.',
  examples: [{ does: 'take one item back', line: 'xmppctl pubsub retract urn:example:temp current' }],
  exitCodes: { 5: 'an item or the node is not there, or may not be changed' },
  completes: { ...atCompletes, ids: 'none' },
  build: (command) =>
    command.argument('<node>', 'the node').argument('<ids...>', 'the ids of the items').addOption(atOption),
  parse: ([node, ids], flags): RetractOptions => ({ address: addressOf(node, flags.at), ids }),
  run: runRetract,
});

/** @throws StanzaError */
export async function runRetract({ address, ids }: RetractOptions, context: Context): Promise<void> {
  await using session = await context.connect();
  for (const id of ids) await retractItem(session, { ...address, id }, { signal: context.signal });
}
