/**
 * One server as a child process in a process group of its own, and a guard beside it: a few lines of shell that wait
 * for our end of a pipe to close. However we die, also by SIGKILL, the guard then kills the group and removes the
 * sandbox's directory.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { open, rm } from 'node:fs/promises';
// Signals to a whole group cannot be sent through a ChildProcess.
import { kill } from 'node:process';
import type { ServerCommand } from './options.js';
import type { SystemUser } from './unprivileged-user.js';

export interface ServerProcess {
  readonly pid: number;
  /** Resolves with how it ended, in words, once it has. Does not keep this program running. */
  readonly ended: Promise<string>;
  /** The same, and keeps this program running until then. */
  waitForEnd(): Promise<string>;
  /** Signals the server and whatever it has started. */
  signal(name: NodeJS.Signals): void;
}

/** Starts the server with its output appended to a file, so that it needs nobody to read it. */
export async function startServerProcess(
  command: ServerCommand,
  where: { dir: string; logFile: string; user: SystemUser | undefined },
): Promise<ServerProcess> {
  await using log = await open(where.logFile, 'a');
  const child = spawn(command.program, command.args, {
    cwd: where.dir,
    env: command.env,
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
    ...where.user,
  });
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => {
      resolve(error.message);
    });
    child.once('exit', (code, signal) => {
      resolve(signal === null ? `it exited with code ${code ?? 0}` : `it was ended by ${signal}`);
    });
  });
  child.unref();
  const { pid } = child;
  if (pid === undefined) throw new Error(`${command.program}: ${await ended}`);
  return {
    pid,
    ended,
    waitForEnd: () => {
      child.ref();
      return ended;
    },
    signal: (name) => {
      signalGroup(pid, name);
    },
  };
}

/** Signals a process group; one that has gone already is as good as signalled. */
export function signalGroup(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    kill(-pid, name);
    return true;
  } catch {
    return false;
  }
}

/** What outlives us for a moment, to clean up. */
export class Guard {
  readonly #child: ChildProcess;

  constructor(
    private readonly dir: string,
    searchPath: string,
  ) {
    this.#child = spawn('/bin/sh', ['-c', GUARD_SCRIPT, dir], {
      cwd: '/',
      env: { PATH: searchPath },
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    this.#child.on('error', () => undefined);
    this.#child.stdin?.on('error', () => undefined);
    this.#child.unref();
    // A pipe would hold the event loop open; ours is a socket to Node.
    const stdin = this.#child.stdin as unknown as { unref?: () => void };
    stdin.unref?.();
  }

  /** Tells the guard which process group to kill; undefined when there is none any more. */
  watch(pid: number | undefined): void {
    this.#child.stdin?.write(`${pid ?? ''}\n`);
  }

  /** Lets the server go on without us. */
  dismiss(): void {
    this.#child.stdin?.end('keep\n');
  }

  /** Removes the directory, and ends. */
  async release(): Promise<void> {
    this.watch(undefined);
    await rm(this.dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
    const child = this.#child;
    if (child.exitCode !== null || child.pid === undefined) return;
    child.ref();
    await new Promise((resolve) => {
      child.once('exit', resolve);
      child.stdin?.end();
    });
  }
}

/** `$0` is the directory. COMPAT(dash): its `kill` knows no `--`. Every line names the group to kill in the end; the end is the end of the input. */
const GUARD_SCRIPT = `
trap '' HUP INT TERM
group=
while read -r line; do
  if [ "$line" = keep ]; then exit 0; fi
  group=$line
done
tries=0
if [ -n "$group" ]; then
  kill -KILL "-$group" 2>/dev/null
  while kill -0 "-$group" 2>/dev/null && [ $tries -lt 50 ]; do
    tries=$((tries + 1))
    sleep 0.1
  done
fi
rm -rf -- "$0"
`;
