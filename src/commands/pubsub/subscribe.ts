import { defineCommand } from '../../lib/command/definition.js';
import type { Context } from '../../lib/context.js';
import { parseAnswers, type Answers } from '../../lib/forms/answers.js';
import type { NodeAddress } from '../../lib/pubsub/requester.js';
import { subscribe } from '../../lib/pubsub/subscriptions.js';
import { addressOf, atCompletes, atOption } from './pubsub-flags.js';

export interface SubscribeOptions {
  address: NodeAddress;
  settings: Answers;
}

export const command = defineCommand({
  path: 'pubsub subscribe',
  summary: 'have the account told of what is published at a node',
  description:
    'Prints the state: subscribed, or pending where an owner has to approve. Settings of the subscription are written as name=value, where the service has such. The subscription stays after the program has ended; xmppctl pubsub watch needs none.',
  examples: [
    { does: 'subscribe', line: 'xmppctl pubsub subscribe events --at pubsub.example.org' },
    {
      does: 'to all nodes in a collection',
      line: 'xmppctl pubsub subscribe blogs subscription_type=items subscription_depth=all --at pubsub.example.org',
    },
  ],
  sections: [
    { title: 'JSON OUTPUT', text: 'One object: node, jid, state, and subid where the service gives one.' },
  ],
  exitCodes: { 5: 'the node is not there, or may not be subscribed to' },
  completes: { ...atCompletes, settings: 'none' },
  build: (command) =>
    command.argument('<node>', 'the node').argument('[settings...]', 'how: name=value').addOption(atOption),
  parse: ([node, settings], flags): SubscribeOptions => ({
    address: addressOf(node, flags.at),
    settings: parseAnswers(settings),
  }),
  run: runSubscribe,
});

/** @throws StanzaError */
export async function runSubscribe({ address, settings }: SubscribeOptions, context: Context): Promise<void> {
  await using session = await context.connect();
  const made = await subscribe(session, { ...address, settings }, session.jid.bare, {
    signal: context.signal,
  });
  await context.output.result({ ...made, jid: made.jid.toString() }, ({ state }) => state);
}
