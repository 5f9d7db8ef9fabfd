/** Beginning a session: in a room, or with another account. */
import { randomUUID } from 'node:crypto';
import type { Context } from '../../lib/context.js';
import { ProtocolError, UsageError } from '../../lib/errors.js';
import type { JID } from '../../lib/jid/jid.js';
import type { Session } from '../../lib/session/session.js';
import { kindOfDocument, type DocumentKind } from '../../lib/sxe/document-kind.js';
import type { Channel } from '../../lib/sxe/session/channel.js';
import type { EditingRoom } from '../../lib/sxe/session/editing-room.js';
import { offerTo, spokenBy } from '../../lib/sxe/session/find-peer.js';
import { PsiDialect } from '../../lib/sxe/session/psi-dialect.js';
import { inviteRoom } from '../../lib/sxe/session/psi-peer.js';
import { enterToSpeak, isRoom, type RoomFlags } from './sxe-flags.js';

/** So many occupants of a room are asked what they speak. */
const MAX_ASKED = 30;
const ASK_MS = 5_000;

/** What a session is called, and what it is about. */
export interface NewSession {
  id: string;
  name: string;
  kind: DocumentKind;
}

/** @throws UsageError it is no document */
export function kindOf(text: string, file: string): DocumentKind {
  try {
    return kindOfDocument(text);
  } catch (error) {
    if (error instanceof ProtocolError) throw new UsageError(`${file}: ${error.message}`, { cause: error });
    throw error;
  }
}

/** In a room, or with another account. @throws UsageError @throws NegativeError it is declined @throws StanzaError */
export async function openSession(
  session: Session,
  kind: DocumentKind,
  { where, name, ...flags }: RoomFlags & { where: JID; name: string },
  context: Context,
): Promise<Channel> {
  const { output, signal } = context;
  if (!(await isRoom(session, where, context))) {
    return offerTo(session, where, kind.application, kind.isDrawing, {
      signal,
      onWaiting: () => output.note(`waiting until ${where.toString()} can take it`),
    });
  }
  const room = await enterToSpeak(session, where, flags, true, context);
  return (await openInRoom(session, room, { id: randomUUID(), name, kind }, signal)).channel;
}

/** In the dialect of Psi where somebody is there who speaks nothing else; that one is invited. */
export async function openInRoom(
  session: Session,
  room: EditingRoom,
  { id, name, kind }: NewSession,
  signal: AbortSignal,
): Promise<{ channel: Channel; isPsi: boolean }> {
  const isPsi = kind.isDrawing && (await hasPsi(session, room, signal));
  const channel = await room.open(id, name, isPsi ? new PsiDialect() : undefined);
  if (isPsi) await inviteRoom(session, room.address, id);
  return { channel, isPsi };
}

async function hasPsi(session: Session, room: EditingRoom, signal: AbortSignal): Promise<boolean> {
  const asked = room.others
    .slice(0, MAX_ASKED)
    .map((nick) => spokenBy(session, room.address.withResource(nick), { signal, timeoutMs: ASK_MS }));
  return (await Promise.all(asked)).includes('psi');
}
