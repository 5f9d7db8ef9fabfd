import { defineCommand } from '../../lib/command/definition.js';
import type { Context } from '../../lib/context.js';
import { NegativeError, TimeoutError, UsageError } from '../../lib/errors.js';
import type { Invited } from '../../lib/calls/invite.js';
import type { JID } from '../../lib/jid/jid.js';
import { parseAddress } from '../../lib/jid/xmpp-uri.js';
import { roomPasswordFrom } from '../../lib/muc/room-password.js';
import { positive } from '../call-flags.js';
import { roomOf, roomPasswordOption } from './muc-call-flags.js';

export interface InviteCommandOptions {
  room: JID;
  people: JID[];
  passwordFile: string | undefined;
  isVideo: boolean;
  waitMs: number | undefined;
}

export const command = defineCommand({
  path: 'muc-call invite',
  summary: 'invite people to a call in a room',
  description: [
    'Sends each an invitation to the call (XEP-0482, and as Dino 0.4 reads it), and one to the room (XEP-0249), which carries its password if it has one. Where the room is for members only, they are made members first, as far as this account may.',
    'With --wait their answers are waited for. A line for each is printed: the address, and invited, accepted, rejected, unanswered or unreachable, separated by a tab.',
  ].join('\n\n'),
  examples: [
    {
      does: 'call two others into a room',
      line: 'xmppctl muc-call invite orchard@chat.example.org juliet@example.org nurse@example.org --wait 30',
    },
  ],
  exitCodes: {
    0: 'all were invited; with --wait, all have accepted',
    1: 'with --wait: somebody has rejected it, or could not be reached',
    6: 'with --wait: somebody has not answered',
  },
  completes: { room: 'jid', jid: 'jid', '--room-password-file': 'file', '--wait': 'none' },
  build: (command) =>
    command
      .argument('<room>', 'the room of the call')
      .argument('<jid...>', 'whom')
      .addOption(roomPasswordOption)
      .option('--video', 'say that it is a call with pictures')
      .option('--wait <s>', 'wait so long for their answers'),
  parse: ([room, people], flags): InviteCommandOptions => {
    const whom = people.map(parseAddress);
    const bare = whom.map((jid) => jid.bare.toString());
    if (new Set(bare).size < bare.length) throw new UsageError('somebody is named twice');
    return {
      room: roomOf(room),
      people: whom,
      passwordFile: flags.roomPasswordFile,
      isVideo: flags.video === true,
      waitMs: flags.wait === undefined ? undefined : 1000 * positive('--wait', flags.wait),
    };
  },
  run: runInvite,
});

/** @throws NegativeError somebody said no @throws TimeoutError somebody said nothing @throws InterruptedError */
export async function runInvite(options: InviteCommandOptions, context: Context): Promise<void> {
  const { output, signal, env } = context;
  const { passwordFile, ...rest } = options;
  const [{ invite }, { sendPresence }] = await Promise.all([
    import('../../lib/calls/invite.js'),
    import('../../lib/roster/send-presence.js'),
  ]);
  const password = await roomPasswordFrom(passwordFile, env);
  await using session = await context.connect();
  // Answers come only to those who are there.
  if (options.waitMs !== undefined && session.kind === 'client')
    await sendPresence(session, { priority: -1 });
  const outcomes: Invited[] = [];
  const warn = (text: string): void => output.warn(text);
  for await (const outcome of invite(session, { ...rest, password, signal, warn })) {
    outcomes.push(outcome);
    const shown = { jid: outcome.jid.toString(), answer: outcome.answer };
    await output.item(shown, ({ jid, answer }) => `${jid}\t${answer}`);
  }
  await output.flush();
  const no = outcomes.filter(({ answer }) => answer === 'rejected' || answer === 'unreachable');
  if (no.length > 0) throw new NegativeError(`${namesOf(no)} will not come`);
  const silent = outcomes.filter(({ answer }) => answer === 'unanswered');
  if (silent.length > 0) throw new TimeoutError(`no answer came from ${namesOf(silent)}`);
}

function namesOf(outcomes: readonly Invited[]): string {
  return outcomes.map(({ jid }) => jid.toString()).join(', ');
}
