/**
 * Connecting to what the other party offers: in order of priority, each a little after the one before, so that one that
 * is dropped by a firewall holds nobody up (XEP-0260 §2.3, in the manner of RFC 8305).
 */
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Candidate } from './candidates.js';
import { Socks5Error, requestStream } from './handshake.js';
import { STREAM_BUFFER_BYTES } from './stream-buffer.js';

/** Before the next candidate is tried beside the last. */
const STAGGER_MS = 250;
/** Before a proxy is tried beside direct candidates: it is a detour, and often somebody else's. */
const PROXY_DELAY_MS = 1500;
/** For one candidate, from the first packet to the end of the handshake. */
const ATTEMPT_MS = 8000;

export interface Dialed {
  candidate: Candidate;
  socket: Socket;
}

export interface DialOptions {
  /** What to ask a candidate for, in turn until one is granted. */
  destinationsOf: (candidate: Candidate) => readonly string[];
  /** Ends every attempt. */
  signal: AbortSignal;
  /** Candidates of less priority than this are not tried any more: the other party has something better. */
  floor: () => number;
  note: (fact: string) => void;
}

/** The first candidate that lets us through, or undefined when none does. The others are closed. */
export async function dialFirst(
  candidates: readonly Candidate[],
  { destinationsOf, signal, floor, note }: DialOptions,
): Promise<Dialed | undefined> {
  const over = new AbortController();
  const ended = AbortSignal.any([signal, over.signal]);
  let winner: Dialed | undefined;
  let pending = 0;
  let hasProxyWaited = false;
  const running: Promise<void>[] = [];
  /** Resolved when an attempt ends, so that nothing is waited for in vain. */
  let wake = (): void => undefined;

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
      dial(candidate, destinationsOf(candidate), ended)
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
      ended.addEventListener('abort', () => resolve(), { once: true });
    });
    await Promise.race([delay(ms, undefined, { signal: waiting.signal }).catch(() => undefined), woken]);
    waiting.abort();
  }
}

/**
 * One candidate. A server that refuses closes the connection, so each destination is asked for on one of its own.
 * @throws Error why not
 */
export async function dial(
  candidate: Pick<Candidate, 'host' | 'port'>,
  destinations: readonly string[],
  signal: AbortSignal,
): Promise<Socket> {
  let refusal: unknown;
  for (const destination of destinations) {
    try {
      return await dialOnce(candidate, destination, signal);
    } catch (error) {
      if (!(error instanceof Socks5Error)) throw error;
      refusal = error;
    }
  }
  throw refusal;
}

async function dialOnce(
  { host, port }: Pick<Candidate, 'host' | 'port'>,
  destination: string,
  signal: AbortSignal,
): Promise<Socket> {
  signal.throwIfAborted();
  // @types/node does not know that a socket passes `highWaterMark` on.
  const options = {
    host,
    port,
    // The half that says "all was sent" must not end the half that answers.
    allowHalfOpen: true,
    noDelay: true,
    highWaterMark: STREAM_BUFFER_BYTES,
  };
  const socket = connect(options);
  // Stays on: between the handshake and its use a connection may break without anybody's harm.
  socket.on('error', () => undefined);
  const stop = (): void => void socket.destroy(new Error('it is not needed any more'));
  const timer = setTimeout(
    () => socket.destroy(new Error(`no answer within ${ATTEMPT_MS / 1000} s`)),
    ATTEMPT_MS,
  );
  signal.addEventListener('abort', stop);
  try {
    await requestStream(socket, destination);
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  }
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
