/** A real TURN server on loopback: coturn. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { usualPath } from '../../src/lib/sandbox/find-server.js';
import { findFreePorts } from '../../src/lib/sandbox/free-ports.js';

export interface TurnServer extends AsyncDisposable {
  port: number;
}

/**
 * @param options lines of turnserver.conf: `use-auth-secret`, `static-auth-secret=…`, `no-auth`
 * @param ip where it listens, and relays: `127.0.0.1` or `::1`
 * @param wantedPort that of one that was there before
 */
export async function startTurnServer(
  options: readonly string[],
  ip = '127.0.0.1',
  wantedPort?: number,
): Promise<TurnServer> {
  const folder = await mkdtemp(path.join(tmpdir(), 'xmppctl-turn-'));
  const [port = 0] = wantedPort === undefined ? await findFreePorts(1, [ip]) : [wantedPort];
  const file = path.join(folder, 'turnserver.conf');
  const lines = [
    `listening-ip=${ip}`,
    `relay-ip=${ip}`,
    `listening-port=${port}`,
    'realm=turn.test',
    'no-tls',
    'no-dtls',
    'no-cli',
    'allow-loopback-peers',
    'log-file=stdout',
    'simple-log',
    `pidfile=${folder}/pid`,
    `userdb=${folder}/db`,
    'verbose',
    ...options,
  ];
  await writeFile(file, `${lines.join('\n')}\n`);
  const child = spawn('turnserver', ['-c', file], {
    env: { PATH: usualPath(process.env['PATH']) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const failed = once(child, 'error').then(([error]) => {
    throw error instanceof Error ? error : new Error(String(error));
  });
  const ready = new Promise<void>((resolve, reject) => {
    let log = '';
    const look = (data: Buffer): void => {
      log += data.toString();
      if (new RegExp(`UDP listener opened on.*:${port}`).test(log)) resolve();
    };
    child.stdout.on('data', look);
    child.stderr.on('data', look);
    child.once('exit', () => reject(new Error(`turnserver ended: ${log.slice(-500)}`)));
  });
  await Promise.race([ready, failed]);
  return {
    port,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      await rm(folder, { recursive: true, force: true });
    },
  };
}
