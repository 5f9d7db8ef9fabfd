/** `send-file` and `receive-file` of the built program, as accounts of a sandbox. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import { environmentOf } from './as-account.js';
import { startXmppctl, type Finished, type Running } from './run-xmppctl.js';
import type { ServerUnderTest } from './servers.js';

export interface FileCommands {
  /** A folder of this test. */
  at: (...names: string[]) => string;
  address: (name: string) => string;
  makeFile: (name: string, sizeBytes: number) => Promise<string>;
  /** A receiver that is ready. */
  receive: (args: string[], options?: { as?: string; env?: Record<string, string> }) => Promise<Running>;
  startSend: (args: string[], input?: string | Uint8Array, env?: Record<string, string>) => Running;
  send: (args: string[], input?: string | Uint8Array) => Promise<Finished>;
  hashOf: (file: string) => Promise<string>;
}

/**
 * Inside a describe block: each test has a folder of its own, and ends what it started.
 * @param options `sender` is the account that sends
 */
export function fileCommands(server: ServerUnderTest, { sender = 'alice' } = {}): FileCommands {
  let folder: string;
  const started: Running[] = [];
  beforeEach(async () => (folder = await mkdtemp(path.join(tmpdir(), 'xmppctl-files-'))));
  afterEach(async () => {
    for (const { child } of started.splice(0)) child.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  });
  const at = (...names: string[]): string => path.join(folder, ...names);
  const start = (args: string[], as: string, input?: string | Uint8Array, env = {}): Running => {
    const running = startXmppctl(args, {
      env: { ...environmentOf(server.sandbox, as), ...env },
      cwd: folder,
      input: input ?? '',
    });
    started.push(running);
    return running;
  };
  const startSend: FileCommands['startSend'] = (args, input, env) =>
    start(['send-file', ...args], sender, input, env);
  return {
    at,
    address: (name) => `${name}@${server.sandbox.domain}`,
    makeFile: async (name, sizeBytes) => {
      await writeFile(at(name), randomBytes(sizeBytes));
      return at(name);
    },
    receive: async (args, { as = 'bob', env = {} } = {}) => {
      const running = start(['receive-file', '--verbose', ...args], as, undefined, env);
      await running.waitFor('stderr', /waiting for files as/);
      return running;
    },
    startSend,
    send: (args, input) => startSend(args, input).finished,
    hashOf: async (file) =>
      createHash('sha256')
        .update(await readFile(file))
        .digest('hex'),
  };
}

/** The lines of `--json`. */
export function eventsOf({ stdout }: Pick<Finished, 'stdout'>): Record<string, unknown>[] {
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}
