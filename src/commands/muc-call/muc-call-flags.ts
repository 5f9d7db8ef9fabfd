/** What the commands about calls in rooms have in common. */
import { randomBytes } from 'node:crypto';
import { Option } from '@commander-js/extra-typings';
import type { Context } from '../../lib/context.js';
import { UsageError } from '../../lib/errors.js';
import type { JID } from '../../lib/jid/jid.js';
import { parseAddress } from '../../lib/jid/xmpp-uri.js';
import { roomPasswordFrom } from '../../lib/muc/room-password.js';
import type { RoomSettings } from '../../lib/muc/configure-room.js';
import type { Session } from '../../lib/session/session.js';

export const nickOption = new Option('--nick <name>', 'the nickname in the room; the own name when left out');
export const roomPasswordOption = new Option(
  '--room-password-file <file>',
  'the password of the room, in the first line of a file',
);
export const prepareOption = new Option(
  '--prepare <s>',
  'how long those who are joining at the same moment are waited for',
).default('10');

export const roomCompletes = {
  room: 'jid',
  '--nick': 'none',
  '--room-password-file': 'file',
  '--prepare': 'none',
} as const;

export const roomExitCodes = {
  20: 'the room could not be entered: it is full, for members only, wants a password, does not exist',
  21: 'the call in it could not be joined: no codec in common, real addresses hidden; or not everybody came',
} as const;

/** What a room needs to be good for calls; it is gone with the last who leaves it. */
export function callRoomSettings(password: string | undefined): RoomSettings {
  return {
    'muc#roomconfig_whois': ['anyone'],
    'muc#roomconfig_persistentroom': ['0'],
    ...(password !== undefined && {
      'muc#roomconfig_passwordprotectedroom': ['1'],
      'muc#roomconfig_roomsecret': [password],
    }),
  };
}

/** @throws UsageError it is no room */
export function roomOf(text: string): JID {
  const room = parseAddress(text);
  if (room.local === undefined || !room.isBare)
    throw new UsageError(`${text} is no room`, { hint: 'for example orchard@chat.example.org' });
  return room;
}

export interface RoomFlags {
  nick: string | undefined;
  passwordFile: string | undefined;
}

export async function nickAndPassword(
  session: Session,
  { nick, passwordFile }: RoomFlags,
  { env }: Context,
): Promise<{ nick: string; password: string | undefined }> {
  return {
    nick: nick ?? session.jid.local ?? session.jid.domain,
    password: await roomPasswordFrom(passwordFile, env),
  };
}

/** For who only looks: with the nickname of the account it could come to share it with what takes part in the call. */
export async function watcherOf(
  session: Session,
  passwordFile: string | undefined,
  { env }: Context,
): Promise<{ nick: string; password: string | undefined }> {
  const name = session.jid.local ?? session.jid.domain;
  return {
    nick: `${name}-${randomBytes(3).toString('hex')}`,
    password: await roomPasswordFrom(passwordFile, env),
  };
}
