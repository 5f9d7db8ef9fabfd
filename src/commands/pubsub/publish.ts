import { randomUUID } from 'node:crypto';
import { Option } from '@commander-js/extra-typings';
import { defineCommand } from '../../lib/command/definition.js';
import { shellQuote } from '../../lib/completion/shell-quote.js';
import { readTextFile } from '../../lib/config/private-file.js';
import type { Context } from '../../lib/context.js';
import { NegativeError, UsageError } from '../../lib/errors.js';
import { parseAnswers } from '../../lib/forms/answers.js';
import { readLines, readText } from '../../lib/input/stdin.js';
import { safeText } from '../../lib/output/safe-text.js';
import { KeptItems } from '../../lib/pubsub/kept-items.js';
import { makePayload, payloadKinds, type PayloadKind } from '../../lib/pubsub/payload.js';
import { publishItems, type OutgoingItem } from '../../lib/pubsub/publish-items.js';
import { isPreconditionNotMet, type NodeAddress } from '../../lib/pubsub/requester.js';
import { addressOf, atCompletes, atOption, collect } from './pubsub-flags.js';

export interface PublishOptions {
  address: NodeAddress;
  /** `-` is stdin. */
  files: readonly string[];
  isPerLine: boolean;
  id: string | undefined;
  kind: PayloadKind;
  /** What JSON is, as a URI. */
  datatype: string | undefined;
  publishOptions: Readonly<Record<string, string>> | undefined;
  creates: boolean;
  reconfigures: boolean;
  retries: number;
}

const maxPayloadBytes = 16 * 1024 * 1024;

export const command = defineCommand({
  path: 'pubsub publish',
  summary: 'publish items',
  description: [
    'Publishes a file, several files, or what is read from stdin, as items of a node, and prints the id of each. The node is one of the own account (PEP) unless --at names a service or another account.',
    'With --per-line each line of stdin is an item: an XML element, or a JSON object with payload (XML text) and, if wanted, id. Many are under way at a time, in order; each is confirmed. If the connection is lost, what was not confirmed is sent again under the same id, so that every item is there once.',
    'A node keeps as many items as its configuration says, and one of an account usually only the last. When more are published than it keeps, standard error says so, unless --quiet. To have all of them: xmppctl pubsub configure NODE max_items=NUMBER.',
    '--as json puts JSON into a container (XEP-0335); with --datatype also what it is (XEP-0432). --as atom makes an entry of a text whose first line is the title.',
    '--option says how the node has to be configured (publish-options): where it does not exist it is made so, where it is configured otherwise nothing is published, unless --reconfigure changes it.',
  ].join('\n\n'),
  examples: [
    {
      does: 'publish one item to the own account',
      line: 'xmppctl pubsub publish urn:example:weather weather.xml',
    },
    {
      does: 'tell contacts only',
      line: 'echo \'{"temp": 21}\' | xmppctl pubsub publish urn:example:temp --as json --id current --option access_model=presence',
    },
    {
      does: 'a stream of items to a service, making the node if need be',
      line: 'producer | xmppctl pubsub publish events --at pubsub.example.org --per-line --create',
    },
    {
      does: 'a short text as an Atom entry',
      line: "echo 'Hello world' | xmppctl pubsub publish urn:xmpp:microblog:0 --as atom",
    },
  ],
  exitCodes: {
    0: 'all were published',
    1: 'some were refused, and others were not; each is named on standard error',
    2: 'the payload is not what --as says: nothing was published',
    5: 'the item was refused',
  },
  completes: {
    ...atCompletes,
    files: 'file',
    '--id': 'none',
    '--as': payloadKinds,
    '--option': 'none',
    '--datatype': 'none',
    '--retries': 'none',
  },
  build: (command) =>
    command
      .argument('<node>', 'the node')
      .argument('[files...]', 'files with one item each; stdin when left out, or for -')
      .addOption(atOption)
      .option('--id <id>', 'the id of the item; a random one when left out')
      .addOption(new Option('--as <kind>', 'what the input is').choices(payloadKinds).default('xml' as const))
      .option('--datatype <uri>', 'with --as json: what the JSON is (XEP-0432)')
      .option('--per-line', 'each line of stdin is an item')
      .option('--stdin', 'the same as --per-line')
      .option(
        '--option <name=value>',
        'how the node has to be configured, as access_model=open (repeatable)',
        collect,
        [],
      )
      .option('--create', 'make the node when it is not there')
      .option('--reconfigure', 'change the configuration of the node when it is not as --option says')
      .option('--retries <n>', 'how often an item is sent again when the connection is lost', '5'),
  parse: ([node, files], flags): PublishOptions => {
    const isPerLine = flags.perLine === true || flags.stdin === true;
    if (flags.datatype !== undefined && flags.as !== 'json')
      throw new UsageError('--datatype goes with --as json');
    if (isPerLine && (files.some((file) => file !== '-') || flags.id !== undefined)) {
      throw new UsageError('--per-line reads its items, and their ids, from stdin');
    }
    if (flags.id !== undefined && files.length > 1) throw new UsageError('--id is for one item');
    const retries = Number(flags.retries);
    if (!/^\d{1,4}$/.test(flags.retries))
      throw new UsageError(`--retries takes a number, not ${flags.retries}`);
    const answers = Object.entries(parseAnswers(flags.option));
    for (const [name, values] of answers) {
      if (values.length > 1) throw new UsageError(`--option ${name} is given twice`);
    }
    return {
      address: addressOf(node, flags.at),
      files: files.length === 0 ? ['-'] : files,
      isPerLine,
      id: flags.id,
      kind: flags.as,
      datatype: flags.datatype,
      publishOptions:
        answers.length === 0
          ? undefined
          : Object.fromEntries(answers.map(([name, [value = '']]) => [name.replace(/^pubsub#/, ''), value])),
      creates: flags.create === true,
      reconfigures: flags.reconfigure === true,
      retries,
    };
  },
  run: runPublish,
});

/** @throws NegativeError some were refused @throws StanzaError the only one was refused */
export async function runPublish(options: PublishOptions, context: Context): Promise<void> {
  const { output } = context;
  output.goesOnUnread = true;
  const { address } = options;
  // One item is read whole before anything is connected: what is wrong with it costs nothing.
  const items = options.isPerLine ? itemsOfLines(options, context) : await itemsOfFiles(options, context);
  await using session = await context.connect({ resume: true });
  let published = 0;
  let refused = 0;
  // Who says how many are kept need not be told.
  const kept =
    options.publishOptions?.['max_items'] === undefined
      ? new KeptItems(session, address, (most) => output.note(keepsOnly(most, address)), {
          signal: context.signal,
        })
      : undefined;
  for await (const { item, id, error } of publishItems(session, items, options)) {
    if (error) {
      if (!options.isPerLine && options.files.length === 1) throw explain(error, options);
      refused += 1;
      output.warn(`${item.id} was refused: ${explain(error, options).message}`);
      continue;
    }
    published += 1;
    kept?.add(id);
    const service = address.service?.toString() ?? session.jid.bare.toString();
    await output.item({ id, node: address.node, service }, (shown) =>
      safeText(shown.id, { singleLine: true }),
    );
  }
  await kept?.finish();
  await output.flush();
  if (refused > 0) {
    throw new NegativeError(`${refused} of ${published + refused} items were refused`, {
      details: { published, refused },
    });
  }
}

function keepsOnly(most: number, { node, service }: NodeAddress): string {
  const items = most === 1 ? 'last item' : `last ${most} items`;
  const at = service ? ` --at ${shellQuote(service.toString())}` : '';
  return `the node ${safeText(node, { singleLine: true })} keeps the ${items} only; to keep more: xmppctl pubsub configure ${shellQuote(node)} max_items=NUMBER${at}`;
}

function explain(error: Error, { address }: PublishOptions): Error {
  if (!isPreconditionNotMet(error)) return error;
  return new NegativeError(`the node ${address.node} is configured in another way than --option says`, {
    hint: '--reconfigure changes it',
    cause: error,
  });
}

async function itemsOfFiles(
  { files, kind, datatype, id }: PublishOptions,
  { stdin, signal, clock }: Context,
): Promise<OutgoingItem[]> {
  const items: OutgoingItem[] = [];
  for (const file of files) {
    const text =
      file === '-'
        ? await readText(stdin, { signal, limit: maxPayloadBytes })
        : await readTextFile(file, 'the item');
    const itemId = id ?? randomUUID();
    const name = file === '-' ? 'standard input' : file;
    items.push({
      id: itemId,
      payload: makePayload(text, kind, name, { id: itemId, now: new Date(clock.now()), datatype }),
    });
  }
  return items;
}

async function* itemsOfLines(
  { kind, datatype }: PublishOptions,
  { stdin, signal, clock }: Context,
): AsyncGenerator<OutgoingItem> {
  let number = 0;
  for await (const line of readLines(stdin, { signal, limit: maxPayloadBytes })) {
    number += 1;
    if (line.trim() === '') continue;
    const name = `line ${number}`;
    const { id = randomUUID(), text } =
      kind === 'xml' && line.trimStart().startsWith('{') ? readEnvelope(line, name) : { text: line };
    yield { id, payload: makePayload(text, kind, name, { id, now: new Date(clock.now()), datatype }) };
  }
}

/** `{"id": "1", "payload": "<a xmlns='urn:example'/>"}`. @throws UsageError */
function readEnvelope(line: string, name: string): { id?: string; text: string } {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    throw new UsageError(`${name} is neither XML nor JSON`, { cause: error });
  }
  if (
    typeof value !== 'object' ||
    value === null ||
    !('payload' in value) ||
    typeof value.payload !== 'string'
  ) {
    throw new UsageError(`${name} has no "payload" with XML text in it`);
  }
  const id = 'id' in value ? value.id : undefined;
  if (id !== undefined && typeof id !== 'string') throw new UsageError(`the "id" of ${name} is not a text`);
  return { ...(id !== undefined && { id }), text: value.payload };
}
