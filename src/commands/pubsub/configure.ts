import { defineCommand } from '../../lib/command/definition.js';
import type { Context } from '../../lib/context.js';
import { NegativeError } from '../../lib/errors.js';
import { parseAnswers, type Answers } from '../../lib/forms/answers.js';
import { changeConfiguration, fetchConfiguration } from '../../lib/pubsub/nodes.js';
import type { NodeAddress } from '../../lib/pubsub/requester.js';
import { printedForm, renderForm } from './form-output.js';
import { addressOf, atCompletes, atOption } from './pubsub-flags.js';

export interface ConfigureOptions {
  address: NodeAddress;
  answers: Answers;
}

export const command = defineCommand({
  path: 'pubsub configure',
  summary: 'show or change how a node is configured',
  description:
    'Without further words it prints the configuration, one name=value on a line, with the values that are possible in brackets. With name=value it changes these, and leaves the others as they are; the same name again adds a value. Names are written without pubsub#.',
  examples: [
    { does: 'show it', line: 'xmppctl pubsub configure urn:example:temp' },
    {
      does: 'let everybody read, and keep the last 100 items',
      line: 'xmppctl pubsub configure urn:example:temp access_model=open max_items=100',
    },
  ],
  sections: [
    {
      title: 'JSON OUTPUT',
      text: 'One object: by name, values, and label and options where the service gives them.',
    },
  ],
  exitCodes: {
    2: 'a name or a value is not one of those that the service offers',
    5: 'the node is not there, or is not yours',
  },
  completes: { ...atCompletes, settings: 'none' },
  build: (command) =>
    command
      .argument('<node>', 'the node')
      .argument('[settings...]', 'what is changed: name=value')
      .addOption(atOption),
  parse: ([node, settings], flags): ConfigureOptions => ({
    address: addressOf(node, flags.at),
    answers: parseAnswers(settings),
  }),
  run: runConfigure,
});

/** @throws StanzaError @throws UsageError a setting does not fit */
export async function runConfigure({ address, answers }: ConfigureOptions, context: Context): Promise<void> {
  const { output, signal } = context;
  await using session = await context.connect();
  if (Object.keys(answers).length > 0) {
    await changeConfiguration(session, address, answers, { signal });
    return;
  }
  const form = await fetchConfiguration(session, address, { signal });
  if (!form) throw new NegativeError(`${address.node} has nothing to configure`);
  await output.result(printedForm(form), (shown) => renderForm(shown, output));
}
