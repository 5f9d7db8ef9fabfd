/**
 * A program of the user's that is run for something that came from the network. The line is the user's own and goes to
 * the shell; everything that comes from the network reaches it only as an argument, in its environment or on its
 * standard input, where nothing of it is interpreted.
 */
import { spawn } from 'node:child_process';

export interface RunProgramOptions {
  /** For `sh -c`; the arguments are `$1` and so on. */
  line: string;
  args?: readonly string[];
  /** What it reads on its standard input; nothing when left out. */
  input?: string;
  /** Of this program. */
  env: Readonly<Record<string, string | undefined>>;
  /** Without the prefix `XMPPCTL_`. */
  facts: Readonly<Record<string, string | undefined>>;
}

/** What it prints goes to standard error: standard output is for our own results. @returns its exit code, as a shell shows it */
export function runProgram({ line, args = [], input, env, facts }: RunProgramOptions): Promise<number> {
  const added = Object.entries(facts).map(
    ([name, value]) => [`XMPPCTL_${name}`, value?.replaceAll('\0', '')] as const,
  );
  // What it needs to log in again is not given away each time.
  const { XMPPCTL_PASSWORD: _password, ...inherited } = env;
  return new Promise((resolve, reject) => {
    const child = spawn('/bin/sh', ['-c', line, 'sh', ...args], {
      env: { ...inherited, ...Object.fromEntries(added) },
      stdio: [input === undefined ? 'ignore' : 'pipe', 2, 2],
    });
    child.on('error', reject);
    child.on('exit', (code) => resolve(code ?? 128));
    // A program that does not read what it is given is none of our business.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
  });
}
