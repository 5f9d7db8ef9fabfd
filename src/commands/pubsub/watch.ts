import { defineCommand } from '../../lib/command/definition.js';
import type { Context } from '../../lib/context.js';
import { UsageError } from '../../lib/errors.js';
import type { JID } from '../../lib/jid/jid.js';
import { MarkFile } from '../../lib/messaging/mark.js';
import { safeText } from '../../lib/output/safe-text.js';
import { SeenItems } from '../../lib/pubsub/seen-items.js';
import { watchNodes, type WatchedEvent } from '../../lib/pubsub/watch-nodes.js';
import { serialize } from '../../lib/xml/serialize.js';
import { atCompletes, atOption, serviceOf } from './pubsub-flags.js';

export interface WatchCommandOptions {
  service: JID | undefined;
  nodes: readonly string[];
  count: number | undefined;
  markFile: string | undefined;
}

export const command = defineCommand({
  path: 'pubsub watch',
  summary: 'print what happens at nodes, as it happens',
  description: [
    'Prints items as they are published, and what else happens: retractions, purges, changes of the configuration, deletions; until it is interrupted, or --count of them were printed. The nodes are those of the own account unless --at names a service or another account. At a service it subscribes, and unsubscribes when it ends. It reconnects when the connection is lost.',
    'Without --json a line has the time (UTC), the node, what happened, the id of the item and its payload, separated by tabs.',
    'With --mark, what was seen is kept in a file: items that came while nobody watched, or changed, are printed first, and nothing is printed twice. With a new file everything that is there comes first. An item may be printed again if the program is killed, never lost.',
  ].join('\n\n'),
  examples: [
    {
      does: 'act on every item of a service',
      line: 'xmppctl pubsub watch events --at pubsub.example.org --json | while read -r e; do handle "$e"; done',
    },
    {
      does: 'miss nothing between two runs',
      line: 'xmppctl pubsub watch events --at pubsub.example.org --mark ~/.cache/events',
    },
  ],
  sections: [
    {
      title: 'JSON OUTPUT',
      text: 'One object a line: time, service, node, kind (item, retract, purge, delete, configuration, subscription), isCatchUp, and of items id, publisher, name, namespace and payload (XML text).',
    },
  ],
  exitCodes: {
    0: '--count was reached, or the reader of the output has gone',
    5: 'a node is not there, or may not be subscribed to',
    130: 'interrupted; what had been printed is complete',
  },
  completes: { ...atCompletes, nodes: 'none', '--count': 'none', '--mark': 'file' },
  build: (command) =>
    command
      .argument('<nodes...>', 'the nodes')
      .addOption(atOption)
      .option('-c, --count <n>', 'end after n events')
      .option('--mark <file>', 'keep what was seen in this file, and begin with what was not'),
  parse: ([nodes], flags): WatchCommandOptions => {
    if (flags.count !== undefined && !/^[1-9]\d{0,8}$/.test(flags.count)) {
      throw new UsageError(`--count takes a number of 1 or more, not ${flags.count}`);
    }
    return {
      service: flags.at === undefined ? undefined : serviceOf(flags.at),
      nodes,
      count: flags.count === undefined ? undefined : Number(flags.count),
      markFile: flags.mark,
    };
  },
  run: runWatch,
});

/** @throws StanzaError @throws UsageError the file of --mark is something else */
export async function runWatch(
  { service, nodes, count, markFile }: WatchCommandOptions,
  context: Context,
): Promise<void> {
  const { output, signal, clock } = context;
  const mark = markFile === undefined ? undefined : new MarkFile(markFile, () => clock.now());
  const known = await mark?.load();
  const seen = mark && (known === undefined ? SeenItems.empty() : SeenItems.parse(known));
  if (mark && !seen) throw new UsageError(`${markFile ?? ''} was not written by --mark`);
  await using session = await context.connect({ resume: true });
  output.detail(`watching as ${session.jid.toString()}`);
  let printed = 0;
  try {
    for await (const event of watchNodes(session, {
      service,
      nodes,
      seen,
      signal,
      warn: (text) => output.warn(text),
    })) {
      await output.item(printedEvent(event, clock.now()), renderEvent);
      // What is in the mark has left.
      if (mark) await output.flush();
      await mark?.move(seen?.toString());
      printed += 1;
      if (printed === count) break;
    }
    signal.throwIfAborted();
  } finally {
    await output.flush();
    await mark?.save(seen?.toString());
  }
}

interface PrintedEvent {
  time: string;
  service: string;
  node: string;
  kind: WatchedEvent['kind'];
  isCatchUp: boolean;
  id?: string;
  publisher?: string;
  name?: string;
  namespace?: string;
  payload?: string;
  jid?: string;
  state?: string;
}

function printedEvent(event: WatchedEvent, nowMs: number): PrintedEvent {
  const { time = new Date(nowMs).toISOString(), service, node, kind, isCatchUp } = event;
  const common = { time, service, node, kind, isCatchUp };
  switch (event.kind) {
    case 'item': {
      const { id, publisher, payload } = event;
      return {
        ...common,
        id,
        ...(publisher !== undefined && { publisher }),
        ...(payload && {
          name: payload.getName(),
          namespace: payload.getNS() ?? '',
          payload: serialize(payload),
        }),
      };
    }
    case 'retract':
      return { ...common, id: event.id };
    case 'subscription':
      return { ...common, jid: event.jid, state: event.state };
    case 'purge':
    case 'delete':
    case 'configuration':
      return common;
  }
}

function renderEvent({ time, node, kind, id = '', payload = '', state }: PrintedEvent): string {
  return [time, node, kind, id, state ?? payload]
    .map((text) => safeText(text, { singleLine: true }))
    .join('\t');
}
