/** What the options of `trace replay` mean. */
import { UsageError } from '../../lib/errors.js';
import type { Conversation } from '../../lib/trace-replay/conversation.js';
import { parseSince } from '../../lib/trace/since.js';

/** Whether something is before a point of the recording: a record, or a time. */
export type Point = (at: { n: number; t: number }, startedMs: number) => boolean;

/**
 * A record's number, a duration since the start of the recording, or a time.
 * @throws UsageError it is none of them
 */
export function parsePoint(option: string, text: string): Point {
  if (/^\d+$/.test(text)) {
    const number = Number(text);
    return ({ n }) => n < number;
  }
  try {
    const since = parseSince(text);
    return ({ t }, startedMs) => t < since(startedMs);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(`${option} takes the number of a record, a time or a duration, not ${text}`, {
      hint: 'for example 120, 1.5s after the start of the recording, or 2026-01-31T10:00:00Z',
    });
  }
}

/** @throws UsageError */
export function parseSpeed(text: string | undefined, waits: boolean): number | undefined {
  if (!waits) return undefined;
  if (text === undefined) return 1;
  const speed = Number(text);
  if (!(speed > 0) || !Number.isFinite(speed))
    throw new UsageError(`--speed takes a number above 0, not ${text}`, {
      hint: '2 is twice as fast as it was; --no-wait leaves the pauses out',
    });
  return speed;
}

/** @throws UsageError */
export function parseConnection(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const conn = Number(text);
  if (!Number.isInteger(conn) || conn < 1)
    throw new UsageError(`--connection takes the number of a connection, not ${text}`);
  return conn;
}

/**
 * The connection that is replayed.
 * @throws UsageError there is none that can be, or several
 */
export function chooseConversation(
  conversations: readonly Conversation[],
  wanted: number | undefined,
  name: string,
): Conversation {
  if (wanted !== undefined) {
    const chosen = conversations.find(({ conn }) => conn === wanted);
    if (!chosen) throw new UsageError(`${name} has no connection ${wanted}`, { hint: listOf(conversations) });
    checkPlayable(chosen, name);
    return chosen;
  }
  const playable = conversations.filter((each) => each.kind !== 'server' && each.lines.length > 0);
  const [first, second] = playable;
  if (first && !second) return first;
  if (first)
    throw new UsageError(`${name} has ${playable.length} connections that can be replayed`, {
      hint: `choose one with --connection: ${listOf(playable)}`,
    });
  const [only, other] = conversations;
  if (only && !other) checkPlayable(only, name);
  if (only && conversations.every(({ kind }) => kind === 'server'))
    throw new UsageError(
      `${name} has streams between servers only, which cannot be replayed`,
      betweenServers,
    );
  throw new UsageError(`${name} has no connection that can be replayed`, {
    hint: 'none got as far as binding a resource and saying something',
  });
}

/** Who may speak for a domain is proved anew each time (RFC 6120 §13.7, XEP-0220): neither proof can be played. */
const betweenServers = {
  hint: 'neither side would take us for the other server; xmppctl trace show, lint and diff read it',
};

function checkPlayable({ conn, kind, isBound, lines }: Conversation, name: string): void {
  const what = `connection ${conn} of ${name}`;
  if (kind === 'server')
    throw new UsageError(`${what} is one between servers, which cannot be replayed`, betweenServers);
  if (!isBound)
    throw new UsageError(`${what} never got as far as binding a resource: there is nothing to replay`);
  if (lines.length === 0)
    throw new UsageError(`${what} has nothing behind the login: there is nothing to replay`);
}

function listOf(conversations: readonly Conversation[]): string {
  const shown = conversations.slice(0, 10).map(({ conn, jid, label }) => `${conn} (${jid ?? label ?? '?'})`);
  return conversations.length > 10 ? `${shown.join(', ')} and more` : shown.join(', ');
}
