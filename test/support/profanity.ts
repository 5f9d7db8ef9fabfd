/** profanity, a client that is not ours, in a terminal, with everything that it keeps in a folder of its own. */
import { spawn } from '@lydell/node-pty';
import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';

const run = promisify(execFile);

export interface ProfanityOptions {
  jid: string;
  password: string;
  /** On 127.0.0.1. */
  port: number;
  /** The authority that it trusts. */
  caFile: string;
}

export interface Profanity {
  waitFor(pattern: RegExp): Promise<void>;
  /** A line of input. */
  type(line: string): void;
  ended: Promise<void>;
}

/** Starts it, and lets it log in. @param folder is made, and may be used again */
export async function startProfanity(
  folder: string,
  { jid, password, port, caFile }: ProfanityOptions,
): Promise<Profanity> {
  const certificates = path.join(folder, 'certificates');
  const data = path.join(folder, 'data');
  const config = path.join(folder, 'config');
  for (const each of [certificates, path.join(data, 'profanity'), path.join(config, 'profanity')])
    await mkdir(each, { recursive: true });
  await run('cp', [caFile, path.join(certificates, 'proxy.pem')]);
  // OpenSSL finds the authorities in a folder by the hash of their names.
  await run('openssl', ['rehash', certificates]);
  await writeFile(
    path.join(data, 'profanity/accounts'),
    `[proxied]\nenabled=true\njid=${jid}\nserver=127.0.0.1\nport=${port}\npassword=${password}\ntls.policy=force\nresource=profanity\n`,
    { mode: 0o600 },
  );
  await writeFile(
    path.join(config, 'profanity/profrc'),
    `[connection]\ntls.certpath=${certificates}\n[notifications]\nmessage=false\n`,
  );
  const terminal = spawn('profanity', ['--account', 'proxied'], {
    cols: 160,
    rows: 40,
    env: {
      ...{ PATH: process.env['PATH'], HOME: folder, LANG: 'C.UTF-8', TERM: 'xterm' },
      ...{ XDG_DATA_HOME: data, XDG_CONFIG_HOME: config, XDG_CACHE_HOME: path.join(folder, 'cache') },
    },
  });
  let printed = '';
  const watchers = new Set<() => void>();
  terminal.onData((text) => {
    printed += text;
    for (const watch of [...watchers]) watch();
  });
  const ended = new Promise<void>((resolve) => terminal.onExit(() => resolve()));
  onTestFinished(() => terminal.kill('SIGKILL'));
  return {
    ended,
    type: (line) => terminal.write(`${line}\r`),
    waitFor: (pattern) =>
      new Promise((resolve, reject) => {
        const watch = (): void => {
          if (!pattern.test(printed)) return;
          watchers.delete(watch);
          resolve();
        };
        watchers.add(watch);
        watch();
        void ended.then(() => reject(new Error(`profanity ended: ${printed.slice(-2000)}`)));
      }),
  };
}
