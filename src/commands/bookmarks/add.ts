import { Option } from '@commander-js/extra-typings';
import { defineCommand } from '../../lib/command/definition.js';
import { keepBookmark } from '../../lib/bookmarks/bookmarks.js';
import { parseRoom, type BookmarkChange } from '../../lib/bookmarks/stanzas.js';
import { roomPasswordFrom } from '../../lib/muc/room-password.js';
import type { Context } from '../../lib/context.js';
import { UsageError } from '../../lib/errors.js';
import type { JID } from '../../lib/jid/jid.js';
import { parseAddress } from '../../lib/jid/xmpp-uri.js';

export interface AddOptions {
  room: JID;
  change: BookmarkChange;
  /** With the password of the room. */
  passwordFile: string | undefined;
}

export const command = defineCommand({
  path: 'bookmarks add',
  summary: 'keep a room, or change how it is kept',
  description:
    'What is not said stays as it was; what other clients have put there does, too. Nothing is printed when all went well. The node is closed to everybody else, if it is not yet.',
  examples: [
    {
      does: 'keep a room, and have clients join it',
      line: 'xmppctl bookmarks add orchard@chat.example.org --name Orchard --nick juliet --autojoin',
    },
    { does: 'join it no more', line: 'xmppctl bookmarks add orchard@chat.example.org --no-autojoin' },
  ],
  exitCodes: { 5: 'the server does not take it', 7: 'the file with the password cannot be read' },
  completes: { room: 'jid', '--name': 'none', '--nick': 'none', '--room-password-file': 'file' },
  build: (command) =>
    command
      .argument('<room>', 'the address of the room')
      .option('--name <name>', 'what it is called')
      .option('--nick <nick>', 'the nickname there')
      .addOption(new Option('--autojoin', 'clients join it when they come online'))
      .addOption(new Option('--no-autojoin', 'they do not'))
      .option('--room-password-file <file>', 'its password, in the first line of a file'),
  parse: ([room], flags): AddOptions => ({
    room: parseRoom(room, parseAddress),
    change: {
      ...(flags.name !== undefined && { name: flags.name }),
      ...(flags.nick !== undefined && { nick: flags.nick }),
      ...(typeof flags.autojoin === 'boolean' && { isAutojoin: flags.autojoin }),
    },
    passwordFile: flags.roomPasswordFile,
  }),
  run: runAdd,
});

/** @throws StanzaError @throws FileError @throws UsageError the file has no password in it */
export async function runAdd({ room, change, passwordFile }: AddOptions, context: Context): Promise<void> {
  const { signal } = context;
  const password = passwordFile === undefined ? undefined : await readPassword(passwordFile);
  await using session = await context.connect();
  const all = { ...change, ...(password !== undefined && { password }) };
  const wasThere = await keepBookmark(session, room, all, { signal });
  context.output.detail(`${room.toString()} was ${wasThere ? 'changed' : 'added'}`);
}

async function readPassword(file: string): Promise<string> {
  const password = await roomPasswordFrom(file, {});
  if (password === undefined || password === '')
    throw new UsageError(`there is no password in the first line of ${file}`);
  return password;
}
