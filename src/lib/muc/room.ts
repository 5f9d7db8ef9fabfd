/**
 * Being in a room (XEP-0045 1.35.5 §7): entering, leaving, being put out.
 *
 * Not here: configuration of a room that is there, moderation, registration, invitations by the room.
 */
import { DecodeError, RemoteError, StanzaError } from '../errors.js';
import type { JID } from '../jid/jid.js';
import { expectStanza } from '../session/expect-stanza.js';
import type { Session, WaitOptions } from '../session/session.js';
import { xml, type Element } from '../xml/element.js';
import { stanzaErrorFrom } from '../xml/stanza-error.js';
import { configureRoom, type RoomSettings } from './configure-room.js';
import { JoinRequest, NS_MUC_USER, RoomStatus, RoomUser } from './stanzas.js';

export interface JoinOptions {
  room: JID;
  nick: string;
  password?: string | undefined;
  /** Enter a room that does not exist: it is made. Otherwise that is an error. */
  create?: boolean;
  /** Of a room that is made; its default settings when left out. */
  settings?: RoomSettings | undefined;
  /** Take another nickname when this one is taken: `nick_`, `nick__` … */
  mayRename?: boolean;
  /** Renamed also when another client of this account has the nickname, which rooms allow (§17.1). */
  isAlone?: boolean;
  /** What was said since then; no history when left out. */
  since?: Date | undefined;
  /** What the presence says besides. */
  payload?: readonly Element[];
}

export interface Occupancy {
  room: JID;
  /** `room@service/nick`: our address in the room. The nickname is the one the room gave us. */
  occupant: JID;
  affiliation: string | undefined;
  role: string | undefined;
  isNew: boolean;
  /** Everybody there sees the real address of everybody (status 100). */
  isNonAnonymous: boolean;
  /** Other clients of the account have the same nickname, as far as the room says so. */
  isShared?: boolean;
}

const maxRenames = 5;

/**
 * Enters a room and waits until we are in it (status 110).
 * @throws StanzaError the room refused; the hint says what can be done
 * @throws RemoteError the room does not exist and is not to be made
 * @throws TimeoutError the room did not answer
 */
export async function joinRoom(
  session: Session,
  options: JoinOptions,
  wait: WaitOptions = {},
): Promise<Occupancy> {
  for (let attempt = 0; ; attempt += 1) {
    const nick = options.nick + '_'.repeat(attempt);
    try {
      const occupancy = await enter(session, { ...options, nick }, wait);
      if (occupancy.isShared !== true || options.isAlone !== true || attempt >= maxRenames) return occupancy;
      await leaveRoom(session, occupancy, wait);
    } catch (error) {
      const isTaken = error instanceof StanzaError && error.condition === 'conflict';
      if (!isTaken || options.mayRename !== true || attempt >= maxRenames) throw error;
    }
  }
}

async function enter(session: Session, options: JoinOptions, wait: WaitOptions): Promise<Occupancy> {
  const { room, nick, password, since } = options;
  const occupant = room.withResource(nick);
  const request = xml(
    'presence',
    { to: occupant.toString() },
    JoinRequest.encode({
      ...(password !== undefined && { password }),
      history: since ? { since } : { maxStanzas: 0 },
    }),
    options.payload ?? [],
  );
  const presence = await answerFrom(session, occupant, request, wait);
  const user = RoomUser.find(presence);
  const isNew = hasStatus(user, RoomStatus.created);
  const occupancy: Occupancy = {
    room,
    // The room may have given us another nickname (status 210).
    occupant: occupantOf(presence, occupant),
    affiliation: user?.item?.affiliation,
    role: user?.item?.role,
    isNew,
    isNonAnonymous: hasStatus(user, RoomStatus.nonAnonymous),
    isShared: (presence.getChild('x', NS_MUC_USER)?.getChildren('item').length ?? 0) > 1,
  };
  if (isNew) {
    if (options.create !== true) {
      // Leaving a room that is not configured yet makes it disappear again (§10.1.4).
      await leaveRoom(session, occupancy, wait);
      throw new RemoteError(`the room ${room.toString()} does not exist`, {
        hint: 'check the name, or make the room with --create',
        details: { room: room.toString() },
      });
    }
    await configureRoom(session, room, options.settings, wait);
    if (options.settings?.['muc#roomconfig_whois']?.[0] === 'anyone') occupancy.isNonAnonymous = true;
  }
  return occupancy;
}

/** Leaves, and waits until the room says so. A stream that is gone has left already. */
export async function leaveRoom(
  session: Session,
  { occupant }: Pick<Occupancy, 'occupant'>,
  wait: WaitOptions = {},
) {
  const address = occupant.toString();
  await expectStanza(
    session,
    {
      filter: { name: 'presence', from: occupant.bare, type: ['unavailable', 'error'] },
      fits: (presence) => presence.attrs['from'] === address,
      doing: `leaving ${occupant.bare.toString()}`,
    },
    () => session.send(xml('presence', { to: address, type: 'unavailable' }), wait),
    wait,
  );
}

export interface Removal {
  reason: string;
  /** The service goes down or has lost us: the room itself does not mind us coming back. */
  isTemporary: boolean;
}

const removalCauses: readonly [code: number, reason: string][] = [
  [RoomStatus.banned, 'banned'],
  [RoomStatus.kicked, 'kicked'],
  [RoomStatus.affiliationLost, 'no longer a member'],
  [RoomStatus.membersOnly, 'the room is now for members only'],
  [RoomStatus.shutdown, 'the service is shutting down'],
  [RoomStatus.technical, 'lost for a technical reason'],
];

/** Why we are no longer in the room (§9.1, §7.14), when this presence says so. */
export function removalFrom(
  presence: Element,
  { occupant }: Pick<Occupancy, 'occupant'>,
): Removal | undefined {
  if (presence.attrs['type'] !== 'unavailable' || presence.attrs['from'] !== occupant.toString()) {
    return undefined;
  }
  const user = readRoomUser(presence);
  if (hasStatus(user, RoomStatus.nickChanged)) return undefined;
  // Being kicked for a technical reason (333) carries the code of a kick (307) as well.
  const isTemporary = hasStatus(user, RoomStatus.shutdown) || hasStatus(user, RoomStatus.technical);
  const cause = removalCauses.findLast(([code]) => hasStatus(user, code))?.[1] ?? 'put out';
  const reason = user?.item?.reason;
  return { reason: reason ? `${cause}: ${reason}` : cause, isTemporary };
}

/** The presence that answers our entering: our own, or an error. */
async function answerFrom(session: Session, occupant: JID, request: Element, wait: WaitOptions) {
  const room = occupant.bare.toString();
  const presence = await expectStanza(
    session,
    {
      filter: { name: 'presence', from: occupant.bare },
      fits: (candidate) => {
        const from: unknown = candidate.attrs['from'];
        if (candidate.attrs['type'] === 'error') return from === occupant.toString() || from === room;
        if (candidate.attrs['type'] !== undefined) return false;
        // Rooms of before 2008 do not mark our own presence, but it comes from the address that we asked for.
        return hasStatus(RoomUser.find(candidate), RoomStatus.self) || from === occupant.toString();
      },
      doing: `entering ${room}`,
    },
    () => session.send(request, wait),
    wait,
  );
  if (presence.attrs['type'] === 'error') {
    const { condition } = stanzaErrorFrom(presence);
    throw stanzaErrorFrom(presence, hintFor(condition, occupant));
  }
  return presence;
}

/** §7.2.5 to §7.2.12: what can be done about a refusal. */
function hintFor(condition: string, occupant: JID): { hint?: string } {
  switch (condition) {
    case 'conflict':
      return { hint: `the nickname ${occupant.resource ?? ''} is taken: choose another with --nick` };
    case 'not-authorized':
      return {
        hint: 'the room needs a password: give it with --room-password-file or XMPPCTL_ROOM_PASSWORD',
      };
    case 'registration-required':
      return { hint: 'the room is for members only' };
    case 'forbidden':
      return { hint: 'this account is banned from the room' };
    case 'item-not-found':
      return { hint: 'the room does not exist, or is not open yet' };
    case 'not-allowed':
      return { hint: 'this account may not make rooms here' };
    case 'service-unavailable':
      return { hint: 'the room is full, or there is no chat service at this address' };
    case 'jid-malformed':
      return { hint: 'a room is entered with a nickname: choose one with --nick' };
    default:
      return {};
  }
}

function occupantOf(presence: Element, asked: JID): JID {
  const from: unknown = presence.attrs['from'];
  const slash = typeof from === 'string' ? from.indexOf('/') : -1;
  return typeof from === 'string' && slash >= 0 ? asked.bare.withResource(from.slice(slash + 1)) : asked;
}

/** What cannot be read says nothing: it must not end a program that has been running for weeks. */
export function readRoomUser(presence: Element): RoomUser | undefined {
  try {
    return RoomUser.find(presence);
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

function hasStatus(user: RoomUser | undefined, code: number): boolean {
  return user?.statuses.some((status) => status.code === code) === true;
}
