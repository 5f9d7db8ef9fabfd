import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { defineCommand } from '../../lib/command/definition.js';
import { readTextFile } from '../../lib/config/private-file.js';
import type { Context } from '../../lib/context.js';
import { ProtocolError, UsageError } from '../../lib/errors.js';
import type { JID } from '../../lib/jid/jid.js';
import { parseAddress } from '../../lib/jid/xmpp-uri.js';
import { safeText } from '../../lib/output/safe-text.js';
import type { Session } from '../../lib/session/session.js';
import { applicationOf } from '../../lib/sxe/document-kind.js';
import { createDocument } from '../../lib/sxe/load-tree.js';
import type { Channel } from '../../lib/sxe/session/channel.js';
import { EditingSession } from '../../lib/sxe/session/editing-session.js';
import { advertiseEditing, offerTo } from '../../lib/sxe/session/peer-channel.js';
import { keepAlive, openLiveFile, tellerOf } from './keep-alive.js';
import { enterToSpeak, isRoom, nickOption, roomPasswordOption, type RoomFlags } from './sxe-flags.js';

export interface ShareOptions extends RoomFlags {
  file: string;
  where: JID;
  /** What the session is called. */
  name: string;
  /** The file is kept as the document. */
  isLive: boolean;
}

export const command = defineCommand({
  path: 'sxe share',
  summary: 'edit an XML document together with others (XEP-0284)',
  description: [
    'Begins a session with the document in a room, where everybody can join it (xmppctl sxe join), or with one other account, and goes on until it is interrupted. Whoever joins gets the document as it is then. In a room the session goes on without who has begun it, as long as somebody is in it.',
    'With --live the file and the document are kept the same, in both directions, whatever program edits the file. What two change at the same time is merged by characters; where both have changed the same words of a file that was saved, both are left in it between marks, and nothing is sent until the marks are gone. A file that is not well-formed is explained and not sent. The file may be written again with other quotes, never with other content.',
  ].join('\n\n'),
  examples: [
    { does: 'in a room', line: 'xmppctl sxe share minutes.xhtml orchard@chat.example.org --live' },
    { does: 'with one other account', line: 'xmppctl sxe share drawing.svg romeo@example.org --live' },
  ],
  sections: [
    {
      title: 'JSON OUTPUT',
      text: 'One object a line: event (shared, joined, left, changed, sent, written, refused, conflict), with session and name, the name of who joined or left, the number of edits, the reason, or the lines of a conflict.',
    },
  ],
  exitCodes: {
    1: 'the other account does not take the session, or the session was lost',
    2: 'the file is no XML document that can be shared',
    5: 'the room may not be entered',
    7: 'the file cannot be read or written',
    130: 'interrupted; what had been changed has been sent',
  },
  completes: {
    file: 'file',
    where: 'jid',
    '--nick': 'none',
    '--room-password-file': 'file',
    '--name': 'none',
  },
  build: (command) =>
    command
      .argument('<file>', 'the document')
      .argument('<where>', 'a room, or an account')
      .addOption(nickOption)
      .addOption(roomPasswordOption)
      .option('--name <name>', 'what the session is called; as the file when left out')
      .option('--live', 'keep the file as the document, in both directions'),
  parse: ([file, where], flags): ShareOptions => ({
    file,
    where: parseAddress(where),
    nick: flags.nick,
    passwordFile: flags.roomPasswordFile,
    name: flags.name ?? path.basename(file),
    isLive: flags.live === true,
  }),
  run: runShare,
});

/** @throws UsageError @throws FileError @throws NegativeError @throws StanzaError */
export async function runShare(options: ShareOptions, context: Context): Promise<void> {
  const { output } = context;
  const { file, name, isLive } = options;
  // What is wrong with it costs nothing.
  const text = await readTextFile(file, 'the document');
  const application = kindOf(text, file);
  await using session = await context.connect({ resume: true });
  using _features = advertiseEditing(session);
  const channel = await openSession(session, application, options, context);
  const editing = EditingSession.share(channel, application, (own, site) => createDocument(text, own, site));
  try {
    await output.item({ event: 'shared', session: channel.session, name }, (shown) =>
      safeText(`shared\t${shown.session}\t${shown.name}`, { singleLine: true }).replaceAll('␉', '\t'),
    );
    await output.flush();
    const teller = tellerOf(output);
    using live = isLive ? await openLiveFile(editing, file, teller) : undefined;
    await keepAlive(editing, live, teller, context.signal);
  } finally {
    await editing.close();
  }
}

/** The application of a document. @throws UsageError it is none */
export function kindOf(text: string, file: string): string {
  try {
    return applicationOf(text);
  } catch (error) {
    if (error instanceof ProtocolError) throw new UsageError(`${file}: ${error.message}`, { cause: error });
    throw error;
  }
}

/** In a room, or with another account. @throws UsageError @throws NegativeError it is declined @throws StanzaError */
export async function openSession(
  session: Session,
  application: string,
  { where, name, ...flags }: RoomFlags & Pick<ShareOptions, 'where' | 'name'>,
  context: Context,
): Promise<Channel> {
  const { output, signal } = context;
  if (!(await isRoom(session, where, context))) {
    return offerTo(session, where, application, {
      signal,
      onWaiting: () => output.note(`waiting until ${where.toString()} can take it`),
    });
  }
  const room = await enterToSpeak(session, where, flags, true, context);
  return room.open(randomUUID(), name);
}
