import { defineCommand } from '../../lib/command/definition.js';
import type { Context } from '../../lib/context.js';
import { NegativeError } from '../../lib/errors.js';
import type { JID } from '../../lib/jid/jid.js';
import { fetchDefaultConfiguration } from '../../lib/pubsub/nodes.js';
import { printedForm, renderForm } from './form-output.js';
import { atCompletes, atOption, serviceOf } from './pubsub-flags.js';

export interface DefaultOptions {
  service: JID | undefined;
}

export const command = defineCommand({
  path: 'pubsub default',
  summary: 'show how a new node is configured',
  description:
    'Prints what a node has that is made without saying more, one name=value on a line, with the values that are possible in brackets.',
  examples: [
    { does: 'what can be said about a new node', line: 'xmppctl pubsub default --at pubsub.example.org' },
  ],
  sections: [{ title: 'JSON OUTPUT', text: 'As of xmppctl pubsub configure.' }],
  exitCodes: { 5: 'the service does not say' },
  completes: atCompletes,
  build: (command) => command.addOption(atOption),
  parse: (_args, flags): DefaultOptions => ({
    service: flags.at === undefined ? undefined : serviceOf(flags.at),
  }),
  run: runDefault,
});

/** @throws StanzaError @throws NegativeError the service does not say */
export async function runDefault({ service }: DefaultOptions, context: Context): Promise<void> {
  const { output, signal } = context;
  await using session = await context.connect();
  const form = await fetchDefaultConfiguration(session, service, { signal });
  if (!form) throw new NegativeError('the service does not say what a new node has');
  await output.result(printedForm(form), (shown) => renderForm(shown, output));
}
