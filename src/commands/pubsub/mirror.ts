import { defineCommand } from '../../lib/command/definition.js';
import type { Context } from '../../lib/context.js';
import { UsageError } from '../../lib/errors.js';
import { parseNodeUri } from '../../lib/jid/xmpp-uri.js';
import { safeText } from '../../lib/output/safe-text.js';
import { describeNode } from '../../lib/pubsub/export-node.js';
import { mirrorNode, type MirrorEvent } from '../../lib/pubsub/mirror-node.js';
import { prepareNode } from '../../lib/pubsub/prepare-node.js';
import type { NodeAddress } from '../../lib/pubsub/requester.js';

export interface MirrorCommandOptions {
  source: NodeAddress;
  target: NodeAddress;
  removes: boolean;
  follows: boolean;
}

export const command = defineCommand({
  path: 'pubsub mirror',
  summary: 'keep one node as another one is',
  description: [
    'Makes the target where it is not there, configured as the source, copies what is missing or different, takes away what the source does not have, and then goes on with each item, retraction and purge as it happens, until it is interrupted. After a lost connection it compares both again.',
    'Source and target are the names of nodes of the own account, or URIs such as xmpp:pubsub.example.org?;node=events. Items keep their ids. Run again, it copies only what is different.',
  ].join('\n\n'),
  examples: [
    {
      does: 'keep a copy at another service',
      line: "xmppctl pubsub mirror 'xmpp:pubsub.example.org?;node=events' 'xmpp:pubsub.example.net?;node=events'",
    },
    {
      does: 'copy once',
      line: "xmppctl pubsub mirror 'xmpp:pubsub.example.org?;node=events' events-copy --once",
    },
  ],
  sections: [
    {
      title: 'JSON OUTPUT',
      text: 'One object a line: kind (published, retracted, purged, or in-step when the target has all that the source has), id of the item, and items, their number.',
    },
  ],
  exitCodes: {
    0: 'with --once: the target is as the source',
    5: 'a node is not there, may not be read or written, or the source was deleted',
    130: 'interrupted',
  },
  completes: { source: 'none', target: 'none' },
  build: (command) =>
    command
      .argument('<source>', 'the node that is copied')
      .argument('<target>', 'the node that becomes as the source')
      .option('--once', 'end when the target is as the source')
      .option('--keep', 'take nothing away from the target'),
  parse: ([source, target], flags): MirrorCommandOptions => ({
    source: parseNode(source),
    target: parseNode(target),
    removes: flags.keep !== true,
    follows: flags.once !== true,
  }),
  run: runMirror,
});

function parseNode(text: string): NodeAddress {
  if (!/^xmpp:/i.test(text)) return { node: text };
  const found = parseNodeUri(text);
  if (!found) {
    throw new UsageError(`${text} names no node`, {
      hint: 'write xmpp:pubsub.example.org?;node=NAME',
    });
  }
  return { service: found.service, node: found.node };
}

/** @throws StanzaError @throws UsageError source and target are the same */
export async function runMirror(
  { source, target, removes, follows }: MirrorCommandOptions,
  context: Context,
): Promise<void> {
  const { output, signal, clock } = context;
  await using session = await context.connect({ resume: true });
  const own = session.jid.bare;
  if (source.node === target.node && (source.service ?? own).equals(target.service ?? own))
    throw new UsageError('source and target are the same node');
  const warn = (text: string): void => output.warn(text);
  const header = await describeNode(session, source, { signal, warn, now: new Date(clock.now()) });
  await prepareNode(session, target, header.configuration ?? {}, { reconfigures: false, signal, warn });
  const events = mirrorNode(session, { source, target, removes, follows, retries: 5, signal, warn });
  for await (const event of events) await output.item(event, renderEvent);
  await output.flush();
  signal.throwIfAborted();
}

function renderEvent(event: MirrorEvent): string {
  if (event.kind === 'in-step') return `in step\t${event.items}`;
  return event.kind === 'purged' ? event.kind : `${event.kind}\t${safeText(event.id, { singleLine: true })}`;
}
