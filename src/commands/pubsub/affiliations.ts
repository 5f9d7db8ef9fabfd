import { defineCommand } from '../../lib/command/definition.js';
import type { Context } from '../../lib/context.js';
import { UsageError } from '../../lib/errors.js';
import type { JID } from '../../lib/jid/jid.js';
import { parseAddress } from '../../lib/jid/xmpp-uri.js';
import { safeText } from '../../lib/output/safe-text.js';
import {
  affiliationNames,
  changeAffiliations,
  fetchAffiliations,
  fetchNodeAffiliations,
} from '../../lib/pubsub/subscriptions.js';
import { atCompletes, atOption, collect, serviceOf } from './pubsub-flags.js';

export interface AffiliationsOptions {
  service: JID | undefined;
  node: string | undefined;
  changes: readonly { jid: JID; affiliation: string }[];
}

export const command = defineCommand({
  path: 'pubsub affiliations',
  summary: 'list or change who may do what at a node',
  description:
    'Without a node it prints the own affiliations at the service; with one, those of everybody there, which only its owners may see. --set gives somebody an affiliation: owner, publisher, publish-only, member, outcast, or none.',
  examples: [
    {
      does: 'let somebody publish',
      line: 'xmppctl pubsub affiliations events --set romeo@example.org=publisher --at pubsub.example.org',
    },
  ],
  sections: [{ title: 'JSON OUTPUT', text: 'One object a line: node or jid, and affiliation.' }],
  exitCodes: { 5: 'the node is not there, or is not yours' },
  completes: { ...atCompletes, '--set': 'none' },
  build: (command) =>
    command
      .argument('[node]', 'the node')
      .addOption(atOption)
      .option('--set <jid=affiliation>', 'change an affiliation (repeatable)', collect, []),
  parse: ([node], flags): AffiliationsOptions => {
    const changes = flags.set.map(parseChange);
    if (changes.length > 0 && node === undefined) throw new UsageError('--set is about one node: name it');
    return { service: flags.at === undefined ? undefined : serviceOf(flags.at), node, changes };
  },
  run: runAffiliations,
});

function parseChange(text: string): { jid: JID; affiliation: string } {
  const equals = text.lastIndexOf('=');
  const affiliation = affiliationNames.find((name) => name === text.slice(equals + 1));
  if (equals < 1 || !affiliation) {
    throw new UsageError(`${JSON.stringify(text)} is no address with an affiliation`, {
      hint: `write JID=AFFILIATION, one of ${affiliationNames.join(', ')}`,
    });
  }
  return { jid: parseAddress(text.slice(0, equals)), affiliation };
}

/** @throws StanzaError */
export async function runAffiliations(
  { service, node, changes }: AffiliationsOptions,
  context: Context,
): Promise<void> {
  const { output, signal } = context;
  await using session = await context.connect();
  const address = node === undefined ? undefined : { node, ...(service && { service }) };
  if (address && changes.length > 0) {
    await changeAffiliations(session, address, changes, { signal });
    return;
  }
  const found = address
    ? await fetchNodeAffiliations(session, address, { signal })
    : await fetchAffiliations(session, service, { signal });
  for (const { jid, node: where, affiliation } of found) {
    const whom = jid?.toString() ?? where ?? '';
    await output.item({ ...(jid ? { jid: whom } : { node: whom }), affiliation }, () =>
      [whom, affiliation].map((text) => safeText(text, { singleLine: true })).join('\t'),
    );
  }
  await output.flush();
}
