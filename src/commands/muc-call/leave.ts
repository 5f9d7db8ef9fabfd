import { defineCommand } from '../../lib/command/definition.js';
import type { Context } from '../../lib/context.js';
import { NegativeError, StanzaError } from '../../lib/errors.js';
import type { JID } from '../../lib/jid/jid.js';
import { roomOf, roomPasswordOption, watcherOf } from './muc-call-flags.js';

export interface LeaveCallOptions {
  room: JID;
  passwordFile: string | undefined;
  nicks: string[];
}

export const command = defineCommand({
  path: 'muc-call leave',
  summary: 'have the other programs of this account leave the call in a room',
  description: [
    'Enters the room for a moment to see which programs of this account are in the call there, such as an xmppctl muc-call join that runs elsewhere, and asks each of them to leave (XEP-0146). They do it as when their time is over: they tell the others, complete their recordings, and end with exit code 0.',
    'A line for each that has left is printed: its nickname, and its address, separated by a tab.',
  ].join('\n\n'),
  examples: [
    { does: 'end the recording', line: 'xmppctl muc-call leave orchard@chat.example.org' },
    {
      does: 'only that of one of them',
      line: 'xmppctl muc-call leave orchard@chat.example.org --only recorder',
    },
  ],
  exitCodes: {
    0: 'all of them have left',
    1: 'none is in the call, or one cannot be asked to leave it',
    5: 'the room could not be entered',
  },
  completes: { room: 'jid', '--room-password-file': 'file', '--only': 'none' },
  build: (command) =>
    command
      .argument('<room>', 'the room')
      .option(
        '--only <nick>',
        'only that one (repeatable)',
        (value: string, list: string[]) => [...list, value],
        [],
      )
      .addOption(roomPasswordOption),
  parse: ([room], flags): LeaveCallOptions => ({
    room: roomOf(room),
    passwordFile: flags.roomPasswordFile,
    nicks: flags.only,
  }),
  run: runLeaveCall,
});

/** @throws NegativeError nobody has left @throws StanzaError @throws RemoteError no such room @throws InterruptedError */
export async function runLeaveCall(
  { room, nicks, passwordFile }: LeaveCallOptions,
  context: Context,
): Promise<void> {
  const { output, signal } = context;
  const [{ ConferenceRoom }, { requestLeaving }] = await Promise.all([
    import('../../lib/calls/muji/conference-room.js'),
    import('../../lib/remote-control/leave-groupchats.js'),
  ]);
  await using session = await context.connect();
  const own = await watcherOf(session, passwordFile, context);
  const entered = await ConferenceRoom.enter(session, { room, ...own }, () => undefined, { signal });
  const occupants = entered.occupants();
  await entered.leave({ signal });
  const ours = occupants.flatMap(({ nick, jid, muji }) =>
    muji && jid?.bare.equals(session.jid.bare) === true && (nicks.length === 0 || nicks.includes(nick))
      ? [{ nick, jid }]
      : [],
  );
  if (ours.length === 0) {
    const isHidden = occupants.some(({ jid, muji }) => muji && !jid);
    throw new NegativeError(`no other program of this account is in the call in ${room.toString()}`, {
      ...(isHidden && { hint: 'the room hides the real addresses of those in it' }),
    });
  }
  const stubborn: string[] = [];
  for (const { nick, jid } of ours) {
    try {
      const hasLeft = await requestLeaving(session, jid, room.withResource(nick), { signal });
      if (hasLeft) await output.item({ nick, jid: jid.toString() }, (it) => `${it.nick}\t${it.jid}`);
      else stubborn.push(`${nick}: it does not know that it is there`);
    } catch (error) {
      if (!(error instanceof StanzaError)) throw error;
      stubborn.push(`${nick}: ${error.condition}`);
    }
  }
  await output.flush();
  if (stubborn.length > 0) throw new NegativeError(`not everybody has left: ${stubborn.join(', ')}`);
}
