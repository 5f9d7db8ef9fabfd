/** The built program at a terminal: what it shows, and what is typed. */
import { spawn } from '@lydell/node-pty';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

const binary = path.join(path.dirname(fileURLToPath(import.meta.url)), '../../bin/xmppctl.js');

/** For a test that fails to say what it waits for. */
const patienceMs = 30_000;

export interface TerminalSession {
  /** Everything that was shown so far, with its control sequences. */
  shown: () => string;
  /** Resolves when the text has been shown, behind what was waited for before. */
  appears: (pattern: RegExp) => Promise<RegExpExecArray>;
  type: (text: string) => void;
  kill: (signal: NodeJS.Signals) => void;
  /** The exit code. */
  ended: Promise<number>;
}

export function startTerminal(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): TerminalSession {
  const clean = Object.fromEntries(
    Object.entries({ PATH: process.env['PATH'], TERM: 'xterm', ...env }).filter(
      (entry): entry is [string, string] => entry[1] !== undefined,
    ),
  );
  const terminal = spawn(process.execPath, [binary, ...args], { env: clean, cols: 300, rows: 50 });
  let shown = '';
  /** How much of it has been waited for. */
  let seen = 0;
  terminal.onData((words) => (shown += words));
  const ended = new Promise<number>((resolve) => terminal.onExit(({ exitCode }) => resolve(exitCode)));
  onTestFinished(() => terminal.kill('SIGKILL'));
  return {
    shown: () => shown,
    appears: (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): boolean => {
          const match = pattern.exec(shown.slice(seen));
          if (!match) return false;
          seen += match.index + match[0].length;
          listener.dispose();
          resolve(match);
          return true;
        };
        const listener = terminal.onData(look);
        if (look()) return;
        const late = setTimeout(() => {
          listener.dispose();
          reject(
            new Error(`${String(pattern)} does not appear behind: ${JSON.stringify(shown.slice(seen))}`),
          );
        }, patienceMs);
        late.unref();
        void ended.then(() => reject(new Error(`ended before ${String(pattern)}: ${shown}`)));
      }),
    type: (text) => terminal.write(text),
    kill: (signal) => terminal.kill(signal),
    ended,
  };
}
