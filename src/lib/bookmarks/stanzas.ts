/**
 * Rooms that an account keeps, as its clients know them.
 *
 * XEP-0402: PEP Native Bookmarks, version 1.2.0.
 */
import { UsageError } from '../errors.js';
import { JID } from '../jid/jid.js';
import { childElements, xml, type Element } from '../xml/element.js';

export const NS_BOOKMARKS = 'urn:xmpp:bookmarks:1';

export interface Bookmark {
  /** The room: the id of the item. */
  room: JID;
  name?: string;
  nick?: string;
  /** Clients join it when they come online. */
  isAutojoin: boolean;
  /** Of the room: a secret. */
  password?: string;
}

/** @returns undefined when it is none */
export function readBookmark(room: string, conference: Element): Bookmark | undefined {
  const jid = JID.tryParse(room);
  if (!jid || conference.getName() !== 'conference') return undefined;
  const { name, autojoin } = conference.attrs as Record<string, unknown>;
  const nick = conference.getChildText('nick');
  const password = conference.getChildText('password');
  return {
    room: jid.bare,
    isAutojoin: autojoin === 'true' || autojoin === '1',
    ...(typeof name === 'string' && name !== '' && { name }),
    ...(nick !== null && nick !== '' && { nick }),
    ...(password !== null && password !== '' && { password }),
  };
}

export type BookmarkChange = Omit<Partial<Bookmark>, 'room'>;

/**
 * The element with another name, nickname and so on; what is not known here (§3.2: `extensions`) stays.
 *
 * @param before the element as it was; a new one when undefined
 */
export function changedBookmark(before: Element | undefined, change: BookmarkChange): Element {
  const old = before?.attrs as Record<string, string | undefined> | undefined;
  const texts = { nick: change.nick, password: change.password };
  const kept = before ? childElements(before) : [];
  const name = change.name ?? old?.['name'];
  const isAutojoin = change.isAutojoin ?? (old?.['autojoin'] === 'true' || old?.['autojoin'] === '1');
  return xml(
    'conference',
    { xmlns: NS_BOOKMARKS, name, autojoin: isAutojoin ? 'true' : undefined },
    Object.entries(texts).flatMap(([child, text]) => (text === undefined ? [] : [xml(child, {}, text)])),
    kept.filter((child) => {
      const text = texts[child.getName() as keyof typeof texts];
      return text === undefined;
    }),
  );
}

/** @throws UsageError it is no address of a room */
export function parseRoom(text: string, parse: (text: string) => JID): JID {
  const room = parse(text).bare;
  if (room.local === undefined) throw new UsageError(`${text} is a service, and not a room`);
  return room;
}
