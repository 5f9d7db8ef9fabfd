import { defineCommand } from '../../lib/command/definition.js';
import type { Context } from '../../lib/context.js';
import { safeText } from '../../lib/output/safe-text.js';
import { fetchNodeInfo, type NodeInfo } from '../../lib/pubsub/node-info.js';
import type { NodeAddress } from '../../lib/pubsub/requester.js';
import { addressOf, atCompletes, atOption } from './pubsub-flags.js';

export interface InfoOptions {
  address: NodeAddress;
}

export const command = defineCommand({
  path: 'pubsub info',
  summary: 'show what a node is',
  description:
    'Prints the kind of the node (leaf or collection) and what it says of itself to everybody, one name=value on a line: its title, who owns it, who may read and publish. The owner sees all of it with xmppctl pubsub configure.',
  examples: [{ does: 'look at a node', line: 'xmppctl pubsub info events --at pubsub.example.org' }],
  sections: [
    { title: 'JSON OUTPUT', text: 'One object: node, kind, and metadata with the values by field name.' },
  ],
  exitCodes: { 5: 'there is no such node, or it is not for this account' },
  completes: atCompletes,
  build: (command) => command.argument('<node>', 'the node').addOption(atOption),
  parse: ([node], flags): InfoOptions => ({ address: addressOf(node, flags.at) }),
  run: runInfo,
});

/** @throws StanzaError */
export async function runInfo({ address }: InfoOptions, context: Context): Promise<void> {
  const { output, signal } = context;
  await using session = await context.connect();
  await output.result(await fetchNodeInfo(session, address, { signal }), renderInfo);
}

function renderInfo({ kind, metadata }: NodeInfo): string {
  const line = (text: string): string => safeText(text, { singleLine: true });
  return [
    `kind=${kind ?? 'unknown'}`,
    ...Object.entries(metadata).flatMap(([name, values]) =>
      values.map((value) => `${line(name)}=${line(value)}`),
    ),
  ].join('\n');
}
