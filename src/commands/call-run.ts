/** What a call needs, and a call with one other to its end. */
import { Writable } from 'node:stream';
import type { Context } from '../lib/context.js';
import type { CallContext, CallSession, CallSessionEvent } from '../lib/calls/call-session.js';
import { findIceServers } from '../lib/calls/external-services.js';
import { CallError, phaseNames } from '../lib/calls/phases.js';
import { isCallInfo } from '../lib/calls/stanzas/rtp.js';
import { watchSession } from '../lib/calls/watch-session.js';
import type { EventQueue } from '../lib/event-queue.js';
import { shareEndpoint } from '../lib/jingle/endpoint.js';
import type { MediaEngine } from '../lib/media/media-link.js';
import type { Output } from '../lib/output/output.js';
import type { Session } from '../lib/session/session.js';
import { interruption } from '../lib/session/wait.js';
import { CallDisplay, shownStatistics, type ShownParticipant } from './call-display.js';
import { namedServers, sinkOf, type CallOptions } from './call-flags.js';

export interface OpenCall extends AsyncDisposable {
  call: CallContext;
  engine: MediaEngine;
  display: CallDisplay;
}

/**
 * What a call needs: the place where sessions arrive, servers, and media.
 * @throws CallError phase `ice`: only TURN may be used, and there is no such server
 * @throws MediaFileError a file that is to be sent cannot be
 */
export async function openCall(session: Session, options: CallOptions, context: Context): Promise<OpenCall> {
  const { signal, env, output, stdin } = context;
  const { isRelayOnly, interfaces, source, video, asksServer } = options;
  const servers = await namedServers(options, env);
  if (asksServer) servers.push(...(await findIceServers(session, { signal })));
  if (isRelayOnly && !servers.some(({ kind }) => kind === 'turn'))
    throw new CallError('ice', 'only TURN may be used, and no such server is known', {
      hint: 'name one with --turn',
    });
  for (const { kind, host, port } of servers) output.detail(`${kind} server: ${host}:${port}`);
  const { openMediaEngine } = await import('../lib/media/engine.js');
  const engine = await openMediaEngine({
    source: source.kind === 'stdin' ? { kind: 'stdin', stream: stdin } : source,
    sink: sinkOf(options, () => standardOutput(output)),
    ...(video && { videoSource: video }),
    signal,
    onWarning: (text) => output.warn(text),
  });
  const shared = shareEndpoint(session);
  shared.endpoint.understand(isCallInfo);
  const isReceived = options.sink.recordDirectory !== undefined || video !== undefined;
  return {
    engine,
    display: new CallDisplay(output, { isStdoutTaken: options.sink.isPcmOut }),
    call: {
      endpoint: shared.endpoint,
      engine,
      servers,
      isRelayOnly,
      interfaces,
      video: { isSent: video !== undefined, isReceived },
      timeoutMs: session.timeoutMs,
    },
    [Symbol.asyncDispose]: async () => {
      shared[Symbol.dispose]();
      await engine.close();
    },
  };
}

function standardOutput(output: Output): Writable {
  return new Writable({
    write: (chunk: Uint8Array, _encoding, done) => {
      output.bytes(chunk).then(() => done(), done);
    },
  });
}

/** What ends a call from our side. */
interface Ends {
  durationMs: number | undefined;
  engine: MediaEngine;
  signal: AbortSignal;
}

/** Calls `end` when it is time: the duration is over, what is sent has ended, or somebody wants it. */
export function whenOver({ durationMs, engine, signal }: Ends, end: (error?: unknown) => void): Disposable {
  const timer = durationMs === undefined ? undefined : setTimeout(end, durationMs);
  const onAbort = (): void => end();
  signal.addEventListener('abort', onAbort);
  if (signal.aborted) end();
  engine.finished.then(() => end(), end);
  return {
    [Symbol.dispose]: () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    },
  };
}

/**
 * A call with one other, which has been accepted, to its end.
 * @throws CallError it failed @throws InterruptedError
 */
export async function talk(
  { session, hangUp }: { session: CallSession; hangUp: () => Promise<void> },
  events: EventQueue<CallSessionEvent>,
  { engine, display }: Pick<OpenCall, 'engine' | 'display'>,
  { durationMs, signal }: { durationMs: number | undefined; signal: AbortSignal },
): Promise<void> {
  using _watch = watchSession(session);
  let isHeard = false;
  let end: Extract<CallSessionEvent, { kind: 'ended' }> | undefined;
  try {
    using _ends = whenOver({ durationMs, engine, signal }, (error) => events.end(error));
    for await (const event of events) {
      if (event.kind === 'first-packet') isHeard = true;
      if (event.kind === 'ended') end = event;
      await display.direct(session.name, event);
      if (end) break;
    }
  } finally {
    const shown: ShownParticipant = {
      nick: session.name,
      ...(session.peer && { jid: session.peer.toString() }),
      state: end?.failed === undefined ? (end ? 'left' : 'connected') : 'failed',
      phases: {},
      ...shownStatistics(session.statistics()),
    };
    await hangUp();
    await engine.close();
    await display.finish([shown], engine.recordings);
  }
  if (end?.failed) throw failure(session.name, end.failed, textOf(end));
  if (signal.aborted) throw interruption(signal, 'calling');
  if (!isHeard && end?.by !== 'them') throw failure(session.name, session.phase, 'the call ended before');
}

export function failure(name: string, phase: CallError['phase'], reason: string): CallError {
  return new CallError(phase, `the call with ${name} failed while ${phaseNames[phase]}: ${reason}`);
}

function textOf({ reason }: Extract<CallSessionEvent, { kind: 'ended' }>): string {
  return reason.text === undefined ? reason.condition : `${reason.condition}: ${reason.text}`;
}
