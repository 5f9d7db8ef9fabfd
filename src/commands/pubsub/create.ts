import { defineCommand } from '../../lib/command/definition.js';
import type { Context } from '../../lib/context.js';
import { parseAnswers, type Answers } from '../../lib/forms/answers.js';
import type { JID } from '../../lib/jid/jid.js';
import { safeText } from '../../lib/output/safe-text.js';
import { createNode } from '../../lib/pubsub/nodes.js';
import { atCompletes, atOption, serviceOf } from './pubsub-flags.js';

export interface CreateOptions {
  service: JID | undefined;
  /** Undefined: the service makes a name up. */
  node: string | undefined;
  answers: Answers;
}

export const command = defineCommand({
  path: 'pubsub create',
  summary: 'make a node',
  description:
    'Prints the name of the node. Without a name the service makes one up. What is not said is as the service has it by default (xmppctl pubsub default).',
  examples: [
    {
      does: 'a node that only members may read',
      line: 'xmppctl pubsub create events access_model=whitelist --at pubsub.example.org',
    },
    {
      does: 'a node in a collection',
      line: 'xmppctl pubsub create blogs/juliet collection=blogs --at pubsub.example.org',
    },
  ],
  sections: [{ title: 'JSON OUTPUT', text: 'One object with node.' }],
  exitCodes: { 5: 'the node is there already, or nodes may not be made' },
  completes: { ...atCompletes, settings: 'none' },
  build: (command) =>
    command
      .argument('[node]', 'the name; made up by the service when left out')
      .argument('[settings...]', 'how it is configured: name=value')
      .addOption(atOption),
  parse: ([node, settings], flags): CreateOptions => ({
    service: flags.at === undefined ? undefined : serviceOf(flags.at),
    node,
    answers: parseAnswers(settings),
  }),
  run: runCreate,
});

/** @throws StanzaError */
export async function runCreate({ service, node, answers }: CreateOptions, context: Context): Promise<void> {
  const { output, signal } = context;
  await using session = await context.connect();
  const name = await createNode(session, { service, node }, answers, { signal });
  await output.result({ node: name }, (shown) => safeText(shown.node, { singleLine: true }));
}
