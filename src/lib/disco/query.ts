/**
 * Asking an entity what it is, what it can do, and what belongs to it (XEP-0030 2.5.0).
 *
 * Not here: publishing items (removed from the specification).
 */
import type { DataForm } from '../forms/stanzas.js';
import type { JID } from '../jid/jid.js';
import type { Session, WaitOptions } from '../session/session.js';
import { xml, type Element } from '../xml/element.js';
import {
  DiscoInfoQuery,
  DiscoItemsQuery,
  NS_DISCO_INFO,
  NS_DISCO_ITEMS,
  type DiscoItem,
  type Identity,
} from './stanzas.js';

export interface DiscoInfo {
  identities: Identity[];
  /** As they were sent: caps are computed from them. */
  features: string[];
  /** XEP-0128 extensions. */
  forms: DataForm[];
}

/**
 * What an entity is and can do. `to` left out: the own server.
 * @throws StanzaError · @throws TimeoutError · @throws DecodeError
 */
export async function queryInfo(
  session: Session,
  to?: JID,
  node?: string,
  options?: WaitOptions,
): Promise<DiscoInfo> {
  const payload = xml('query', { xmlns: NS_DISCO_INFO, node });
  const reply = await session.request({ type: 'get', to: to ?? serverOf(session), payload }, options);
  return readDiscoInfo(reply);
}

/** The items that belong to an entity, or to a node of it. `to` left out: the own server. */
export async function queryItems(
  session: Session,
  to?: JID,
  node?: string,
  options?: WaitOptions,
): Promise<DiscoItem[]> {
  const payload = xml('query', { xmlns: NS_DISCO_ITEMS, node });
  const reply = await session.request({ type: 'get', to: to ?? serverOf(session), payload }, options);
  return DiscoItemsQuery.find(reply)?.items ?? [];
}

/** Reads the answer out of an IQ; an empty answer offers nothing. @throws DecodeError */
export function readDiscoInfo(reply: Element): DiscoInfo {
  const query = DiscoInfoQuery.find(reply);
  return {
    identities: query?.identities ?? [],
    features: query?.features.map((feature) => feature.var) ?? [],
    forms: query?.forms ?? [],
  };
}

/** The server of a client's account; of a component, the server's own name is not known, and its domain stands for it. */
function serverOf(session: Session): string {
  return session.jid.domain;
}
