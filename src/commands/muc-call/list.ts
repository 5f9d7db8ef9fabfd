import { defineCommand } from '../../lib/command/definition.js';
import type { Context } from '../../lib/context.js';
import type { Occupant } from '../../lib/calls/muji/conference-room.js';
import type { JID } from '../../lib/jid/jid.js';
import { renderTable } from '../../lib/output/table.js';
import {
  nickOption,
  roomCompletes,
  roomOf,
  roomPasswordOption,
  watcherOf,
  type RoomFlags,
} from './muc-call-flags.js';

export interface ListCallsOptions extends RoomFlags {
  rooms: JID[];
}

export const command = defineCommand({
  path: 'muc-call list',
  summary: 'list who is in the calls in rooms',
  description:
    'Enters each room for a moment, without taking part in the call there, and lists those who do: room, nickname, real address (empty where the room hides it), preparing or joined, and the contents with their codecs and payload types, in columns separated by tabs.',
  examples: [
    { does: 'who is in the call?', line: 'xmppctl muc-call list orchard@chat.example.org | cut -f 2' },
  ],
  exitCodes: { 5: 'a room could not be entered' },
  completes: { ...roomCompletes },
  build: (command) =>
    command.argument('<room...>', 'the rooms').addOption(nickOption).addOption(roomPasswordOption),
  parse: ([rooms], flags): ListCallsOptions => ({
    rooms: rooms.map(roomOf),
    nick: flags.nick,
    passwordFile: flags.roomPasswordFile,
  }),
  run: runListCalls,
});

interface Listed {
  room: string;
  nick: string;
  jid?: string;
  state: 'preparing' | 'joined';
  contents: { name: string; media: string; codecs: string[] }[];
}

/** @throws StanzaError @throws RemoteError a room does not exist @throws InterruptedError */
export async function runListCalls(
  { rooms, nick, passwordFile }: ListCallsOptions,
  context: Context,
): Promise<void> {
  const { output, signal } = context;
  const { ConferenceRoom } = await import('../../lib/calls/muji/conference-room.js');
  await using session = await context.connect();
  const listed: Listed[] = [];
  for (const room of rooms) {
    const own = await watcherOf(session, passwordFile, context);
    const options = { room, ...own, ...(nick !== undefined && { nick }), mayRename: true };
    const entered = await ConferenceRoom.enter(session, options, () => undefined, { signal });
    listed.push(...entered.occupants().flatMap((occupant) => listedOccupant(room, occupant)));
    await entered.leave({ signal });
  }
  await output.result(listed, (all) =>
    renderTable(
      output,
      ['room', 'nick', 'address', 'state', 'contents'],
      all.map(({ room, nick, jid = '', state, contents }) => [
        room,
        nick,
        jid,
        state,
        contents.map(({ name, codecs }) => `${name}: ${codecs.join(' ')}`).join(', '),
      ]),
    ),
  );
}

function listedOccupant(room: JID, { nick, jid, muji }: Occupant): Listed[] {
  if (!muji) return [];
  return [
    {
      room: room.toString(),
      nick,
      ...(jid && { jid: jid.toString() }),
      state: muji.isPreparing ? 'preparing' : 'joined',
      contents: muji.contents.map(({ name, description: { media, payloadTypes } }) => ({
        name,
        media,
        codecs: payloadTypes.map(({ id, name: codec, clockRate }) => `${codec}/${clockRate ?? ''}(${id})`),
      })),
    },
  ];
}
