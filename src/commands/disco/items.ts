import { defineCommand } from '../../lib/command/definition.js';
import type { Context } from '../../lib/context.js';
import { queryItems } from '../../lib/disco/query.js';
import { parseAddress } from '../../lib/jid/xmpp-uri.js';
import { renderTable } from '../../lib/output/table.js';
import type { DiscoOptions } from './info.js';

export const command = defineCommand({
  path: 'disco items',
  summary: 'list what belongs to an entity: its services, rooms or nodes',
  description: [
    'Asks an entity for its items (XEP-0030): of a server these are its services, of a chat service its rooms, of a publish-subscribe service its nodes. Without an address the own server is asked.',
    'Text output has three columns: address, node and name. They are separated by tabs when stdout is not a terminal.',
  ].join('\n\n'),
  examples: [
    { does: 'list the services of the own server', line: 'xmppctl disco items' },
    { does: 'list the public rooms of a chat service', line: 'xmppctl disco items conference.example.org' },
  ],
  completes: { jid: 'jid', '--node': 'none' },
  build: (command) =>
    command
      .argument('[jid]', 'whom to ask; the own server when left out')
      .option('--node <node>', 'ask about a node of the entity'),
  parse: ([jid], { node }): DiscoOptions => ({ to: jid === undefined ? undefined : parseAddress(jid), node }),
  run: runDiscoItems,
});

export async function runDiscoItems({ to, node }: DiscoOptions, context: Context): Promise<void> {
  await using session = await context.connect();
  const items = await queryItems(session, to, node, { signal: context.signal });
  await context.output.result(
    items.map((item) => ({ ...item, jid: item.jid.toString() })),
    (shown) =>
      renderTable(
        context.output,
        ['address', 'node', 'name'],
        shown.map((item) => [item.jid, item.node ?? '', item.name ?? '']),
      ),
  );
}
