/** A call in a room to its end: what `muc-call join`, `muc-call status` and whoever takes invitations have in common. */
import type { Conference, ConferenceEvent, ConferenceOptions } from '../lib/calls/muji/conference.js';
import { CallError } from '../lib/calls/phases.js';
import { NegativeError } from '../lib/errors.js';
import { EventQueue } from '../lib/event-queue.js';
import type { MediaEngine } from '../lib/media/media-link.js';
import { answerLeaving } from '../lib/remote-control/leave-groupchats.js';
import type { Session } from '../lib/session/session.js';
import { interruption } from '../lib/session/wait.js';
import { shownParticipant, type CallDisplay, type ShownParticipant } from './call-display.js';
import { failure, whenOver } from './call-run.js';

/** Who is told what happens. */
export type ConferenceDisplay = Pick<CallDisplay, 'conference' | 'finish'>;

/**
 * Joins; when that fails, what has happened before is told all the same: which steps were done, and how long each took.
 * @throws CallError the room, or what is announced there, does not let us @throws InterruptedError
 */
export async function joinConference(
  options: Omit<ConferenceOptions, 'events'>,
  display: ConferenceDisplay,
): Promise<Conference> {
  const { Conference: Joined, MAX_EVENTS } = await import('../lib/calls/muji/conference.js');
  const events = new EventQueue<ConferenceEvent>(MAX_EVENTS);
  try {
    return await Joined.join({ ...options, events });
  } catch (error) {
    events.end();
    for await (const event of events)
      if (event.kind === 'phase' || event.kind === 'warning')
        await display.conference({ statistics: () => undefined }, event);
    throw error;
  }
}

export interface ConferOptions {
  session: Session;
  durationMs: number | undefined;
  /** How many others have to be heard, and within which time. */
  expect: { count: number; withinMs: number } | undefined;
  /** End when everybody else has left. */
  endsAlone: boolean;
  signal: AbortSignal;
}

/**
 * A call in a room to its end, which another client of the account may bring about, too (`muc-call leave`).
 * @throws CallError not everybody who was expected could be heard, or nobody could
 * @throws NegativeError some could be heard, and others not; or we were put out of the room
 * @throws InterruptedError
 */
export async function confer(
  conference: Conference,
  { engine, display }: { engine: MediaEngine; display: ConferenceDisplay },
  { session, durationMs, expect, endsAlone, signal }: ConferOptions,
  onLeave: () => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  const { events } = conference;
  const heard = new Set<string>();
  const late = new AbortController();
  let putOut: string | undefined;
  const asked = new AbortController();
  const shown: ShownParticipant[] = [];
  const ends: Disposable[] = [];
  // The duration counts from the moment when everybody is there who is expected.
  const begin = (): void => {
    if (ends.length === 0) ends.push(whenOver({ durationMs, engine, signal }, (error) => events.end(error)));
  };
  const giveUp = (): void => {
    late.abort();
    events.end();
  };
  const lateTimer = expect && setTimeout(giveUp, expect.withinMs);
  const interrupt = (): void => events.end();
  signal.addEventListener('abort', interrupt);
  if (signal.aborted) interrupt();
  if (!expect) begin();
  const { occupancy } = conference;
  using _leaving = answerLeaving(session, {
    occupancies: () => (occupancy ? [occupancy] : []),
    leave: async () => {
      asked.abort();
      events.end();
      await conference.leave();
    },
  });
  try {
    for await (const event of events) {
      await display.conference(conference, event);
      if (event.kind === 'put-out') putOut = event.reason;
      if (event.kind === 'first-packet') heard.add(event.participant.nick);
      if (expect && heard.size >= expect.count) {
        clearTimeout(lateTimer);
        begin();
      }
      if (endsAlone && event.kind === 'participant' && heard.size > 0 && isAlone(conference)) break;
    }
  } finally {
    clearTimeout(lateTimer);
    signal.removeEventListener('abort', interrupt);
    for (const one of ends) one[Symbol.dispose]();
    for (const participant of conference.participants())
      shown.push(shownParticipant(participant, conference.statistics(participant.nick)));
    await conference.leave();
    await onLeave().catch(() => undefined);
    await engine.close();
    await display.finish(shown, engine.recordings);
  }
  if (signal.aborted) throw interruption(signal, 'in the call');
  if (putOut !== undefined) throw new NegativeError(`put out of the call: ${putOut}`);
  if (asked.signal.aborted) return;
  const problem = verdict(shown, heard, late.signal.aborted ? expect?.count : undefined);
  if (problem) throw problem;
}

function isAlone(conference: Conference): boolean {
  return conference.participants().every(({ state }) => state === 'left' || state === 'failed');
}

/** @param missing how many were expected, when they did not all come */
function verdict(
  participants: readonly ShownParticipant[],
  heard: ReadonlySet<string>,
  missing: number | undefined,
): CallError | NegativeError | undefined {
  const failed = participants.filter(({ failed: failing }) => failing);
  const [first] = failed;
  if (missing !== undefined) {
    const { nick = '', failed: why } = first ?? {};
    const problem = why ? `${nick}: ${why.reason}` : `only ${heard.size} came`;
    return new CallError(
      why?.phase ?? 'muji',
      `${missing} others were expected in the call, and not all can be heard: ${problem}`,
    );
  }
  if (!first?.failed) return undefined;
  if (heard.size === 0) return failure(first.nick, first.failed.phase, first.failed.reason);
  const names = failed.map(({ nick }) => nick).join(', ');
  return new NegativeError(`some could not be heard to the end: ${names}`, {
    details: { failed: failed.map(({ nick, failed: why }) => ({ nick, ...why })) },
  });
}
