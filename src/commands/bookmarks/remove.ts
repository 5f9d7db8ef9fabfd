import { defineCommand } from '../../lib/command/definition.js';
import { removeBookmark } from '../../lib/bookmarks/bookmarks.js';
import { parseRoom } from '../../lib/bookmarks/stanzas.js';
import type { Context } from '../../lib/context.js';
import { NegativeError } from '../../lib/errors.js';
import type { JID } from '../../lib/jid/jid.js';
import { parseAddress } from '../../lib/jid/xmpp-uri.js';

export interface RemoveOptions {
  rooms: readonly JID[];
}

export const command = defineCommand({
  path: 'bookmarks remove',
  summary: 'keep a room no more',
  description: 'Clients leave the room, as a rule. Nothing is printed when all went well.',
  examples: [{ does: 'forget a room', line: 'xmppctl bookmarks remove orchard@chat.example.org' }],
  exitCodes: { 1: 'a room was not kept; the others are removed', 5: 'the server does not do it' },
  completes: { rooms: 'jid' },
  build: (command) => command.argument('<rooms...>', 'the addresses of the rooms'),
  parse: ([rooms]): RemoveOptions => ({ rooms: rooms.map((room) => parseRoom(room, parseAddress)) }),
  run: runRemove,
});

/** @throws NegativeError one was not there @throws StanzaError */
export async function runRemove({ rooms }: RemoveOptions, context: Context): Promise<void> {
  const { signal } = context;
  await using session = await context.connect();
  const missing: string[] = [];
  for (const room of rooms)
    if (!(await removeBookmark(session, room, { signal }))) missing.push(room.toString());
  if (missing.length > 0)
    throw new NegativeError(`not there: ${missing.join(', ')}`, { details: { missing } });
}
