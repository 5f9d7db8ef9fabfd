import { defineCommand } from '../../lib/command/definition.js';
import type { Context } from '../../lib/context.js';
import { UsageError } from '../../lib/errors.js';
import type { JID } from '../../lib/jid/jid.js';
import { parseAddress } from '../../lib/jid/xmpp-uri.js';
import { answerCalls, fits } from '../answer-calls.js';
import { addCallOptions, callCompletes, toCallOptions, type CallOptions } from '../call-flags.js';
import { openCall } from '../call-run.js';
import { eventsText, mediaText, pathText, phaseExitCodes } from '../call-texts.js';

export interface AnswerOptions extends CallOptions {
  from: JID[];
  isDeclining: boolean;
  nick: string | undefined;
}

const collect = (value: string, list: string[]): string[] => [...list, value];

export const command = defineCommand({
  path: 'call answer',
  summary: 'wait for a call, or an invitation to one, and take it',
  description: [
    'Becomes available and takes the first call of somebody named with --from: a call to this account, or an invitation to a call in a room (XEP-0482, or as Dino sends it), which it joins. --from also takes a domain, which stands for everybody there.',
    'Others get no answer, and do not learn that somebody is here. Whoever of --from calls during a call is told that we are busy. Ends with the call; a loop of the shell waits for the next.',
  ].join('\n\n'),
  sections: [
    { title: 'SOUND AND PICTURES', text: mediaText },
    { title: 'PATHS', text: pathText },
    {
      title: 'JSON OUTPUT',
      text: eventsText(
        'incoming (from, id, and with an invitation room), declined, then as of xmppctl call, or with an invitation of xmppctl muc-call join',
      ),
    },
  ],
  examples: [
    {
      does: 'an answering machine: say something, and record what is said',
      line: 'xmppctl call answer --from example.org --play beep.wav --loop --record messages --duration 60',
    },
    { does: 'take no calls, and say so', line: 'xmppctl call answer --from example.org --decline' },
  ],
  exitCodes: {
    0: 'a call was taken, and has ended',
    1: 'in a call in a room, some could not be heard to the end',
    20: 'the room of an invitation could not be entered',
    21: 'the call in the room could not be joined: no codec in common, real addresses hidden',
    ...phaseExitCodes,
  },
  completes: { '--from': 'jid', '--nick': 'none', ...callCompletes },
  build: (command) =>
    addCallOptions(command)
      .option('--from <jid>', 'take calls of this address or domain (repeatable)', collect, [])
      .option('--decline', 'decline them all, until interrupted')
      .option('--nick <name>', 'the nickname in rooms; the own name when left out'),
  parse: (_args, flags, { global }): AnswerOptions => {
    if (flags.from.length === 0)
      throw new UsageError('whose calls shall be taken?', { hint: 'name them with --from' });
    return {
      ...toCallOptions(flags, global.json === true),
      from: flags.from.map(parseAddress),
      isDeclining: flags.decline === true,
      nick: flags.nick,
    };
  },
  run: runAnswer,
});

/** @throws CallError @throws InterruptedError */
export async function runAnswer(options: AnswerOptions, context: Context): Promise<void> {
  const { output } = context;
  const [{ IncomingCalls: Incoming }, { advertiseCalls }, { sendPresence }] = await Promise.all([
    import('../../lib/calls/direct/incoming-calls.js'),
    import('../../lib/calls/features.js'),
    import('../../lib/roster/send-presence.js'),
  ]);
  await using session = await context.connect({ resume: true });
  using _features = advertiseCalls(session, true);
  await using open = await openCall(session, options, context);
  using incoming = new Incoming({
    session,
    endpoint: open.call.endpoint,
    timeoutMs: session.timeoutMs,
    takesInvitations: true,
    isWanted: (from) => options.from.some((rule) => fits(rule, from)),
  });
  await sendPresence(session);
  using _presence = session.on('reconnected', () => void sendPresence(session).catch(() => undefined));
  output.note(`waiting for calls as ${session.jid.toString()}`);
  const { isDeclining, nick, durationMs } = options;
  const { events } = incoming;
  await answerCalls({ events, session, open, isDeclining, nick, prepareMs: PREPARE_MS, durationMs }, context);
}

const PREPARE_MS = 10_000;
