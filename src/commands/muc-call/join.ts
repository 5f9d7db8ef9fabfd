import { defineCommand } from '../../lib/command/definition.js';
import type { Context } from '../../lib/context.js';
import { UsageError } from '../../lib/errors.js';
import type { JID } from '../../lib/jid/jid.js';
import { addCallOptions, callCompletes, positive, toCallOptions, type CallOptions } from '../call-flags.js';
import { openCall } from '../call-run.js';
import { eventsText, mediaText, pathText, phaseExitCodes } from '../call-texts.js';
import { confer, joinConference, type ConferOptions } from '../conference-run.js';
import {
  callRoomSettings,
  nickAndPassword,
  nickOption,
  prepareOption,
  roomCompletes,
  roomExitCodes,
  roomOf,
  roomPasswordOption,
  type RoomFlags,
} from './muc-call-flags.js';

export interface JoinCallOptions extends CallOptions, RoomFlags {
  room: JID;
  create: boolean;
  prepareMs: number;
  expect: ConferOptions['expect'];
  endsAlone: boolean;
}

export const command = defineCommand({
  path: 'muc-call join',
  summary: 'take part in a call in a room',
  description: [
    'Enters the room, agrees with those who are in the call there (Muji, XEP-0272), connects to each of them, and stays until it is interrupted, --duration is over, what --play sends has ended, or, with --until-alone, all others have left.',
    'The room must show the real addresses of those in it, because sessions are between these. With --create a room that does not exist is made like that, with the password that is given, if one is.',
    'With --expect it fails when so many others cannot be heard within the time of --within, and says in which step; the duration counts from the moment when all are there.',
  ].join('\n\n'),
  sections: [
    { title: 'SOUND AND PICTURES', text: mediaText },
    { title: 'PATHS', text: pathText },
    {
      title: 'JSON OUTPUT',
      text: eventsText(
        'joined (nick, present), participant (nick, jid, state, failed with phase and reason), phase, first-packet, warning, put-out, finished. The states are preparing, calling, connecting, connected, failed, left',
      ),
    },
  ],
  examples: [
    {
      does: 'record everybody, until the others have left',
      line: 'xmppctl muc-call join orchard@chat.example.org --record meeting --until-alone',
    },
    {
      does: 'does a call with two others work, and how long does it take?',
      line: 'xmppctl muc-call join orchard@chat.example.org --tone 440 --expect 2 --duration 5 --verbose',
    },
    {
      does: 'play music into the call',
      line: 'xmppctl muc-call join orchard@chat.example.org --play music.opus --loop',
    },
  ],
  exitCodes: {
    0: 'we were in the call, and everybody who was there could be heard',
    1: 'some could not be heard to the end, or we were put out of the room',
    ...roomExitCodes,
    ...phaseExitCodes,
  },
  completes: { ...roomCompletes, '--expect': 'none', '--within': 'none', ...callCompletes },
  build: (command) =>
    addCallOptions(command)
      .argument('<room>', 'the room')
      .addOption(nickOption)
      .addOption(roomPasswordOption)
      .addOption(prepareOption)
      .option('--create', 'make a room that does not exist')
      .option('--expect <n>', 'fail unless so many others can be heard')
      .option('--within <s>', 'the time for --expect', '60')
      .option('--until-alone', 'end when all others have left'),
  parse: ([room], flags, { global }): JoinCallOptions => ({
    ...toCallOptions(flags, global.json === true),
    room: roomOf(room),
    nick: flags.nick,
    passwordFile: flags.roomPasswordFile,
    create: flags.create === true,
    prepareMs: 1000 * positive('--prepare', flags.prepare),
    expect: expectationOf(flags.expect, flags.within),
    endsAlone: flags.untilAlone === true,
  }),
  run: runJoinCall,
});

function expectationOf(count: string | undefined, within: string): ConferOptions['expect'] {
  if (count === undefined) return undefined;
  if (!/^[1-9]\d{0,2}$/.test(count))
    throw new UsageError(`--expect takes a whole number from 1, not ${count}`);
  return { count: Number(count), withinMs: 1000 * positive('--within', within) };
}

/** @throws CallError @throws NegativeError @throws InterruptedError */
export async function runJoinCall(options: JoinCallOptions, context: Context): Promise<void> {
  const { signal } = context;
  const { room, create, prepareMs, expect, endsAlone, durationMs } = options;
  const { advertiseCalls } = await import('../../lib/calls/features.js');
  await using session = await context.connect({ resume: true });
  using _features = advertiseCalls(session, true);
  await using open = await openCall(session, options, context);
  const own = await nickAndPassword(session, options, context);
  const settings = callRoomSettings(own.password);
  const conference = await joinConference(
    { ...open.call, session, room: { room, ...own, create, settings }, prepareMs, signal },
    open.display,
  );
  await confer(conference, open, { session, durationMs, expect, endsAlone, signal });
}
