/** What the commands about editing sessions have in common. */
import { Option } from '@commander-js/extra-typings';
import type { Context } from '../../lib/context.js';
import { queryInfo } from '../../lib/disco/query.js';
import { NegativeError, StanzaError, UsageError } from '../../lib/errors.js';
import { JID } from '../../lib/jid/jid.js';
import { parseAddress } from '../../lib/jid/xmpp-uri.js';
import { roomPasswordFrom } from '../../lib/muc/room-password.js';
import { safeText } from '../../lib/output/safe-text.js';
import type { Session } from '../../lib/session/session.js';
import type { Channel } from '../../lib/sxe/session/channel.js';
import { advertiseEditing, takeOffer } from '../../lib/sxe/session/find-peer.js';
import { EditingRoom, type AnnouncedSession } from '../../lib/sxe/session/editing-room.js';
import { PsiDialect } from '../../lib/sxe/session/psi-dialect.js';
import { EditingSession } from '../../lib/sxe/session/editing-session.js';
import { NS_XML_EDITING } from '../../lib/sxe/stanzas.js';
import { openSchema } from './schema-option.js';

export const nickOption = new Option('--nick <name>', 'the nickname in the room; the own name when left out');
export const roomPasswordOption = new Option(
  '--room-password-file <file>',
  'the password of the room, in the first line of a file',
);
export const sessionOption = new Option('--session <id>', 'which session, where there are several');

export const joinCompletes = {
  where: 'jid',
  '--nick': 'none',
  '--room-password-file': 'file',
  '--session': 'none',
} as const;

export const joinExitCodes = {
  1: 'there is no such session, it was declined, or it was lost',
  5: 'the room may not be entered',
  6: 'nobody in the session has sent the document',
  130: 'interrupted; what had been changed has been sent',
} as const;

export interface RoomFlags {
  nick: string | undefined;
  passwordFile: string | undefined;
}

export interface JoinOptions extends RoomFlags {
  where: JID;
  sessionId: string | undefined;
  schemaFile?: string | undefined;
}

/** Of the argument and the options that every command has which joins a session. @throws UsageError */
export function joinOptionsOf(
  where: string,
  flags: { nick?: string | undefined; roomPasswordFile?: string | undefined; session?: string | undefined },
): JoinOptions {
  return {
    where: parseAddress(where),
    nick: flags.nick,
    passwordFile: flags.roomPasswordFile,
    sessionId: flags.session,
  };
}

/** The one of several that was given. @throws UsageError none was, or more than one */
export function onlyPlace(given: readonly (string | undefined)[], question: string): JID {
  const [where, another] = given.filter((one) => one !== undefined);
  if (where === undefined || another !== undefined) throw new UsageError(question);
  return parseAddress(where);
}

export const whereText = 'the room, or the account that offers a session';

/** Takes part in a session; closes it at the end. */
export async function withJoined(
  { where, sessionId, schemaFile, ...room }: JoinOptions,
  context: Context,
  body: (editing: EditingSession, session: Session) => Promise<void>,
): Promise<void> {
  using schema = await openSchema(schemaFile);
  await using session = await context.connect({ resume: true });
  using _features = advertiseEditing(session);
  const channel = (await isRoom(session, where, context))
    ? await joinInRoom(session, where, room, sessionId, context)
    : await joinPeer(session, where, context);
  const editing = EditingSession.join(channel, NS_XML_EDITING, { schema });
  try {
    await untilDocument(editing);
    await body(editing, session);
  } finally {
    await editing.close();
  }
}

/** Who joins waits for the document first. */
export async function untilDocument(editing: EditingSession): Promise<void> {
  for (;;) {
    const next = await editing.events.next();
    if (next.done === true) throw new NegativeError('the session is over');
    if (next.value.kind === 'document') return;
  }
}

/** @throws NegativeError there is none, or which one is not clear */
async function joinInRoom(
  session: Session,
  room: JID,
  flags: RoomFlags,
  wanted: string | undefined,
  context: Context,
): Promise<Channel> {
  const entered = await enterToSpeak(session, room, flags, false, context);
  try {
    const { session: id, name, isPsi } = chooseSession(entered.sessions(), wanted, room);
    return await entered.open(id, name, isPsi ? new PsiDialect() : undefined);
  } catch (error) {
    await entered.leave();
    throw error;
  }
}

/** @throws NegativeError there is none @throws UsageError which one is not clear */
export function chooseSession(
  sessions: readonly AnnouncedSession[],
  wanted: string | undefined,
  room: JID,
): AnnouncedSession {
  const found = wanted === undefined ? sessions : sessions.filter(({ session }) => session === wanted);
  const [first, second] = found;
  if (!first) {
    throw new NegativeError(
      `nobody edits ${wanted === undefined ? 'anything' : 'that'} in ${room.toString()}`,
      {
        hint: 'xmppctl sxe share begins a session',
      },
    );
  }
  if (second) {
    const names = found.map(({ session, name }) => `${session}${name === undefined ? '' : ` (${name})`}`);
    throw new UsageError(`there are several sessions in ${room.toString()}`, {
      hint: `choose one with --session: ${safeText(names.join(', '), { singleLine: true })}`,
    });
  }
  return first;
}

/** As `enterRoom`, to take part in a session. @throws UsageError we may not speak there */
export async function enterToSpeak(
  session: Session,
  room: JID,
  flags: RoomFlags,
  create: boolean,
  context: Context,
): Promise<EditingRoom> {
  const entered = await enterRoom(session, room, flags, create, context);
  if (entered.hasVoice) return entered;
  await entered.leave();
  throw new UsageError(`this account may not speak in ${room.toString()}`, {
    hint: 'a session cannot be joined without a voice: a moderator of the room can give it',
  });
}

export async function enterRoom(
  session: Session,
  room: JID,
  { nick, passwordFile }: RoomFlags,
  create: boolean,
  { signal, env }: Context,
): Promise<EditingRoom> {
  const password = await roomPasswordFrom(passwordFile, env);
  const own = nick ?? session.jid.local ?? session.jid.domain;
  return EditingRoom.enter(session, { room, nick: own, password, create }, { signal });
}

async function joinPeer(session: Session, from: JID, context: Context): Promise<Channel> {
  const { output, signal } = context;
  return takeOffer(session, from, {
    signal,
    onWaiting: () => output.note(`waiting for a session from ${from.toString()}`),
  });
}

/** Rooms say so (XEP-0045 §6.4); accounts do not. */
export async function isRoom(session: Session, jid: JID, { signal }: Context): Promise<boolean> {
  try {
    const { identities } = await queryInfo(session, jid.bare, undefined, { signal });
    return identities.some(({ category }) => category === 'conference');
  } catch (error) {
    // A room that is not there yet does not answer for itself: its service does.
    if (!(error instanceof StanzaError)) throw error;
    const service = await queryInfo(session, JID.parse(jid.domain), undefined, { signal }).catch(
      () => undefined,
    );
    return service?.identities.some(({ category }) => category === 'conference') === true;
  }
}
