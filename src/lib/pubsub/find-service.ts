/** Where a server has nodes that belong to no account. */
import { queryInfo, queryItems } from '../disco/query.js';
import { StanzaError } from '../errors.js';
import type { JID } from '../jid/jid.js';
import type { Session, WaitOptions } from '../session/session.js';

/** More parts than this no server has; a list without end is not followed. */
const MAX_PARTS = 50;

/** The publish-subscribe service of the own server. @returns undefined when it has none */
export async function findPubsubService(session: Session, wait?: WaitOptions): Promise<JID | undefined> {
  const parts = await queryItems(session, undefined, undefined, wait);
  for (const { jid } of parts.slice(0, MAX_PARTS)) {
    const info = await queryInfo(session, jid, undefined, wait).catch((error: unknown) => {
      if (error instanceof StanzaError) return undefined;
      throw error;
    });
    if (info?.identities.some(({ category, type }) => category === 'pubsub' && type === 'service'))
      return jid;
  }
  return undefined;
}
