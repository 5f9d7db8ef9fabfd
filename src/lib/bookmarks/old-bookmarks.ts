/**
 * Bookmarks as older clients keep them, all in one element.
 *
 * XEP-0048: Bookmarks, version 1.2.
 * XEP-0049: Private XML Storage, version 1.2.
 */
import { queryInfo } from '../disco/query.js';
import { StanzaError } from '../errors.js';
import { deleteNode } from '../pubsub/nodes.js';
import { fetchItems } from '../pubsub/items.js';
import { isNothingThere } from '../pubsub/requester.js';
import type { Session, WaitOptions } from '../session/session.js';
import { childElements, xml, type Element } from '../xml/element.js';
import { NS_BOOKMARKS, readBookmark, type Bookmark } from './stanzas.js';

const NS_STORAGE = 'storage:bookmarks';
const NS_PRIVATE = 'jabber:iq:private';

export const oldPlaces = ['private', 'pep'] as const;
/** `private`: XEP-0049. `pep`: the node of XEP-0048 §3. */
export type OldPlace = (typeof oldPlaces)[number];

export interface OldBookmarks {
  rooms: Bookmark[];
  /** Addresses of web pages, which the new ones do not have. */
  urls: { name: string; url: string }[];
}

/** Empty where there are none. @throws StanzaError */
export async function readOldBookmarks(
  session: Session,
  place: OldPlace,
  wait?: WaitOptions,
): Promise<OldBookmarks> {
  const storage = await (place === 'private' ? fetchPrivate(session, wait) : fetchNode(session, wait));
  const children = storage ? childElements(storage) : [];
  const attribute = (element: Element, name: string): string => {
    const value: unknown = element.attrs[name];
    return typeof value === 'string' ? value : '';
  };
  return {
    rooms: children.flatMap((child) => readBookmark(attribute(child, 'jid'), child) ?? []),
    urls: children
      .filter((child) => child.getName() === 'url')
      .map((child) => ({ name: attribute(child, 'name'), url: attribute(child, 'url') })),
  };
}

/**
 * Whether the server itself shows the new bookmarks in the old places (XEP-0402 §5): what is removed in one place is then
 * gone everywhere.
 */
export async function isKeptInStep(session: Session, wait?: WaitOptions): Promise<boolean> {
  const { features } = await queryInfo(session, session.jid.bare, undefined, wait);
  return features.some((feature) => feature.startsWith(`${NS_BOOKMARKS}#compat`));
}

/** Only where `isKeptInStep` is false. @throws StanzaError */
export async function removeOldBookmarks(
  session: Session,
  place: OldPlace,
  wait?: WaitOptions,
): Promise<void> {
  if (place === 'pep') {
    await deleteNode(session, { node: NS_STORAGE }, wait).catch((error: unknown) => {
      if (!isNothingThere(error)) throw error;
    });
    return;
  }
  const payload = xml('query', { xmlns: NS_PRIVATE }, xml('storage', { xmlns: NS_STORAGE }));
  await session.request({ type: 'set', payload }, wait);
}

async function fetchPrivate(session: Session, wait?: WaitOptions): Promise<Element | undefined> {
  const payload = xml('query', { xmlns: NS_PRIVATE }, xml('storage', { xmlns: NS_STORAGE }));
  try {
    const reply = await session.request({ type: 'get', payload }, wait);
    return reply.getChild('query', NS_PRIVATE)?.getChild('storage', NS_STORAGE);
  } catch (error) {
    // A server without private storage has none.
    if (error instanceof StanzaError) return undefined;
    throw error;
  }
}

async function fetchNode(session: Session, wait?: WaitOptions): Promise<Element | undefined> {
  try {
    const items = await fetchItems(session, { node: NS_STORAGE }, wait);
    return items.at(-1)?.payload;
  } catch (error) {
    if (isNothingThere(error)) return undefined;
    throw error;
  }
}
