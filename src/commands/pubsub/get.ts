import { defineCommand } from '../../lib/command/definition.js';
import type { Context } from '../../lib/context.js';
import { NegativeError } from '../../lib/errors.js';
import { fetchItems } from '../../lib/pubsub/items.js';
import type { NodeAddress } from '../../lib/pubsub/requester.js';
import { addressOf, atCompletes, atOption, printedItem } from './pubsub-flags.js';

export interface GetOptions {
  address: NodeAddress;
  ids: readonly string[];
}

export const command = defineCommand({
  path: 'pubsub get',
  summary: 'print the payload of items',
  description: 'Prints the payload of each item that is named, as XML, one on a line.',
  examples: [{ does: 'one item', line: 'xmppctl pubsub get urn:example:temp current | xmllint --format -' }],
  sections: [{ title: 'JSON OUTPUT', text: 'As of xmppctl pubsub items.' }],
  exitCodes: { 1: 'an item is not there', 5: 'there is no such node, or it may not be read' },
  completes: { ...atCompletes, ids: 'none' },
  build: (command) =>
    command.argument('<node>', 'the node').argument('<ids...>', 'the ids of the items').addOption(atOption),
  parse: ([node, ids], flags): GetOptions => ({ address: addressOf(node, flags.at), ids }),
  run: runGet,
});

/** @throws NegativeError an item is not there @throws StanzaError */
export async function runGet({ address, ids }: GetOptions, context: Context): Promise<void> {
  const { output, signal } = context;
  await using session = await context.connect();
  const found = await fetchItems(session, { ...address, ids }, { signal });
  for (const item of found.filter(({ id }) => ids.includes(id))) {
    // XML as it is: control characters cannot be in it.
    await output.item(printedItem(item), ({ payload = '' }) => payload);
  }
  await output.flush();
  const missing = ids.filter((id) => !found.some((item) => item.id === id));
  if (missing.length > 0)
    throw new NegativeError(`not there: ${missing.join(', ')}`, { details: { missing } });
}
