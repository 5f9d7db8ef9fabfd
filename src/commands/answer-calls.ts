/** Taking calls and invitations as they come: what `call answer` and `muc-call answer` have in common. */
import type { CallSessionEvent } from '../lib/calls/call-session.js';
import type { IncomingCall } from '../lib/calls/direct/incoming-calls.js';
import type { RoomInvitation } from '../lib/calls/room-invitations.js';
import type { Context } from '../lib/context.js';
import { ConnectionLostError, StanzaError, TimeoutError } from '../lib/errors.js';
import { EventQueue } from '../lib/event-queue.js';
import type { JID } from '../lib/jid/jid.js';
import { safeText } from '../lib/output/safe-text.js';
import type { Session } from '../lib/session/session.js';
import { interruption } from '../lib/session/wait.js';
import { talk, type OpenCall } from './call-run.js';
import { confer, joinConference } from './conference-run.js';

type Incoming = IncomingCall | RoomInvitation;

export interface AnsweringOptions {
  events: EventQueue<Incoming>;
  session: Session;
  open: OpenCall;
  isDeclining: boolean;
  nick: string | undefined;
  /** The password of rooms whose invitation brings none. */
  password?: string | undefined;
  prepareMs: number;
  durationMs: number | undefined;
}

/**
 * Takes the first that something comes of, to its end; or declines them all, until interrupted.
 * @throws CallError @throws InterruptedError
 */
export async function answerCalls(options: AnsweringOptions, context: Context): Promise<void> {
  const { events, isDeclining } = options;
  const { signal } = context;
  const stop = (): void => events.end();
  signal.addEventListener('abort', stop);
  if (signal.aborted) stop();
  try {
    for (;;) {
      const next = await events.next();
      if (next.done === true) throw interruption(signal, 'waiting for calls');
      const { value } = next;
      // It was taken back while another one was being answered.
      if (value.signal.aborted) continue;
      await tellIncoming(value, context);
      if (isDeclining) await decline(value, context);
      else if (await take(value, options, context)) return;
    }
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** An address without a name stands for everybody there. */
export function fits(rule: JID, address: JID): boolean {
  if (rule.local === undefined) return rule.domain === address.domain;
  return rule.isBare ? rule.equals(address.bare) : rule.equals(address);
}

async function tellIncoming(event: Incoming, { output }: Context): Promise<void> {
  const from = event.from.toString();
  const room = event.kind === 'invitation' ? event.room.toString() : undefined;
  const what = room === undefined ? 'calls' : `invites to a call in ${room}`;
  output.note(safeText(`${from} ${what}`, { singleLine: true }));
  if (!output.isJson) return;
  const told = { event: 'incoming', from, id: event.id, ...(room !== undefined && { room }) };
  await output.item(told, () => '');
  await output.flush();
}

async function decline(event: Incoming, { output }: Context): Promise<void> {
  await (event.kind === 'call' ? event.reject('decline') : event.reject()).catch(() => undefined);
  if (!output.isJson) return;
  await output.item({ event: 'declined', from: event.from.toString(), id: event.id }, () => '');
  await output.flush();
}

/** @returns false when nothing came of it, and the next one is waited for */
function take(event: Incoming, options: AnsweringOptions, context: Context): Promise<boolean> {
  return event.kind === 'call' ? takeCall(event, options, context) : takeInvitation(event, options, context);
}

async function takeCall(
  event: IncomingCall,
  { events: others, open, durationMs }: AnsweringOptions,
  { signal, output }: Context,
): Promise<boolean> {
  const { CallSession } = await import('../lib/calls/call-session.js');
  let jingle;
  try {
    await event.ring();
    jingle = await event.take();
  } catch (error) {
    if (!(error instanceof TimeoutError) && !(error instanceof StanzaError)) throw error;
    output.warn(`the call of ${event.from.toString()} has not come: ${error.message}`);
    return false;
  }
  using _busy = rejectOthers(others);
  const events = new EventQueue<CallSessionEvent>();
  const name = event.from.bare.toString();
  const session = CallSession.incoming(open.call, jingle, name, (one) => void events.push(one));
  await session.accept();
  const hangUp = (): Promise<void> => session.end({ condition: 'success' });
  await talk({ session, hangUp }, events, open, { durationMs, signal });
  return true;
}

async function takeInvitation(
  event: RoomInvitation,
  { events: others, session, open, nick, password, prepareMs, durationMs }: AnsweringOptions,
  { signal }: Context,
): Promise<boolean> {
  using _busy = rejectOthers(others);
  await event.accept();
  const room = {
    room: event.room,
    nick: nick ?? session.jid.local ?? session.jid.domain,
    password: event.password ?? password,
  };
  const conference = await joinConference({ ...open.call, session, room, prepareMs, signal }, open.display);
  const options = { session, durationMs, expect: undefined, endsAlone: true, signal };
  await confer(conference, open, options, () => event.left());
  return true;
}

/** During a call. */
function rejectOthers(events: EventQueue<Incoming>): Disposable {
  const over = new AbortController();
  void (async () => {
    for (;;) {
      const next = await events.next();
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
