/** `trace proxy` and `trace replay --as server`: what listens for clients, started and waited for. */
import { onTestFinished } from 'vitest';
import type { Sandbox } from '../../src/lib/sandbox/sandbox.js';
import { startXmppctl, type Running } from './run-xmppctl.js';
import type { TemporaryHome } from './temporary-home.js';

export interface TraceListener {
  running: Running;
  /** On 127.0.0.1. */
  port: number;
  /** The file of the authority that clients have to trust. */
  ca: string;
}

export async function untilListening(running: Running): Promise<TraceListener> {
  onTestFinished(() => void running.child.kill('SIGKILL'));
  const [, port = '', ca = ''] = await running.waitFor(
    'stderr',
    /listening on 127\.0\.0\.1:(\d+) for .*clients have to trust the authority in (.*)\n/,
  );
  return { running, port: Number(port), ca };
}

/** Records the one connection that is made through it, and ends with that. */
export function recordOne(sandbox: Sandbox, home: TemporaryHome, trace: string): Promise<TraceListener> {
  return untilListening(
    startXmppctl(
      [
        ...['trace', 'proxy', '--listen', '127.0.0.1:0', '--ca', sandbox.caFile, '--once', '--no-show'],
        ...['--to', `${sandbox.host}:${sandbox.ports.c2s}`, '--domain', sandbox.domain],
        ...['--strip-channel-binding', `--trace=${trace}`],
      ],
      { env: { ...home.env }, input: '' },
    ),
  );
}

export interface ServeOptions {
  args?: readonly string[];
  env?: Readonly<Record<string, string>>;
}

/** Plays the server of a recording. */
export function serveRecording(
  trace: string,
  home: TemporaryHome,
  { args = [], env = {} }: ServeOptions = {},
): Promise<TraceListener> {
  return untilListening(
    startXmppctl(['trace', 'replay', trace, '--as', 'server', '--listen', '127.0.0.1:0', ...args], {
      env: { ...home.env, ...env },
      input: '',
    }),
  );
}

/** The sandbox as it is for a client that comes through a listener. */
export function seenThrough(sandbox: Sandbox, { port, ca }: TraceListener): Sandbox {
  return { ...sandbox, host: '127.0.0.1', ports: { ...sandbox.ports, c2s: port }, caFile: ca };
}
