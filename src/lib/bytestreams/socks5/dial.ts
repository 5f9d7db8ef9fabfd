/**
 * Connecting to what the other party offers: in order of priority, each a little after the one before, so that one that
 * is dropped by a firewall holds nobody up (XEP-0260 §2.3, in the manner of RFC 8305).
 */
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Candidate } from './candidates.js';
import { Socks5Error, requestStream } from './handshake.js';
import { leadsBack } from './local-addresses.js';
import { STREAM_BUFFER_BYTES } from './stream-buffer.js';

/** Before the next candidate is tried beside the last. */
const STAGGER_MS = 250;
/** Before a proxy is tried beside direct candidates: it is a detour, and often somebody else's. */
const PROXY_DELAY_MS = 1500;
/** For one candidate at most, from the first packet to the end of the handshake. */
const ATTEMPT_MS = 5000;
/** A name may have addresses of both families: how long the better one may take. Node's own 250 ms is less than some links take. */
const FAMILY_MS = 1000;

export interface Dialed {
  candidate: Candidate;
  socket: Socket;
}

interface AttemptOptions {
  /** Ends every attempt. */
  signal: AbortSignal;
  /** For a candidate, in milliseconds. */
  timeoutMs?: number;
  /**
   * Whether candidates may lead to this machine itself: false keeps others from having its own services tried.
   */
  mayReachLoopback: boolean;
}

export interface DialOptions extends AttemptOptions {
  /** What to ask a candidate for, in turn until one is granted. */
  destinationsOf: (candidate: Candidate) => readonly string[];
  /** Candidates of less priority than this are not tried any more: the other party has something better. */
  floor: () => number;
  note: (fact: string) => void;
}

/** The first candidate that lets us through, or undefined when none does. The others are closed. */
export async function dialFirst(
  candidates: readonly Candidate[],
  { destinationsOf, floor, note, ...attempt }: DialOptions,
): Promise<Dialed | undefined> {
  const over = new AbortController();
  const ended = AbortSignal.any([attempt.signal, over.signal]);
  let winner: Dialed | undefined;
  let pending = 0;
  let hasProxyWaited = false;
  const running: Promise<void>[] = [];
  /** Called when an attempt ends, so that nothing is waited for in vain. */
  let wake = (): void => undefined;
  const onEnd = new Promise<void>((resolve) =>
    ended.addEventListener('abort', () => resolve(), { once: true }),
  );

  for (const candidate of candidates) {
    if (winner !== undefined || ended.aborted) break;
    const isFirstProxy: boolean = candidate.type === 'proxy' && !hasProxyWaited;
    if (pending > 0) {
      hasProxyWaited ||= candidate.type === 'proxy';
      await pause(isFirstProxy ? PROXY_DELAY_MS : STAGGER_MS);
    }
    if (candidate.priority < floor()) break;
    pending += 1;
    running.push(
      dial(candidate, destinationsOf(candidate), { ...attempt, signal: ended })
        .then((socket) => {
          if (winner !== undefined || ended.aborted) {
            socket.destroy();
            return;
          }
          winner = { candidate, socket };
          over.abort();
        })
        .catch((error: unknown) => {
          if (winner === undefined && !ended.aborted) note(`${placeOf(candidate)}: ${reasonOf(error)}`);
        })
        .finally(() => {
          pending -= 1;
          wake();
        }),
    );
  }
  await Promise.all(running);
  over.abort();
  return winner;

  /** Until the time is over, somebody has won, or nothing is left that could. */
  async function pause(ms: number): Promise<void> {
    const waiting = new AbortController();
    const woken = new Promise<void>((resolve) => {
      wake = () => {
        if (winner !== undefined || pending === 0) resolve();
      };
    });
    const timer = delay(ms, undefined, { signal: waiting.signal }).catch(() => undefined);
    await Promise.race([timer, woken, onEnd]);
    waiting.abort();
  }
}

/**
 * One candidate. A server that refuses closes the connection, so each destination is asked for on one of its own.
 * @throws Error why not
 */
export async function dial(
  { host, port }: Pick<Candidate, 'host' | 'port'>,
  destinations: readonly string[],
  { signal, timeoutMs = ATTEMPT_MS, mayReachLoopback }: AttemptOptions,
): Promise<Socket> {
  const limitMs = Math.min(timeoutMs, ATTEMPT_MS);
  const tooLate = new AbortController();
  const timer = setTimeout(() => tooLate.abort(new Error(`no answer within ${limitMs / 1000} s`)), limitMs);
  const ended = AbortSignal.any([signal, tooLate.signal]);
  let refusal: unknown;
  try {
    for (const destination of destinations) {
      try {
        return await dialOnce({ host, port }, destination, ended, mayReachLoopback);
      } catch (error) {
        if (!isRefusal(error)) throw error;
        refusal = error;
      }
    }
    throw refusal;
  } finally {
    clearTimeout(timer);
  }
}

async function dialOnce(
  { host, port }: Pick<Candidate, 'host' | 'port'>,
  destination: string,
  signal: AbortSignal,
  mayReachLoopback: boolean,
): Promise<Socket> {
  signal.throwIfAborted();
  if (!mayReachLoopback && leadsBack(host)) throw leadsBackError();
  // @types/node does not know that a socket passes `highWaterMark` on.
  const options = {
    host,
    port,
    // The half that says "all was sent" must not end the half that answers.
    allowHalfOpen: true,
    noDelay: true,
    highWaterMark: STREAM_BUFFER_BYTES,
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: FAMILY_MS,
  };
  const socket = connect(options);
  // Stays on: between the handshake and its use a connection may break without anybody's harm.
  socket.on('error', () => undefined);
  socket.on('lookup', (_error, address) => {
    if (!mayReachLoopback && leadsBack(address)) socket.destroy(leadsBackError());
  });
  const stop = (): void =>
    void socket.destroy(
      signal.reason instanceof Error ? signal.reason : new Error('it is not needed any more'),
    );
  signal.addEventListener('abort', stop);
  try {
    await requestStream(socket, destination);
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** Worth asking for something else. Some close the connection instead of refusing, and what we have written then breaks it. */
function isRefusal(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return error instanceof Socks5Error || code === 'ECONNRESET' || code === 'EPIPE';
}

function leadsBackError(): Error {
  return new Error('it is an address of this machine');
}

export function placeOf({ host, port }: Pick<Candidate, 'host' | 'port'>): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
  const known: Readonly<Record<string, string>> = {
    ECONNREFUSED: 'connection refused',
    EHOSTUNREACH: 'no route to it',
    ENETUNREACH: 'no route to it',
    ENOTFOUND: 'no such host',
    ETIMEDOUT: 'no answer',
    ECONNRESET: 'it closed the connection',
  };
  const inWords = code === undefined ? undefined : known[code];
  return inWords ?? (error instanceof Error ? error.message : String(error));
}
