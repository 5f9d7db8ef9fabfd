import { defineCommand } from '../../lib/command/definition.js';
import { readBookmarks } from '../../lib/bookmarks/bookmarks.js';
import type { Bookmark } from '../../lib/bookmarks/stanzas.js';
import type { Context } from '../../lib/context.js';
import { safeText } from '../../lib/output/safe-text.js';

export const command = defineCommand({
  path: 'bookmarks list',
  summary: 'list the rooms that the account keeps',
  description:
    'Prints the address of each room, its name, the nickname there, and autojoin where clients join by themselves, with tabs between them. Passwords of rooms are not printed.',
  examples: [{ does: 'the rooms', line: 'xmppctl bookmarks list' }],
  sections: [
    {
      title: 'JSON OUTPUT',
      text: 'One object a line: room, name and nick where there are such, isAutojoin, hasPassword.',
    },
  ],
  build: (command) => command,
  parse: () => undefined,
  run: runList,
});

/** @throws StanzaError */
export async function runList(_options: undefined, context: Context): Promise<void> {
  const { output, signal } = context;
  await using session = await context.connect();
  for await (const bookmark of readBookmarks(session, { signal })) {
    await output.item(printedBookmark(bookmark), ({ room, name = '', nick = '', isAutojoin }) =>
      [room, name, nick, isAutojoin ? 'autojoin' : '']
        .map((text) => safeText(text, { singleLine: true }))
        .join('\t')
        .trimEnd(),
    );
  }
  await output.flush();
}

function printedBookmark({ password, room, ...rest }: Bookmark) {
  return { room: room.toString(), ...rest, hasPassword: password !== undefined };
}
