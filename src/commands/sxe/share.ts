import path from 'node:path';
import { defineCommand } from '../../lib/command/definition.js';
import { readTextFile } from '../../lib/config/private-file.js';
import type { Context } from '../../lib/context.js';
import type { JID } from '../../lib/jid/jid.js';
import { safeText } from '../../lib/output/safe-text.js';
import { createDocument } from '../../lib/sxe/load-tree.js';
import { EditingSession } from '../../lib/sxe/session/editing-session.js';
import { advertiseEditing } from '../../lib/sxe/session/find-peer.js';
import { openSchema, refuseInvalid, schemaOption, schemaSection } from './schema-option.js';
import { keepAlive, openLiveFile, tellerOf } from './keep-alive.js';
import { kindOf, openSession } from './open-session.js';
import { nickOption, onlyPlace, roomPasswordOption, type RoomFlags } from './sxe-flags.js';

export interface ShareOptions extends RoomFlags {
  file: string;
  where: JID;
  /** What the session is called. */
  name: string;
  /** The file is kept as the document. */
  isLive: boolean;
  schemaFile: string | undefined;
}

export const command = defineCommand({
  path: 'sxe share',
  summary: 'edit an XML document together with others (XEP-0284)',
  description: [
    'Begins a session with the document in a room, where everybody can join it (xmppctl sxe join), or with one other account, and goes on until it is interrupted. Whoever joins gets the document as it is then. In a room the session goes on without who has begun it, as long as somebody is in it. Psi and Psi+ can take part in drawings (SVG) on their whiteboards: they are invited if they are there.',
    'With --live the file and the document are kept the same, in both directions, whatever program edits the file. What two change at the same time is merged by characters; where both have changed the same words of a file that was saved, both are left in it between marks, and nothing is sent until the marks are gone. A file that is not well-formed is explained and not sent. The file may be written again with other quotes, never with other content.',
  ].join('\n\n'),
  examples: [
    { does: 'in a room', line: 'xmppctl sxe share minutes.xhtml orchard@chat.example.org --live' },
    {
      does: 'only what is valid',
      line: 'xmppctl sxe share minutes.xhtml orchard@chat.example.org --live --schema minutes.rng',
    },
    { does: 'with one other account', line: 'xmppctl sxe share drawing.svg romeo@example.org --live' },
  ],
  sections: [
    {
      title: 'JSON OUTPUT',
      text: 'One object a line: event (shared, joined, left, changed, sent, written, refused, conflict; with a schema invalid, corrected, valid; and taken-back, when somebody else with a schema has taken back what was sent), with session and name, the name of who joined, left or has taken back, the number of edits, the reason, or the lines of a conflict.',
    },
    schemaSection,
  ],
  exitCodes: {
    1: 'the other account does not take the session, or the session was lost',
    2: 'the file is no XML document that can be shared, or is not valid',
    5: 'the room may not be entered',
    7: 'the file cannot be read or written, or the schema is none',
    130: 'interrupted; what had been changed has been sent',
  },
  completes: {
    file: 'file',
    where: 'jid',
    '--room': 'jid',
    '--with': 'jid',
    '--nick': 'none',
    '--room-password-file': 'file',
    '--name': 'none',
    '--schema': 'file',
  },
  build: (command) =>
    command
      .argument('<file>', 'the document')
      .argument('[where]', 'a room, or an account: the same as --room and --with')
      .option('--room <room>', 'in a room')
      .option('--with <jid>', 'with one other account')
      .addOption(nickOption)
      .addOption(roomPasswordOption)
      .option('--name <name>', 'what the session is called; as the file when left out')
      .option('--live', 'keep the file as the document, in both directions')
      .addOption(schemaOption),
  parse: ([file, where], flags): ShareOptions => ({
    file,
    where: onlyPlace(
      [where, flags.room, flags.with],
      'with whom is it shared? a room or an account is needed',
    ),
    nick: flags.nick,
    passwordFile: flags.roomPasswordFile,
    name: flags.name ?? path.basename(file),
    isLive: flags.live === true,
    schemaFile: flags.schema,
  }),
  run: runShare,
});

/** @throws UsageError @throws FileError @throws NegativeError @throws StanzaError */
export async function runShare(options: ShareOptions, context: Context): Promise<void> {
  const { output } = context;
  const { file, name, isLive } = options;
  using schema = await openSchema(options.schemaFile);
  // What is wrong with it costs nothing.
  const text = await readTextFile(file, 'the document');
  const kind = kindOf(text, file);
  await refuseInvalid(schema, text, file);
  await using session = await context.connect({ resume: true });
  using _features = advertiseEditing(session);
  const channel = await openSession(session, kind, options, context);
  const make = (own: string, site: string) => createDocument(text, own, site);
  const editing = EditingSession.share(channel, kind.application, make, { schema });
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
