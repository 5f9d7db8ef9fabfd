import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { defineCommand } from '../../lib/command/definition.js';
import { reasonOf, replaceFile } from '../../lib/config/private-file.js';
import type { Context } from '../../lib/context.js';
import { FileError, XmppctlError } from '../../lib/errors.js';
import { exportNode } from '../../lib/pubsub/export-node.js';
import type { NodeLine } from '../../lib/pubsub/node-file.js';
import type { NodeAddress } from '../../lib/pubsub/requester.js';
import { addressOf, atCompletes, atOption } from './pubsub-flags.js';

export interface ExportCommandOptions {
  address: NodeAddress;
  /** stdout when undefined. */
  file: string | undefined;
}

export const command = defineCommand({
  path: 'pubsub export',
  summary: 'write a whole node to a file: configuration, affiliations, subscriptions and items',
  description: [
    'Writes the node as lines of JSON: one that describes it, one for each item, the oldest first, and one with their number, by which xmppctl pubsub import knows that the file is whole. However large the node is, it is read page by page and takes no more memory.',
    'Without --output it goes to standard output. With it the file gets its name when it is complete, not before. What only owners may see is left out for others, and that is said.',
  ].join('\n\n'),
  examples: [
    {
      does: 'save a node',
      line: 'xmppctl pubsub export events --at pubsub.example.org -o events.ndjson',
    },
    {
      does: 'bring it to another server',
      line: 'xmppctl --account old pubsub export events --at pubsub.old.example | xmppctl --account new pubsub import --at pubsub.new.example',
    },
  ],
  sections: [
    {
      title: 'THE FILE',
      text: [
        'The first line has format (xmppctl-node-1), service, node, time, configuration (values by field name without pubsub#), affiliations (jid, affiliation) and subscriptions (jid, state).',
        'An item has id, publisher where the service tells, and payload (XML text). The last line has items, their number. --json changes nothing.',
      ].join('\n\n'),
    },
  ],
  exitCodes: { 5: 'there is no such node, or it may not be read', 7: 'the file cannot be written' },
  completes: { ...atCompletes, '--output': 'file' },
  build: (command) =>
    command
      .argument('<node>', 'the node')
      .addOption(atOption)
      .option('-o, --output <file>', 'write it here; to standard output when left out'),
  parse: ([node], flags): ExportCommandOptions => ({
    address: addressOf(node, flags.at),
    file: flags.output === '-' ? undefined : flags.output,
  }),
  run: runExport,
});

/** @throws StanzaError @throws FileError */
export async function runExport({ address, file }: ExportCommandOptions, context: Context): Promise<void> {
  const { output, signal, clock } = context;
  await using session = await context.connect();
  const lines = exportNode(session, address, {
    signal,
    now: new Date(clock.now()),
    warn: (text) => output.warn(text),
  });
  if (file === undefined) {
    for await (const line of lines) await output.item(line, (shown) => JSON.stringify(shown));
    await output.flush();
  } else {
    await writeLines(file, lines);
  }
}

async function writeLines(file: string, lines: AsyncIterable<NodeLine>): Promise<void> {
  try {
    await replaceFile(file, (place) => pipeline(Readable.from(asText(lines)), createWriteStream(place)));
  } catch (error) {
    if (error instanceof XmppctlError) throw error;
    throw new FileError(`cannot write ${file}: ${reasonOf(error)}`, { cause: error });
  }
}

async function* asText(lines: AsyncIterable<NodeLine>): AsyncGenerator<string> {
  for await (const line of lines) yield `${JSON.stringify(line)}\n`;
}
