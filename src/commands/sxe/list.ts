import { defineCommand } from '../../lib/command/definition.js';
import type { Context } from '../../lib/context.js';
import type { JID } from '../../lib/jid/jid.js';
import { parseAddress } from '../../lib/jid/xmpp-uri.js';
import { safeText } from '../../lib/output/safe-text.js';
import { enterRoom, nickOption, roomPasswordOption, type RoomFlags } from './sxe-flags.js';

export interface ListOptions extends RoomFlags {
  room: JID;
}

export const command = defineCommand({
  path: 'sxe list',
  summary: 'list the editing sessions in a room',
  description:
    'Enters the room, prints the sessions that its occupants say that they are in (their presence has an sxe element), and leaves: the id, the name and the participants, with tabs between them.',
  examples: [{ does: 'what is edited in a room', line: 'xmppctl sxe list orchard@chat.example.org' }],
  sections: [{ title: 'JSON OUTPUT', text: 'One object a line: session, name, participants.' }],
  exitCodes: { 5: 'the room may not be entered' },
  completes: { room: 'jid', '--nick': 'none', '--room-password-file': 'file' },
  build: (command) =>
    command.argument('<room>', 'the room').addOption(nickOption).addOption(roomPasswordOption),
  parse: ([room], flags): ListOptions => ({
    room: parseAddress(room),
    nick: flags.nick,
    passwordFile: flags.roomPasswordFile,
  }),
  run: runList,
});

/** @throws StanzaError */
export async function runList({ room, ...flags }: ListOptions, context: Context): Promise<void> {
  const { output } = context;
  await using session = await context.connect();
  const entered = await enterRoom(session, room, flags, false, context);
  const sessions = entered.sessions();
  await entered.leave();
  for (const one of sessions) {
    await output.item(one, ({ session: id, name = '', participants }) =>
      [id, name, participants.join(', ')].map((text) => safeText(text, { singleLine: true })).join('\t'),
    );
  }
  await output.flush();
}
