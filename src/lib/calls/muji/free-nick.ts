/**
 * A nickname that nobody has. Rooms let several clients of one account share a nickname, and what these announce would be
 * taken for that of one participant: none would call the other.
 */
import { queryItems } from '../../disco/query.js';
import { DecodeError, StanzaError } from '../../errors.js';
import type { JID } from '../../jid/jid.js';
import type { Session, WaitOptions } from '../../session/session.js';

const MAX_ATTEMPTS = 100;

/**
 * `nick`, or `nick_`, `nick__` …, by what the room tells of who is in it (XEP-0045 §6.5); `nick` when it does not tell.
 * @throws TimeoutError
 */
export async function findFreeNick(
  session: Session,
  room: JID,
  nick: string,
  wait: WaitOptions,
): Promise<string> {
  const taken = await nicksIn(session, room, wait);
  let free = nick;
  for (let attempt = 0; taken.has(free) && attempt < MAX_ATTEMPTS; attempt += 1) free += '_';
  return free;
}

async function nicksIn(session: Session, room: JID, wait: WaitOptions): Promise<Set<string>> {
  try {
    const items = await queryItems(session, room, undefined, wait);
    return new Set(items.flatMap(({ jid }) => jid.resource ?? []));
  } catch (error) {
    // It may be hidden from those who are not in it, or not exist yet.
    if (error instanceof StanzaError || error instanceof DecodeError) return new Set();
    throw error;
  }
}
