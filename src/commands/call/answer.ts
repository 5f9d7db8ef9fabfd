import { defineCommand } from '../../lib/command/definition.js';
import type { CallSessionEvent } from '../../lib/calls/call-session.js';
import type {
  IncomingCall,
  IncomingCalls,
  IncomingInvitation,
} from '../../lib/calls/direct/incoming-calls.js';
import type { Context } from '../../lib/context.js';
import { ConnectionLostError, TimeoutError, UsageError, StanzaError } from '../../lib/errors.js';
import { EventQueue } from '../../lib/event-queue.js';
import type { JID } from '../../lib/jid/jid.js';
import { parseAddress } from '../../lib/jid/xmpp-uri.js';
import { safeText } from '../../lib/output/safe-text.js';
import type { Session } from '../../lib/session/session.js';
import { interruption } from '../../lib/session/wait.js';
import { addCallOptions, callCompletes, toCallOptions, type CallOptions } from '../call-flags.js';
import { confer, openCall, talk, type OpenCall } from '../call-run.js';
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
    'Becomes available and takes the first call of somebody named with --from: a call to this account, or an invitation to a call in a room (XEP-0482, or as Dino sends it), which it joins. --from also takes a domain, which stands for everybody there, and a room, for invitations that are sent in it.',
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
      .option('--from <jid>', 'take calls of this address, domain or room (repeatable)', collect, [])
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
  const { signal, output } = context;
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
    isWanted: (from) => options.from.some((rule) => fits(rule, from)),
  });
  await sendPresence(session);
  using _presence = session.on('reconnected', () => void sendPresence(session).catch(() => undefined));
  output.note(`waiting for calls as ${session.jid.toString()}`);
  const stop = (): void => incoming.events.end();
  signal.addEventListener('abort', stop);
  if (signal.aborted) stop();
  try {
    for (;;) {
      const next = await incoming.events.next();
      if (next.done === true) throw interruption(signal, 'waiting for calls');
      await tellIncoming(next.value, context);
      if (options.isDeclining) await decline(next.value, context);
      else if (await take(next.value, { session, open, incoming, options, context })) return;
    }
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** An address without a name stands for everybody there. */
function fits(rule: JID, from: JID): boolean {
  if (rule.local === undefined) return rule.domain === from.domain;
  return rule.isBare ? rule.equals(from.bare) : rule.equals(from);
}

async function tellIncoming(event: IncomingCall | IncomingInvitation, { output }: Context): Promise<void> {
  const from = event.from.toString();
  const room = event.kind === 'invitation' ? event.room.toString() : undefined;
  const what = room === undefined ? 'calls' : `invites to a call in ${room}`;
  output.note(safeText(`${from} ${what}`, { singleLine: true }));
  if (output.isJson)
    await output.item(
      { event: 'incoming', from, id: event.id, ...(room !== undefined && { room }) },
      () => '',
    );
}

async function decline(event: IncomingCall | IncomingInvitation, { output }: Context): Promise<void> {
  await (event.kind === 'call' ? event.reject('decline') : event.reject()).catch(() => undefined);
  if (output.isJson)
    await output.item({ event: 'declined', from: event.from.toString(), id: event.id }, () => '');
}

interface Taking {
  session: Session;
  open: OpenCall;
  incoming: IncomingCalls;
  options: AnswerOptions;
  context: Context;
}

/** @returns false when nothing came of it, and the next one is waited for */
async function take(event: IncomingCall | IncomingInvitation, taking: Taking): Promise<boolean> {
  if (event.kind === 'invitation') return takeInvitation(event, taking);
  const { open, options, context } = taking;
  const { CallSession } = await import('../../lib/calls/call-session.js');
  let jingle;
  try {
    await event.ring();
    jingle = await event.take();
  } catch (error) {
    if (!(error instanceof TimeoutError) && !(error instanceof StanzaError)) throw error;
    context.output.warn(`the call of ${event.from.toString()} has not come: ${error.message}`);
    return false;
  }
  using _busy = rejectOthers(taking.incoming);
  const events = new EventQueue<CallSessionEvent>();
  const name = event.from.bare.toString();
  const session = CallSession.incoming(open.call, jingle, name, (one) => void events.push(one));
  await session.accept();
  const hangUp = (): Promise<void> => session.end({ condition: 'success' });
  await talk({ session, hangUp }, events, open, { durationMs: options.durationMs, signal: context.signal });
  return true;
}

async function takeInvitation(
  event: IncomingInvitation,
  { session, open, incoming, options, context }: Taking,
): Promise<boolean> {
  const { Conference } = await import('../../lib/calls/muji/conference.js');
  const { signal } = context;
  using _busy = rejectOthers(incoming);
  await event.accept();
  const conference = await Conference.join({
    ...open.call,
    session,
    room: {
      room: event.room,
      nick: options.nick ?? session.jid.local ?? session.jid.domain,
      password: event.password,
    },
    prepareMs: PREPARE_MS,
    signal,
  });
  const { durationMs } = options;
  await confer(conference, open, { durationMs, expect: undefined, endsAlone: true, signal }, () =>
    event.left(),
  );
  return true;
}

const PREPARE_MS = 10_000;

/** During a call. */
function rejectOthers(incoming: IncomingCalls): Disposable {
  const over = new AbortController();
  void (async () => {
    for (;;) {
      const next = await incoming.events.next();
      if (over.signal.aborted || next.done === true) return;
      const { value } = next;
      await (value.kind === 'call' ? value.reject('busy') : value.reject()).catch(() => undefined);
    }
  })().catch((error: unknown) => {
    // That the stream is lost is for the call to notice.
    if (!(error instanceof ConnectionLostError)) throw error;
  });
  return { [Symbol.dispose]: () => over.abort() };
}
