/**
 * A program that is run for a received file. The line is the user's own and goes to the shell; everything that comes
 * from the network reaches it only as an argument and in its environment, where nothing of it is interpreted.
 */
import { spawn } from 'node:child_process';

export interface RunForFileOptions {
  /** For `sh -c`; the path is `$1`. */
  line: string;
  path: string;
  /** Of this program. */
  env: Readonly<Record<string, string | undefined>>;
  /** Without the prefix `XMPPCTL_`. */
  facts: Readonly<Record<string, string | undefined>>;
}

/** What it prints goes to standard error: standard output is for our own results. @returns its exit code, as a shell shows it */
export function runForFile({ line, path, env, facts }: RunForFileOptions): Promise<number> {
  const added = Object.entries(facts).map(
    ([name, value]) => [`XMPPCTL_${name}`, value?.replaceAll('\0', '')] as const,
  );
  // What it needs to log in again is not given away with every file.
  const { XMPPCTL_PASSWORD: _password, ...inherited } = env;
  return new Promise((resolve, reject) => {
    const child = spawn('/bin/sh', ['-c', line, 'sh', path], {
      env: { ...inherited, ...Object.fromEntries(added) },
      stdio: ['ignore', 2, 2],
    });
    child.on('error', reject);
    child.on('exit', (code) => resolve(code ?? 128));
  });
}
