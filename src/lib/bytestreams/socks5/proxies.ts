/**
 * The proxies of the own server (XEP-0065 §4).
 */
import { queryInfo, queryItems } from '../../disco/query.js';
import type { JID } from '../../jid/jid.js';
import type { Session } from '../../session/session.js';
import { NS_BYTESTREAMS, decodeStreamhosts, encodeAddressQuery, type Streamhost } from './stanzas.js';

/** A server has a handful of services; a hostile one is not followed further. */
const MAX_SERVICES = 30;
/** A service that says nothing must not hold up a transfer that may well be direct. */
const QUERY_MS = 5000;

/** What answers in time; none is no error: there are other ways. */
export async function findProxies(session: Session, timeoutMs: number): Promise<Streamhost[]> {
  const bounds = { timeoutMs: Math.min(timeoutMs, QUERY_MS) };
  try {
    const services = await queryItems(session, undefined, undefined, bounds);
    const found = await Promise.all(
      services.slice(0, MAX_SERVICES).map(async ({ jid }) => {
        try {
          return (await isProxy(session, jid, bounds)) ? await addressesOf(session, jid, bounds) : [];
        } catch {
          return [];
        }
      }),
    );
    return found.flat();
  } catch {
    return [];
  }
}

async function isProxy(session: Session, jid: JID, bounds: { timeoutMs: number }): Promise<boolean> {
  const { identities } = await queryInfo(session, jid, undefined, bounds);
  return identities.some(({ category, type }) => category === 'proxy' && type === 'bytestreams');
}

async function addressesOf(session: Session, jid: JID, bounds: { timeoutMs: number }): Promise<Streamhost[]> {
  const reply = await session.request({ type: 'get', to: jid, payload: encodeAddressQuery() }, bounds);
  return decodeStreamhosts(reply.getChild('query', NS_BYTESTREAMS));
}
