import { defineCommand } from '../../lib/command/definition.js';
import type { Context } from '../../lib/context.js';
import { UsageError } from '../../lib/errors.js';
import { parseMoment } from '../../lib/input/moment.js';
import { fetchItems, type PubsubItem } from '../../lib/pubsub/items.js';
import { timeOf } from '../../lib/pubsub/payload.js';
import { readItems } from '../../lib/pubsub/read-items.js';
import type { NodeAddress } from '../../lib/pubsub/requester.js';
import { SeenItems } from '../../lib/pubsub/seen-items.js';
import { watchNodes } from '../../lib/pubsub/watch-nodes.js';
import type { Session } from '../../lib/session/session.js';
import { addressOf, atCompletes, atOption, printedItem, renderItem } from './pubsub-flags.js';

export interface ItemsOptions {
  address: NodeAddress;
  /** Only the latest; all when undefined. */
  limit: number | undefined;
  /** Only what says itself that it is from then or later. */
  since: Date | undefined;
  /** Goes on with what is published later. */
  follows: boolean;
}

export const command = defineCommand({
  path: 'pubsub items',
  summary: 'list the items of a node',
  description: [
    'Prints each item as its id, a tab and its payload on one line. However many there are, they are fetched page by page (XEP-0059) and printed as they come.',
    'With --follow it goes on with what is published later, until it is interrupted (xmppctl pubsub watch tells of retractions and the rest, too).',
    '--since goes by what an item says of itself: updated or published of an Atom entry, or the timestamp of a location. Items that say nothing are left out.',
  ].join('\n\n'),
  examples: [
    {
      does: 'what an account publishes as its mood',
      line: 'xmppctl pubsub items http://jabber.org/protocol/mood --at romeo@example.org',
    },
    {
      does: 'what was posted since yesterday',
      line: 'xmppctl pubsub items urn:xmpp:microblog:0 --at romeo@example.org --since 1d',
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
  completes: { ...atCompletes, '--limit': 'none', '--since': 'none' },
  build: (command) =>
    command
      .argument('<node>', 'the node')
      .addOption(atOption)
      .option('-n, --limit <n>', 'only the latest n items')
      .option('--all', 'all items, which is what happens without --limit')
      .option('--since <time>', 'only what is from this time or later: a date, or 90s, 5m, 2h, 1d ago')
      .option('-f, --follow', 'go on with what is published later'),
  parse: ([node], flags, { clock }): ItemsOptions => {
    if (flags.limit !== undefined && !/^[1-9]\d{0,8}$/.test(flags.limit)) {
      throw new UsageError(`--limit takes a number of 1 or more, not ${flags.limit}`);
    }
    if (flags.limit !== undefined && (flags.all === true || flags.follow === true))
      throw new UsageError(`--limit does not go with ${flags.all === true ? '--all' : '--follow'}`);
    return {
      address: addressOf(node, flags.at),
      limit: flags.limit === undefined ? undefined : Number(flags.limit),
      since: flags.since === undefined ? undefined : parseMoment('--since', flags.since, clock.now(), 'ago'),
      follows: flags.follow === true,
    };
  },
  run: runItems,
});

/** @throws StanzaError */
export async function runItems(options: ItemsOptions, context: Context): Promise<void> {
  const { since, follows } = options;
  const { output, signal } = context;
  await using session = await context.connect({ resume: follows });
  for await (const item of itemsOf(session, options, context)) {
    if (since && !isSince(item, since)) continue;
    await output.item(printedItem(item), renderItem);
  }
  await output.flush();
  if (follows) signal.throwIfAborted();
}

async function* itemsOf(
  session: Session,
  { address, limit, follows }: ItemsOptions,
  { output, signal }: Context,
): AsyncGenerator<PubsubItem> {
  if (limit !== undefined) {
    yield* await fetchItems(session, { ...address, max: limit }, { signal });
  } else if (follows) {
    const { service, node } = address;
    const warn = (text: string): void => output.warn(text);
    const seen = SeenItems.empty();
    for await (const event of watchNodes(session, { service, nodes: [node], seen, signal, warn }))
      if (event.kind === 'item') yield event;
  } else {
    yield* readItems(session, address, { signal });
  }
}

function isSince({ payload }: PubsubItem, since: Date): boolean {
  const time = payload && timeOf(payload);
  return time !== undefined && time >= since;
}
