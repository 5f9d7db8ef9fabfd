import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { defineCommand } from '../../lib/command/definition.js';
import { readTextFile } from '../../lib/config/private-file.js';
import type { Context } from '../../lib/context.js';
import { UsageError, type FileError } from '../../lib/errors.js';
import type { JID } from '../../lib/jid/jid.js';
import { parseAddress } from '../../lib/jid/xmpp-uri.js';
import { safeText } from '../../lib/output/safe-text.js';
import { createDocument } from '../../lib/sxe/load-tree.js';
import { PsiDialect } from '../../lib/sxe/session/psi-dialect.js';
import { DocumentStore } from '../../lib/sxe/session/document-store.js';
import { EditingSession } from '../../lib/sxe/session/editing-session.js';
import type { EditingRoom } from '../../lib/sxe/session/editing-room.js';
import { advertiseEditing } from '../../lib/sxe/session/find-peer.js';
import type { Session } from '../../lib/session/session.js';
import type { Schema } from '../../lib/sxe/schema/schema.js';
import { NS_XML_EDITING } from '../../lib/sxe/stanzas.js';
import { openSchema, refuseInvalid, schemaOption, schemaSection } from './schema-option.js';
import { keepAlive, tellerOf } from './keep-alive.js';
import { kindOf, openInRoom } from './open-session.js';
import {
  chooseSession,
  enterToSpeak,
  nickOption,
  roomPasswordOption,
  sessionOption,
  untilDocument,
  type RoomFlags,
} from './sxe-flags.js';

export interface HostOptions extends RoomFlags {
  folder: string;
  room: JID;
  /** What a session begins with. */
  file: string | undefined;
  name: string | undefined;
  sessionId: string | undefined;
  schemaFile: string | undefined;
}

export const command = defineCommand({
  path: 'sxe host',
  summary: 'keep the document of a session in a folder, and give it to whoever joins',
  description: [
    'Is in a session for others: it writes every edit to the folder before it goes on, offers the document to whoever joins, and says what participants who have left still had to say. Started again, also after it was killed, it takes the document up where it was, and gets what others have done in the meantime. So the document is there when everybody has left, and a session does not end with its last participant.',
    'The first time it begins a session with a file, or joins the one that there is in the room. A folder is for one document. With --component it is an XEP-0114 component instead of an account.',
  ].join('\n\n'),
  examples: [
    {
      does: 'keep a new document',
      line: 'xmppctl sxe host minutes.sxe orchard@chat.example.org minutes.xhtml',
    },
    { does: 'go on after a restart', line: 'xmppctl sxe host minutes.sxe orchard@chat.example.org' },
    {
      does: 'as a component',
      line: 'xmppctl --component editing.example.org sxe host minutes.sxe orchard@chat.example.org',
    },
  ],
  sections: [
    {
      title: 'JSON OUTPUT',
      text: 'One object a line: event (hosting, joined, left, changed, document; with a schema invalid, corrected, valid), with session and name, the name of who joined or left, the number of edits, or the reason.',
    },
    schemaSection,
    {
      title: 'FILES',
      text: 'The folder has one file, document-N.jsonl: a snapshot of the records and the messages that came after it, one JSON text a line. A new one replaces it at each start, and when it has grown by 16 MiB.',
    },
  ],
  exitCodes: {
    1: 'there is no such session, or it was lost',
    2: 'the file is no XML document that can be shared, or not valid, or the folder has a document already',
    5: 'the room may not be entered',
    6: 'nobody in the session has sent the document',
    7: 'the folder cannot be read or written, or the schema is none',
    130: 'interrupted; everything is in the folder',
  },
  completes: {
    folder: 'file',
    room: 'jid',
    file: 'file',
    '--nick': 'none',
    '--room-password-file': 'file',
    '--session': 'none',
    '--name': 'none',
    '--schema': 'file',
  },
  build: (command) =>
    command
      .argument('<folder>', 'where the document is kept')
      .argument('<room>', 'the room')
      .argument('[file]', 'what a new session begins with')
      .addOption(nickOption)
      .addOption(roomPasswordOption)
      .addOption(sessionOption)
      .option('--name <name>', 'what a new session is called; as the file when left out')
      .addOption(schemaOption),
  parse: ([folder, room, file], flags): HostOptions => ({
    folder,
    room: parseAddress(room),
    file,
    nick: flags.nick,
    passwordFile: flags.roomPasswordFile,
    name: flags.name,
    sessionId: flags.session,
    schemaFile: flags.schema,
  }),
  run: runHost,
});

/** @throws UsageError @throws FileError @throws NegativeError @throws StanzaError @throws TimeoutError */
export async function runHost(options: HostOptions, context: Context): Promise<void> {
  const { output, signal } = context;
  const broken = new AbortController();
  let failure: FileError | undefined;
  const store = await DocumentStore.open(options.folder, (error) => {
    failure = error;
    broken.abort();
  });
  if (store.kept && options.file !== undefined) {
    throw new UsageError(`${options.folder} has a document already`, {
      hint: 'leave the file out to go on with it, or name another folder',
    });
  }
  // What is wrong with it costs nothing.
  const text = options.file === undefined ? undefined : await readTextFile(options.file, 'the document');
  using schema = await openSchema(options.schemaFile);
  if (text !== undefined) {
    kindOf(text, options.file ?? '');
    await refuseInvalid(schema, text, options.file ?? '');
  }
  await using session = await context.connect({ resume: true });
  using _features = advertiseEditing(session);
  const room = await enterToSpeak(
    session,
    options.room,
    options,
    text !== undefined || !!store.kept,
    context,
  );
  const editing = await open(session, room, store, schema, text, options, signal);
  try {
    if (text === undefined) await untilDocument(editing);
    const { session: id, title = '' } = store.facts;
    await output.item({ event: 'hosting', session: id, name: title }, (shown) =>
      ['hosting', shown.session, shown.name].map((part) => safeText(part, { singleLine: true })).join('\t'),
    );
    await output.flush();
    await keepAlive(editing, undefined, tellerOf(output), signal, broken.signal);
    if (failure) throw failure;
  } finally {
    await editing.close();
    await store.close();
  }
}

const dialectOf = (isPsi: boolean): PsiDialect | undefined => (isPsi ? new PsiDialect() : undefined);

async function open(
  session: Session,
  room: EditingRoom,
  store: DocumentStore,
  schema: Schema | undefined,
  text: string | undefined,
  { file, name, sessionId, room: address }: HostOptions,
  signal: AbortSignal,
): Promise<EditingSession> {
  const { kept } = store;
  try {
    if (kept) {
      const channel = await room.open(kept.session, kept.title, dialectOf(kept.isPsi));
      return EditingSession.resume(channel, kept.application, kept, { keeper: store, schema });
    }
    if (text !== undefined && file !== undefined) {
      const title = name ?? path.basename(file);
      const kind = kindOf(text, file);
      const { application } = kind;
      const id = randomUUID();
      const { channel, isPsi } = await openInRoom(session, room, { id, name: title, kind }, signal);
      store.describe({ session: id, title, application, isPsi });
      const make = (own: string, site: string) => createDocument(text, own, site);
      return EditingSession.share(channel, application, make, { keeper: store, schema });
    }
    const chosen = chooseSession(room.sessions(), sessionId, address);
    const { session: id, name: chosenName, isPsi } = chosen;
    store.describe({ session: id, title: chosenName, application: NS_XML_EDITING, isPsi });
    const channel = await room.open(id, chosenName, dialectOf(isPsi));
    return EditingSession.join(channel, NS_XML_EDITING, { keeper: store, schema });
  } catch (error) {
    await room.leave();
    throw error;
  }
}
