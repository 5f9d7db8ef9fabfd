/**
 * The proxies of the own server (XEP-0065 §4).
 */
import { setTimeout as delay } from 'node:timers/promises';
import { queryInfo, queryItems } from '../../disco/query.js';
import type { JID } from '../../jid/jid.js';
import type { Session } from '../../session/session.js';
import { Deferred } from '../../session/wait.js';
import { NS_BYTESTREAMS, decodeStreamhosts, encodeAddressQuery, type Streamhost } from './stanzas.js';

/** A server has a handful of services; a hostile one is not followed further. */
const MAX_SERVICES = 30;
/** A service that says nothing must not hold up a transfer that may well be direct. */
const QUERY_MS = 5000;
/** Once one proxy is known, others that take longer than this are not needed. */
const OTHERS_MS = 500;

/** What answers in time; none is no error: there are other ways. */
export async function findProxies(session: Session, timeoutMs: number): Promise<Streamhost[]> {
  const bounds = { timeoutMs: Math.min(timeoutMs, QUERY_MS) };
  let services: JID[];
  try {
    services = (await queryItems(session, undefined, undefined, bounds)).map(({ jid }) => jid);
  } catch {
    return [];
  }
  /** By service, so that the order is the server's. */
  const found = new Map<JID, Streamhost[]>();
  const first = new Deferred<undefined>();
  const asked = services.slice(0, MAX_SERVICES).map(async (jid) => {
    try {
      if (!(await isProxy(session, jid, bounds))) return;
      const addresses = await addressesOf(session, jid, bounds);
      found.set(jid, addresses);
      if (addresses.length > 0) first.resolve(undefined);
    } catch {
      // It is none, or none that can be used.
    }
  });
  const waiting = new AbortController();
  const enough = first.promise
    .then(() => delay(OTHERS_MS, undefined, { signal: waiting.signal }))
    .catch(() => undefined);
  await Promise.race([Promise.all(asked), enough]);
  waiting.abort();
  return services.flatMap((jid) => found.get(jid) ?? []);
}

async function isProxy(session: Session, jid: JID, bounds: { timeoutMs: number }): Promise<boolean> {
  const { identities } = await queryInfo(session, jid, undefined, bounds);
  return identities.some(({ category, type }) => category === 'proxy' && type === 'bytestreams');
}

async function addressesOf(session: Session, jid: JID, bounds: { timeoutMs: number }): Promise<Streamhost[]> {
  const reply = await session.request({ type: 'get', to: jid, payload: encodeAddressQuery() }, bounds);
  return decodeStreamhosts(reply.getChild('query', NS_BYTESTREAMS));
}
