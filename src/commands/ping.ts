import { setTimeout as sleep } from 'node:timers/promises';
import { defineCommand } from '../lib/command/definition.js';
import type { Context } from '../lib/context.js';
import { StanzaError, TimeoutError, UsageError, type XmppctlError } from '../lib/errors.js';
import type { JID } from '../lib/jid/jid.js';
import { parseAddress } from '../lib/jid/xmpp-uri.js';
import { safeText } from '../lib/output/safe-text.js';
import type { Session } from '../lib/session/session.js';
import { xml } from '../lib/xml/element.js';

export interface PingOptions {
  /** The own server when undefined. */
  to: JID | undefined;
  /** 0: until interrupted. */
  count: number;
  intervalMs: number;
}

/** One answer, or why there is none. */
interface Probe {
  seq: number;
  to: string;
  rttMs?: number;
  error?: string;
}

export const command = defineCommand({
  path: 'ping',
  summary: 'measure the round trip to a server or an entity',
  description: [
    'Sends a ping (XEP-0199) and prints how long the answer took. Without an address the own server is asked.',
    'An address without a resource is answered by its server; with a resource, by the client that is logged in there.',
  ].join('\n\n'),
  examples: [
    { does: 'ping the own server', line: 'xmppctl ping' },
    {
      does: 'ping another server five times, as JSON lines',
      line: 'xmppctl ping example.org --count 5 --json',
    },
  ],
  exitCodes: { 0: 'at least one answer came', 5: 'the answer was an error', 6: 'no answer came' },
  completes: { jid: 'jid', '--count': 'none', '--interval': 'none' },
  build: (command) =>
    command
      .argument('[jid]', 'whom to ping; the own server when left out')
      .option('-c, --count <n>', 'how many times; 0 goes on until interrupted', '1')
      .option('-i, --interval <seconds>', 'the time from one ping to the next', '1'),
  parse: ([jid], { count, interval }): PingOptions => ({
    to: jid === undefined ? undefined : parseAddress(jid),
    count: numberFrom('--count', count, Number.isSafeInteger),
    intervalMs: numberFrom('--interval', interval, Number.isFinite) * 1000,
  }),
  run: runPing,
});

function numberFrom(name: string, text: string, isAllowed: (value: number) => boolean): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (!isAllowed(value) || value < 0)
    throw new UsageError(`${name} takes a number of 0 or more, not ${text}`);
  return value;
}

export async function runPing({ to, count, intervalMs }: PingOptions, context: Context): Promise<void> {
  const { output, signal } = context;
  await using session = await context.connect();
  const address = to?.toString() ?? session.jid.domain;
  const times: number[] = [];
  let sent = 0;
  let failure: XmppctlError | undefined;
  try {
    while (count === 0 || sent < count) {
      if (sent > 0) await pause(intervalMs, signal);
      sent += 1;
      const probe: Probe = { seq: sent, to: address };
      try {
        probe.rttMs = await measure(session, address, signal);
        times.push(probe.rttMs);
      } catch (error) {
        if (!(error instanceof StanzaError) && !(error instanceof TimeoutError)) throw error;
        failure = error;
        probe.error = error instanceof StanzaError ? error.condition : 'no answer';
      }
      if (probe.error === undefined || count !== 1) await output.item(probe, renderProbe);
    }
  } finally {
    if (count !== 1 && sent > 0) await output.item(statisticsOf(address, sent, times), renderStatistics);
  }
  if (times.length === 0 && failure) throw failure;
}

async function measure(session: Session, to: string, signal: AbortSignal): Promise<number> {
  const started = performance.now();
  await session.request({ type: 'get', to, payload: xml('ping', { xmlns: 'urn:xmpp:ping' }) }, { signal });
  return Math.round((performance.now() - started) * 1000) / 1000;
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch {
    signal.throwIfAborted();
  }
}

function renderProbe({ seq, to, rttMs, error }: Probe): string {
  const result = rttMs === undefined ? (error ?? '') : `time=${rttMs.toFixed(1)} ms`;
  return `${safeText(to, { singleLine: true })}: seq=${seq} ${result}`;
}

interface Statistics {
  to: string;
  sent: number;
  received: number;
  minMs?: number;
  avgMs?: number;
  maxMs?: number;
}

function statisticsOf(to: string, sent: number, times: readonly number[]): Statistics {
  const facts = { to, sent, received: times.length };
  if (times.length === 0) return facts;
  const sum = times.reduce((total, time) => total + time, 0);
  return {
    ...facts,
    minMs: Math.min(...times),
    avgMs: Math.round((sum / times.length) * 1000) / 1000,
    maxMs: Math.max(...times),
  };
}

function renderStatistics({ sent, received, minMs, avgMs, maxMs }: Statistics): string {
  const lost = Math.round(((sent - received) / sent) * 100);
  const times = [minMs, avgMs, maxMs].map((time) => time?.toFixed(1)).join('/');
  return `${sent} sent, ${received} answered, ${lost}% lost${received > 0 ? `, min/avg/max ${times} ms` : ''}`;
}
