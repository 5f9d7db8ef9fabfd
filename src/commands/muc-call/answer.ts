import { defineCommand } from '../../lib/command/definition.js';
import type { IncomingCall } from '../../lib/calls/direct/incoming-calls.js';
import type { RoomInvitation } from '../../lib/calls/room-invitations.js';
import type { Context } from '../../lib/context.js';
import { UsageError } from '../../lib/errors.js';
import { EventQueue } from '../../lib/event-queue.js';
import type { JID } from '../../lib/jid/jid.js';
import { parseAddress } from '../../lib/jid/xmpp-uri.js';
import type { Session } from '../../lib/session/session.js';
import { answerCalls, fits } from '../answer-calls.js';
import { addCallOptions, callCompletes, positive, toCallOptions, type CallOptions } from '../call-flags.js';
import { openCall } from '../call-run.js';
import { eventsText, mediaText, pathText, phaseExitCodes } from '../call-texts.js';
import {
  nickAndPassword,
  nickOption,
  prepareOption,
  roomCompletes,
  roomExitCodes,
  roomOf,
  roomPasswordOption,
  type RoomFlags,
} from './muc-call-flags.js';

export interface AnswerInvitationsOptions extends CallOptions, RoomFlags {
  /** Whose invitations; everybody's when empty. */
  from: JID[];
  /** To which rooms; all when empty. */
  to: JID[];
  /** Rooms to wait in. */
  waitIn: JID[];
  isDeclining: boolean;
  prepareMs: number;
}

const collect = (value: string, list: string[]): string[] => [...list, value];
const MAX_WAITING = 100;

export const command = defineCommand({
  path: 'muc-call answer',
  summary: 'wait for an invitation to a call in a room, and join it',
  description: [
    'Becomes available and accepts the first invitation that fits: of somebody named with --from, and to a room named with --to, of which one at least must be said. Either takes a domain, which stands for everybody, or every room, there. It then takes part in the call as xmppctl muc-call join does, and ends when the others have left, with --duration, or with the end of what --play sends.',
    'Invitations to calls (XEP-0482, or as Dino sends them) are answered; one to a room alone (XEP-0249) has no answer, and is followed all the same. With --in rooms are entered, because invitations are also sent to all in a room. Others get no answer, and do not learn that somebody is here; who fits and comes during a call is told no.',
  ].join('\n\n'),
  sections: [
    { title: 'SOUND AND PICTURES', text: mediaText },
    { title: 'PATHS', text: pathText },
    {
      title: 'JSON OUTPUT',
      text: eventsText('incoming (from, id, room), declined, then as of xmppctl muc-call join'),
    },
  ],
  examples: [
    {
      does: 'a bot that records every call it is invited to',
      line: 'while xmppctl muc-call answer --from example.org --record meetings; do :; done',
    },
    {
      does: 'come to calls in one room only, whoever asks',
      line: 'xmppctl muc-call answer --to orchard@chat.example.org --play welcome.opus',
    },
    {
      does: 'wait in a room of people for calls that they start there',
      line: 'xmppctl muc-call answer --from team@chat.example.org --in team@chat.example.org --nick recorder --record calls',
    },
  ],
  exitCodes: {
    0: 'an invitation was accepted, and the call has ended',
    1: 'some could not be heard to the end, or we were put out of the room',
    ...roomExitCodes,
    ...phaseExitCodes,
  },
  completes: { ...roomCompletes, '--from': 'jid', '--to': 'jid', '--in': 'jid', ...callCompletes },
  build: (command) =>
    addCallOptions(command)
      .option('--from <jid>', 'accept invitations of this address, domain or room (repeatable)', collect, [])
      .option(
        '--to <room>',
        'accept invitations to this room, or to those of a domain (repeatable)',
        collect,
        [],
      )
      .option('--in <room>', 'wait in this room, too (repeatable)', collect, [])
      .option('--decline', 'decline them all, until interrupted')
      .addOption(nickOption)
      .addOption(roomPasswordOption)
      .addOption(prepareOption),
  parse: (_args, flags, { global }): AnswerInvitationsOptions => {
    if (flags.from.length === 0 && flags.to.length === 0)
      throw new UsageError('which invitations shall be accepted?', {
        hint: 'say whose with --from, or to which rooms with --to',
      });
    return {
      ...toCallOptions(flags, global.json === true),
      from: flags.from.map(parseAddress),
      to: flags.to.map(parseAddress),
      waitIn: flags.in.map(roomOf),
      isDeclining: flags.decline === true,
      nick: flags.nick,
      passwordFile: flags.roomPasswordFile,
      prepareMs: 1000 * positive('--prepare', flags.prepare),
    };
  },
  run: runAnswerInvitations,
});

/** @throws CallError @throws NegativeError @throws InterruptedError @throws StanzaError a room of --in refuses */
export async function runAnswerInvitations(
  options: AnswerInvitationsOptions,
  context: Context,
): Promise<void> {
  const { from, to, waitIn, isDeclining, prepareMs, durationMs } = options;
  const [{ RoomInvitations }, { advertiseCalls }, { sendPresence }] = await Promise.all([
    import('../../lib/calls/room-invitations.js'),
    import('../../lib/calls/features.js'),
    import('../../lib/roster/send-presence.js'),
  ]);
  await using session = await context.connect({ resume: true });
  using _features = advertiseCalls(session, true);
  await using open = await openCall(session, options, context);
  const { nick, password } = await nickAndPassword(session, options, context);
  const events = new EventQueue<IncomingCall | RoomInvitation>(MAX_WAITING);
  const own = new Set<string>();
  using invitations = new RoomInvitations({
    session,
    isWanted: (inviter, room) =>
      !own.has(inviter.toString()) &&
      (from.length === 0 || from.some((rule) => fits(rule, inviter))) &&
      (to.length === 0 || to.some((rule) => fits(rule, room))),
    takesPlain: !isDeclining,
    emit: (invitation) => events.push(invitation),
  });
  using _messages = session.handle({ name: 'message' }, (message) => invitations.receive(message));
  using _lost = session.on('closed', ({ error }) => events.end(error));
  await sendPresence(session);
  const enter = (): Promise<void> => enterRooms(session, waitIn, nick, password, own);
  await enter();
  using _back = session.on('reconnected', () => {
    sendPresence(session)
      .then(enter)
      .catch((error: unknown) => {
        context.output.warn(
          `not waiting in the rooms any more: ${error instanceof Error ? error.message : ''}`,
        );
      });
  });
  context.output.note(`waiting for invitations as ${session.jid.toString()}`);
  const answering = { events, session, open, isDeclining, nick, password, prepareMs, durationMs };
  await answerCalls(answering, context);
}

/** @param own is filled with our addresses in them: what we send comes back */
async function enterRooms(
  session: Session,
  rooms: readonly JID[],
  nick: string,
  password: string | undefined,
  own: Set<string>,
): Promise<void> {
  const { joinRoom } = await import('../../lib/muc/room.js');
  own.clear();
  for (const room of rooms) {
    const { occupant } = await joinRoom(session, { room, nick, password, mayRename: true });
    own.add(occupant.toString());
  }
}
