import { defineCommand } from '../../lib/command/definition.js';
import type { Context } from '../../lib/context.js';
import { NegativeError, UsageError } from '../../lib/errors.js';
import type { JID } from '../../lib/jid/jid.js';
import { MarkFile } from '../../lib/messaging/mark.js';
import { safeText } from '../../lib/output/safe-text.js';
import { runProgram } from '../../lib/programs/run-program.js';
import { SeenItems } from '../../lib/pubsub/seen-items.js';
import { watchNodes, type WatchedEvent } from '../../lib/pubsub/watch-nodes.js';
import { serialize } from '../../lib/xml/serialize.js';
import { atCompletes, atOption, serviceOf } from './pubsub-flags.js';

export interface WatchCommandOptions {
  service: JID | undefined;
  nodes: readonly string[];
  count: number | undefined;
  markFile: string | undefined;
  /** Run for each item, with its payload on standard input. */
  exec: string | undefined;
}

export const command = defineCommand({
  path: 'pubsub watch',
  summary: 'print what happens at nodes, as it happens',
  description: [
    'Prints items as they are published, and what else happens: retractions, purges, changes of the configuration, deletions; until it is interrupted, or --count of them were printed. The nodes are those of the own account unless --at names a service or another account. At a service it subscribes, and unsubscribes when it ends. It reconnects when the connection is lost.',
    'Without --json a line has the time (UTC), the node, what happened, the id of the item and its payload, separated by tabs.',
    '--exec runs a program in the shell for each item, one after the other: the payload is on its standard input, and XMPPCTL_SERVICE, XMPPCTL_NODE, XMPPCTL_ID, XMPPCTL_PUBLISHER and XMPPCTL_TIME are in its environment. What it prints goes to standard error. If it fails, that is said, and the watch goes on.',
    'With --mark, what was seen is kept in a file: items that came while nobody watched, or changed, are printed first, and nothing is printed twice. With a new file everything that is there comes first. An item may be printed again if the program is killed, never lost.',
  ].join('\n\n'),
  examples: [
    {
      does: 'act on every item of a service',
      line: 'xmppctl pubsub watch events --at pubsub.example.org --json | while read -r e; do handle "$e"; done',
    },
    {
      does: 'run a program for each item',
      line: "xmppctl pubsub watch urn:example:temp --exec 'jq -r .temp >> temperatures'",
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
    1: 'the program of --exec failed for some items',
    5: 'a node is not there, or may not be subscribed to',
    130: 'interrupted; what had been printed is complete',
  },
  completes: { ...atCompletes, nodes: 'none', '--count': 'none', '--mark': 'file', '--exec': 'none' },
  build: (command) =>
    command
      .argument('<nodes...>', 'the nodes')
      .addOption(atOption)
      .option('-c, --count <n>', 'end after n events')
      .option('--mark <file>', 'keep what was seen in this file, and begin with what was not')
      .option('--exec <command>', 'run this for each item, with its payload on standard input'),
  parse: ([nodes], flags): WatchCommandOptions => {
    if (flags.count !== undefined && !/^[1-9]\d{0,8}$/.test(flags.count)) {
      throw new UsageError(`--count takes a number of 1 or more, not ${flags.count}`);
    }
    return {
      service: flags.at === undefined ? undefined : serviceOf(flags.at),
      nodes,
      count: flags.count === undefined ? undefined : Number(flags.count),
      markFile: flags.mark,
      exec: flags.exec,
    };
  },
  run: runWatch,
});

/**
 * @throws StanzaError @throws UsageError the file of --mark is something else
 * @throws NegativeError the program of --exec failed
 */
export async function runWatch(
  { service, nodes, count, markFile, exec }: WatchCommandOptions,
  context: Context,
): Promise<void> {
  const { output, signal, clock } = context;
  const mark = markFile === undefined ? undefined : new MarkFile(markFile, () => clock.now());
  const known = await mark?.load();
  const seen = mark && (known === undefined ? SeenItems.empty() : SeenItems.parse(known));
  if (mark && !seen) throw new UsageError(`${markFile ?? ''} was not written by --mark`);
  await using session = await context.connect({ resume: true });
  output.detail(`watching as ${session.jid.toString()}`);
  const programs = new ItemPrograms(exec, context);
  let printed = 0;
  try {
    for await (const event of watchNodes(session, {
      service,
      nodes,
      seen,
      signal,
      warn: (text) => output.warn(text),
    })) {
      if (event.kind === 'caught-up') continue;
      const shown = printedEvent(event, clock.now());
      await output.item(shown, renderEvent);
      await programs.runFor(shown);
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
  programs.throwIfFailed();
}

/** `--exec`. */
class ItemPrograms {
  #failed = 0;

  constructor(
    private readonly line: string | undefined,
    private readonly context: Pick<Context, 'env' | 'output'>,
  ) {}

  async runFor({ kind, service, node, id = '', publisher, time, payload = '' }: PrintedEvent): Promise<void> {
    const { line } = this;
    if (line === undefined || kind !== 'item') return;
    const { env, output } = this.context;
    const facts = { SERVICE: service, NODE: node, ID: id, PUBLISHER: publisher, TIME: time };
    const code = await runProgram({ line, input: payload, env, facts });
    if (code === 0) return;
    this.#failed += 1;
    output.warn(`the program of --exec ended with ${code} for ${safeText(id, { singleLine: true })}`);
  }

  throwIfFailed(): void {
    if (this.#failed === 0) return;
    throw new NegativeError(`the program of --exec failed for ${this.#failed} of the items`, {
      details: { failed: this.#failed },
    });
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
