import { createReadStream } from 'node:fs';
import { defineCommand } from '../../lib/command/definition.js';
import { reasonOf } from '../../lib/config/private-file.js';
import type { Context } from '../../lib/context.js';
import { FileError, NegativeError, UsageError, XmppctlError } from '../../lib/errors.js';
import { readLines } from '../../lib/input/stdin.js';
import type { JID } from '../../lib/jid/jid.js';
import { safeText } from '../../lib/output/safe-text.js';
import { importNode } from '../../lib/pubsub/import-node.js';
import { atCompletes, atOption, serviceOf } from './pubsub-flags.js';

export interface ImportCommandOptions {
  /** `-` is stdin. */
  file: string;
  service: JID | undefined;
  node: string | undefined;
  takesAffiliations: boolean;
  takesSubscriptions: boolean;
  reconfigures: boolean;
  retries: number;
}

const maxLineLength = 32 * 1024 * 1024;

export const command = defineCommand({
  path: 'pubsub import',
  summary: 'make a node of what pubsub export wrote',
  description: [
    'Makes the node, configured as the exported one as far as the service can be, and publishes the items under their ids, the oldest first; then gives the affiliations. A node that is there already gets the items, and keeps its configuration unless --reconfigure is given. Run again, it ends in the same state: nothing is there twice.',
    'Services say themselves who published an item: that will be the account that imports it. Subscriptions are made only with --subscriptions, for they make others receive messages.',
    'Prints the id of each item that was published.',
  ].join('\n\n'),
  examples: [
    { does: 'restore a node', line: 'xmppctl pubsub import events.ndjson --at pubsub.example.org' },
    {
      does: 'under another name',
      line: 'xmppctl pubsub import events.ndjson --node events-2025 --at pubsub.example.org',
    },
  ],
  sections: [{ title: 'JSON OUTPUT', text: 'One object a line: id, node, service.' }],
  exitCodes: {
    0: 'all is there',
    1: 'some items were refused, or the file ends early: what could be taken over was',
    2: 'the file was not written by pubsub export',
    5: 'the node may not be made',
    7: 'the file cannot be read',
  },
  completes: { ...atCompletes, file: 'file', '--node': 'none', '--retries': 'none' },
  build: (command) =>
    command
      .argument('[file]', 'the file; standard input when left out, or for -', '-')
      .addOption(atOption)
      .option('--node <name>', 'another name for the node')
      .option('--no-affiliations', 'leave the affiliations out')
      .option('--subscriptions', 'subscribe those who were subscribed')
      .option('--reconfigure', 'configure the node also when it is there already')
      .option('--retries <n>', 'how often an item is sent again when the connection is lost', '5'),
  parse: ([file], flags): ImportCommandOptions => {
    if (!/^\d{1,4}$/.test(flags.retries))
      throw new UsageError(`--retries takes a number, not ${flags.retries}`);
    return {
      file,
      service: flags.at === undefined ? undefined : serviceOf(flags.at),
      node: flags.node,
      takesAffiliations: flags.affiliations,
      takesSubscriptions: flags.subscriptions === true,
      reconfigures: flags.reconfigure === true,
      retries: Number(flags.retries),
    };
  },
  run: runImport,
});

/** @throws NegativeError some were refused @throws StanzaError @throws UsageError @throws FileError */
export async function runImport({ file, ...options }: ImportCommandOptions, context: Context): Promise<void> {
  const { output, signal } = context;
  output.goesOnUnread = true;
  await using session = await context.connect({ resume: true });
  let node = '';
  let published = 0;
  let refused = 0;
  const warn = (text: string): void => output.warn(text);
  for await (const event of importNode(session, linesOf(file, context), { ...options, signal, warn })) {
    if (event.kind === 'node') {
      ({ node } = event.address);
      output.detail(event.isNew ? `${node} was made` : `${node} is there already`);
      continue;
    }
    const { item, id, error } = event;
    if (error) {
      refused += 1;
      warn(`${item.id} was refused: ${error.message}`);
      continue;
    }
    published += 1;
    const service = (options.service ?? session.jid.bare).toString();
    await output.item({ id, node, service }, (shown) => safeText(shown.id, { singleLine: true }));
  }
  await output.flush();
  if (refused > 0) {
    throw new NegativeError(`${refused} of ${published + refused} items were refused`, {
      details: { published, refused },
    });
  }
}

async function* linesOf(file: string, { stdin, signal }: Context): AsyncGenerator<string> {
  const source = file === '-' ? stdin : createReadStream(file);
  try {
    yield* readLines(source, { signal, limit: maxLineLength });
  } catch (error) {
    if (error instanceof XmppctlError) throw error;
    throw new FileError(`cannot read ${file}: ${reasonOf(error)}`, { cause: error });
  }
}
