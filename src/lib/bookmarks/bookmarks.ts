/** Reading and changing the bookmarks of an account (XEP-0402 §3). */
import { StanzaError } from '../errors.js';
import type { JID } from '../jid/jid.js';
import { fetchItems, publishItem, retractItem } from '../pubsub/items.js';
import { changeConfiguration, createNode } from '../pubsub/nodes.js';
import { readItems } from '../pubsub/read-items.js';
import { isNothingThere, isPreconditionNotMet } from '../pubsub/requester.js';
import type { Session, WaitOptions } from '../session/session.js';
import type { Element } from '../xml/element.js';
import {
  changedBookmark,
  NS_BOOKMARKS,
  readBookmark,
  type Bookmark,
  type BookmarkChange,
} from './stanzas.js';

const node = NS_BOOKMARKS;
/** §3.1: passwords may be in it. */
const onlyForUs = { access_model: 'whitelist' };
const settings = {
  access_model: ['whitelist'],
  persist_items: ['1'],
  max_items: ['max'],
  send_last_published_item: ['never'],
};

/** @throws StanzaError */
export async function* readBookmarks(session: Session, wait?: WaitOptions): AsyncGenerator<Bookmark> {
  try {
    for await (const { id, payload } of readItems(session, { node }, wait)) {
      const bookmark = payload && readBookmark(id, payload);
      if (bookmark) yield bookmark;
    }
  } catch (error) {
    if (!isNothingThere(error)) throw error;
  }
}

/**
 * Adds a room, or changes one that is there.
 *
 * @returns whether it was there
 * @throws StanzaError
 */
export async function keepBookmark(
  session: Session,
  room: JID,
  change: BookmarkChange,
  wait?: WaitOptions,
): Promise<boolean> {
  const id = room.toString();
  const before = await fetchElement(session, id, wait);
  await publishPrivately(session, id, changedBookmark(before, change), wait);
  return before !== undefined;
}

async function fetchElement(session: Session, id: string, wait?: WaitOptions): Promise<Element | undefined> {
  try {
    const items = await fetchItems(session, { node, ids: [id] }, wait);
    return items.find((item) => item.id === id)?.payload;
  } catch (error) {
    if (isNothingThere(error)) return undefined;
    throw error;
  }
}

/** Nothing is published into a node that others may read: it is closed first. */
async function publishPrivately(
  session: Session,
  id: string,
  payload: Element,
  wait?: WaitOptions,
): Promise<void> {
  await makeNode(session, wait);
  const publication = { node, id, payload, publishOptions: onlyForUs };
  try {
    await publishItem(session, publication, wait);
  } catch (error) {
    if (!isPreconditionNotMet(error)) throw error;
    await changeConfiguration(session, { node }, { access_model: ['whitelist'] }, wait);
    await publishItem(session, publication, wait);
  }
}

/** A node that is made by publishing would keep one item. */
async function makeNode(session: Session, wait?: WaitOptions): Promise<void> {
  for (const configuration of [settings, { access_model: ['whitelist'] }]) {
    try {
      await createNode(session, { node }, configuration, wait);
      return;
    } catch (error) {
      if (!(error instanceof StanzaError)) throw error;
      if (error.condition === 'conflict') return;
    }
  }
}

/** @returns false when it was not there @throws StanzaError */
export async function removeBookmark(session: Session, room: JID, wait?: WaitOptions): Promise<boolean> {
  const id = room.toString();
  // COMPAT(Prosody 0.12): retracting what is not there is no error to every server.
  if (!(await fetchElement(session, id, wait))) return false;
  await retractItem(session, { node, id }, wait);
  return true;
}
