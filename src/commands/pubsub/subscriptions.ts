import { defineCommand } from '../../lib/command/definition.js';
import type { Context } from '../../lib/context.js';
import { UsageError } from '../../lib/errors.js';
import type { JID } from '../../lib/jid/jid.js';
import { safeText } from '../../lib/output/safe-text.js';
import { fetchNodeSubscriptions, fetchSubscriptions } from '../../lib/pubsub/subscriptions.js';
import { atCompletes, atOption, serviceOf } from './pubsub-flags.js';

export interface SubscriptionsOptions {
  service: JID | undefined;
  node: string | undefined;
  /** Everybody's, as the owner of the node sees them. */
  isOwner: boolean;
}

export const command = defineCommand({
  path: 'pubsub subscriptions',
  summary: 'list subscriptions: the own ones, or those of everybody at an own node',
  description: 'Prints node, address and state of each, separated by tabs.',
  examples: [
    { does: 'the own ones', line: 'xmppctl pubsub subscriptions --at pubsub.example.org' },
    {
      does: 'who is told of an own node',
      line: 'xmppctl pubsub subscriptions events --owner --at pubsub.example.org',
    },
  ],
  sections: [
    {
      title: 'JSON OUTPUT',
      text: 'One object a line: node, jid, state, and subid where the service gives one.',
    },
  ],
  exitCodes: { 5: 'the node is not there, or is not yours' },
  completes: atCompletes,
  build: (command) =>
    command
      .argument('[node]', 'only at this node')
      .addOption(atOption)
      .option('--owner', 'those of everybody, at an own node'),
  parse: ([node], flags): SubscriptionsOptions => {
    if (flags.owner === true && node === undefined)
      throw new UsageError('--owner is about one node: name it');
    return {
      service: flags.at === undefined ? undefined : serviceOf(flags.at),
      node,
      isOwner: flags.owner === true,
    };
  },
  run: runSubscriptions,
});

/** @throws StanzaError */
export async function runSubscriptions(
  { service, node, isOwner }: SubscriptionsOptions,
  context: Context,
): Promise<void> {
  const { output, signal } = context;
  await using session = await context.connect();
  const found =
    isOwner && node !== undefined
      ? await fetchNodeSubscriptions(session, { node, ...(service && { service }) }, { signal })
      : await fetchSubscriptions(session, service, node, { signal });
  for (const one of found) {
    await output.item({ ...one, jid: one.jid.toString() }, (shown) =>
      [shown.node, shown.jid, shown.state].map((text) => safeText(text, { singleLine: true })).join('\t'),
    );
  }
  await output.flush();
}
