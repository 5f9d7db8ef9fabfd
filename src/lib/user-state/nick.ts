/** What somebody is called (XEP-0172 §4). */
import type { JID } from '../jid/jid.js';
import { StanzaError } from '../errors.js';
import type { Session, WaitOptions } from '../session/session.js';
import { nick } from './states.js';
import { fetchState } from './store.js';

/** @returns undefined when there is no name, or it is not for us */
export async function fetchNick(
  session: Session,
  of: JID | undefined,
  wait?: WaitOptions,
): Promise<string | undefined> {
  try {
    return (await fetchState(session, nick, of, wait))?.['nick'];
  } catch (error) {
    if (error instanceof StanzaError) return undefined;
    throw error;
  }
}
