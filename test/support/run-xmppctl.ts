/** Runs the built program as a user would: a real process, its exit code, its exact output. */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFailed, TestRunner } from 'vitest';

const binary = path.join(path.dirname(fileURLToPath(import.meta.url)), '../../bin/xmppctl.js');

/** Of what a program has printed, so many characters are shown when its test fails. */
const SHOWN_LENGTH = 2_000;

/** For bash: opens a pipe as 3 whose reader has gone before anything is written to it. */
export const unread = 'exec 3> >(:); wait $!';

export interface RunOptions {
  /** Added to a clean environment: nothing of the tester's own configuration is seen. */
  env?: Readonly<Record<string, string | undefined>>;
  /** Written to stdin, which is closed after it; an empty stdin when left out. */
  input?: string | Uint8Array;
  cwd?: string;
  /** What runs it, as on another host: its own words come behind these. */
  prefix?: readonly string[];
}

export interface Finished {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface Running {
  readonly child: ChildProcessWithoutNullStreams;
  /** Output so far. */
  stdout: () => string;
  stderr: () => string;
  /** Resolves when the text has appeared; rejects when the process ends without it. */
  waitFor: (stream: 'stdout' | 'stderr', pattern: RegExp) => Promise<RegExpExecArray>;
  /** Resolves at the end of the process, with all it printed. */
  finished: Promise<Finished>;
}

/** Starts `xmppctl` and returns at once. The caller ends it: by input, by a signal, or by waiting. */
export function startXmppctl(args: readonly string[], options: RunOptions = {}): Running {
  const [program = '', ...words] = [...(options.prefix ?? []), process.execPath, binary, ...args];
  const child = spawn(program, words, {
    cwd: options.cwd,
    env: cleanEnvironment(options.env ?? {}),
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const chunks: Record<'stdout' | 'stderr', Buffer[]> = { stdout: [], stderr: [] };
  const text = (stream: 'stdout' | 'stderr'): string => Buffer.concat(chunks[stream]).toString('utf8');
  child.stdout.on('data', (chunk: Buffer) => chunks.stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => chunks.stderr.push(chunk));
  // The program may end without reading its input.
  child.stdin.on('error', () => undefined);
  if (options.input !== undefined) child.stdin.end(options.input);
  const finished = new Promise<Finished>((resolve) => {
    child.on('close', (code, signal) =>
      resolve({ code, signal, stdout: text('stdout'), stderr: text('stderr') }),
    );
  });
  // Of a test that waits in vain, what the programs have said so far tells where.
  if (TestRunner.getCurrentTest()) {
    onTestFailed(() => {
      // Those of the next test would meet it.
      child.kill('SIGKILL');
      const [stdout, stderr] = [text('stdout'), text('stderr')].map((all) => all.slice(-SHOWN_LENGTH));
      process.stderr.write(`xmppctl ${args.join(' ')}\n${stdout ?? ''}\n${stderr ?? ''}\n`);
    });
  }
  return {
    child,
    stdout: () => text('stdout'),
    stderr: () => text('stderr'),
    finished,
    waitFor: (stream, pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const match = pattern.exec(text(stream));
          if (!match) return;
          child[stream].off('data', look);
          resolve(match);
        };
        child[stream].on('data', look);
        void finished.then(({ code, stderr }) =>
          reject(new Error(`xmppctl ended (${String(code)}) before ${String(pattern)}: ${stderr}`)),
        );
        look();
      }),
  };
}

/** Runs `xmppctl` to its end. */
export function runXmppctl(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  return startXmppctl(args, { input: '', ...options }).finished;
}

function cleanEnvironment(added: Readonly<Record<string, string | undefined>>): NodeJS.ProcessEnv {
  const { PATH, TMPDIR, LANG } = process.env;
  return { PATH, TMPDIR, LANG, HOME: '/nonexistent', ...added };
}
