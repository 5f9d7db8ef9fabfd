import { defineCommand } from '../../lib/command/definition.js';
import type { Context } from '../../lib/context.js';
import { UsageError } from '../../lib/errors.js';
import { fetchItems } from '../../lib/pubsub/items.js';
import { readItems } from '../../lib/pubsub/read-items.js';
import type { NodeAddress } from '../../lib/pubsub/requester.js';
import { addressOf, atCompletes, atOption, printedItem, renderItem } from './pubsub-flags.js';

export interface ItemsOptions {
  address: NodeAddress;
  /** Only the latest; all when undefined. */
  limit: number | undefined;
}

export const command = defineCommand({
  path: 'pubsub items',
  summary: 'list the items of a node',
  description:
    'Prints each item as its id, a tab and its payload on one line. However many there are, they are fetched page by page (XEP-0059) and printed as they come.',
  examples: [
    {
      does: 'what an account publishes as its mood',
      line: 'xmppctl pubsub items http://jabber.org/protocol/mood --at romeo@example.org',
    },
    { does: 'the ids of all items', line: 'xmppctl pubsub items events --at pubsub.example.org | cut -f 1' },
  ],
  sections: [
    {
      title: 'JSON OUTPUT',
      text: 'One object a line: id, publisher (where the service says so), name and namespace of the payload, and payload (XML text).',
    },
  ],
  exitCodes: { 5: 'there is no such node, or it may not be read' },
  completes: { ...atCompletes, '--limit': 'none' },
  build: (command) =>
    command
      .argument('<node>', 'the node')
      .addOption(atOption)
      .option('-n, --limit <n>', 'only the latest n items'),
  parse: ([node], flags): ItemsOptions => {
    if (flags.limit !== undefined && !/^[1-9]\d{0,8}$/.test(flags.limit)) {
      throw new UsageError(`--limit takes a number of 1 or more, not ${flags.limit}`);
    }
    return {
      address: addressOf(node, flags.at),
      limit: flags.limit === undefined ? undefined : Number(flags.limit),
    };
  },
  run: runItems,
});

/** @throws StanzaError */
export async function runItems({ address, limit }: ItemsOptions, context: Context): Promise<void> {
  const { output, signal } = context;
  await using session = await context.connect();
  const items =
    limit === undefined
      ? readItems(session, address, { signal })
      : await fetchItems(session, { ...address, max: limit }, { signal });
  for await (const item of items) await output.item(printedItem(item), renderItem);
  await output.flush();
}
