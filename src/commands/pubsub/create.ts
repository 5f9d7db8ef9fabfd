import { defineCommand } from '../../lib/command/definition.js';
import type { Context } from '../../lib/context.js';
import { NegativeError } from '../../lib/errors.js';
import { parseAnswers, type Answers } from '../../lib/forms/answers.js';
import type { JID } from '../../lib/jid/jid.js';
import { safeText } from '../../lib/output/safe-text.js';
import { createNode, fetchDefaultConfiguration } from '../../lib/pubsub/nodes.js';
import { printedForm, renderForm } from './form-output.js';
import { atCompletes, atOption, serviceOf } from './pubsub-flags.js';

export interface CreateOptions {
  service: JID | undefined;
  /** Undefined: the service makes a name up. */
  node: string | undefined;
  answers: Answers;
  /** Only show what a new node has. */
  showsDefaults: boolean;
}

export const command = defineCommand({
  path: 'pubsub create',
  summary: 'make a node',
  description:
    'Prints the name of the node. Without a name the service makes one up. What is not said is as the service has it by default; --defaults shows that, and makes nothing.',
  examples: [
    {
      does: 'a node that only members may read',
      line: 'xmppctl pubsub create events access_model=whitelist --at pubsub.example.org',
    },
    {
      does: 'what can be said about a new node',
      line: 'xmppctl pubsub create --defaults --at pubsub.example.org',
    },
  ],
  sections: [
    { title: 'JSON OUTPUT', text: 'One object with node; with --defaults as of xmppctl pubsub configure.' },
  ],
  exitCodes: { 5: 'the node is there already, or nodes may not be made' },
  completes: { ...atCompletes, settings: 'none' },
  build: (command) =>
    command
      .argument('[node]', 'the name; made up by the service when left out')
      .argument('[settings...]', 'how it is configured: name=value')
      .addOption(atOption)
      .option('--defaults', 'show what a new node has, and make none'),
  parse: ([node, settings], flags): CreateOptions => ({
    service: flags.at === undefined ? undefined : serviceOf(flags.at),
    node,
    answers: parseAnswers(settings),
    showsDefaults: flags.defaults === true,
  }),
  run: runCreate,
});

/** @throws StanzaError */
export async function runCreate(
  { service, node, answers, showsDefaults }: CreateOptions,
  context: Context,
): Promise<void> {
  const { output, signal } = context;
  await using session = await context.connect();
  if (showsDefaults) {
    const form = await fetchDefaultConfiguration(session, service, { signal });
    if (!form) throw new NegativeError('the service does not say what a new node has');
    await output.result(printedForm(form), (shown) => renderForm(shown, output));
    return;
  }
  const name = await createNode(session, { service, node }, answers, { signal });
  await output.result({ node: name }, (shown) => safeText(shown.node, { singleLine: true }));
}
