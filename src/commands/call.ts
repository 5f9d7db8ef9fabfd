import { defineCommand } from '../lib/command/definition.js';
import type { CallSessionEvent } from '../lib/calls/call-session.js';
import type { Context } from '../lib/context.js';
import { EventQueue } from '../lib/event-queue.js';
import type { JID } from '../lib/jid/jid.js';
import { parseAddress } from '../lib/jid/xmpp-uri.js';
import { addCallOptions, callCompletes, positive, toCallOptions, type CallOptions } from './call-flags.js';
import { openCall, talk } from './call-run.js';
import { eventsText, mediaText, pathText, phaseExitCodes } from './call-texts.js';

export interface PlaceCallCommandOptions extends CallOptions {
  to: JID;
  ringMs: number;
}

export const command = defineCommand({
  path: 'call',
  summary: 'call somebody',
  description: [
    'Calls all clients of an account at once (XEP-0353), or, with a resource behind the address, that one, waits until the call is taken, and stays in it until one side ends it: with Ctrl-C, after --duration, with the end of what --play sends, or when the other hangs up.',
    'When both call each other at the same moment, the two calls become one.',
  ].join('\n\n'),
  sections: [
    { title: 'SOUND AND PICTURES', text: mediaText },
    { title: 'PATHS', text: pathText },
    {
      title: 'JSON OUTPUT',
      text: eventsText(
        'ringing, phase, connected (local and remote: the addresses of the path), first-packet, ended (by us or them, and reason)',
      ),
    },
  ],
  examples: [
    { does: 'say something, and hang up', line: 'xmppctl call juliet@example.org --play announcement.wav' },
    {
      does: 'see which step of a call fails, and how long each takes',
      line: 'xmppctl call juliet@example.org --tone 440 --duration 5 --verbose',
    },
    {
      does: 'talk, with the sound system of the machine',
      line: `xmppctl call juliet@example.org --capture 'arecord -q -t raw -f S16_LE -r 48000 -c 1' --pcm-out - | aplay -q -t raw -f S16_LE -r 48000 -c 1`,
    },
  ],
  exitCodes: {
    0: 'the call was taken, and has ended',
    1: 'declined, or busy',
    6: 'nobody has answered in the time of --ring',
    ...phaseExitCodes,
  },
  completes: { jid: 'jid', '--ring': 'none', ...callCompletes },
  build: (command) =>
    addCallOptions(command).argument('<jid>', 'whom').option('--ring <s>', 'how long it may ring', '60'),
  parse: ([jid], flags, { global }): PlaceCallCommandOptions => ({
    ...toCallOptions(flags, global.json === true),
    to: parseAddress(jid),
    ringMs: 1000 * positive('--ring', flags.ring),
  }),
  run: runCall,
});

/** @throws NegativeError declined @throws TimeoutError not answered @throws CallError @throws InterruptedError */
export async function runCall(options: PlaceCallCommandOptions, context: Context): Promise<void> {
  const { signal, output } = context;
  const { to, ringMs, durationMs } = options;
  const [{ placeCall }, { advertiseCalls }, { sendPresence }] = await Promise.all([
    import('../lib/calls/direct/place-call.js'),
    import('../lib/calls/features.js'),
    import('../lib/roster/send-presence.js'),
  ]);
  await using session = await context.connect({ resume: true });
  using _features = advertiseCalls(session, options.video !== undefined);
  await using open = await openCall(session, options, context);
  // Answers to what is announced come only to those who are there; calls of others are not for this program.
  if (session.kind === 'client') await sendPresence(session, { priority: -1 });
  const events = new EventQueue<CallSessionEvent>();
  output.detail(`calling ${to.toString()} as ${session.jid.toString()}`);
  const name = to.bare.toString();
  const emit = (event: CallSessionEvent): void => void events.push(event);
  try {
    const placed = await placeCall({ ...open.call, session, to, ringMs, signal, emit });
    await talk(placed, events, open, { durationMs, signal });
  } catch (error) {
    // What has happened before it failed.
    events.end();
    for await (const event of events) await open.display.direct(name, event);
    throw error;
  }
}
