/**
 * The composition root: with `start.ts` the only file that reads `process`. Everything else is given what it needs.
 */
import { fstatSync } from 'node:fs';
import { groups, registry } from './commands/registry.js';
import { CommandExit, InterruptedError, XmppctlError, exitCodeOf, ExitCode } from './lib/errors.js';
import { safeJson, safeText } from './lib/output/safe-text.js';
import { isClosedPipe, unwritable } from './lib/output/unwritable.js';
import type { RealContext } from './lib/command/real-context.js';

/** Thrown through the program when the reader of our output has gone: the work is over and nothing is wrong. */
class ClosedPipe extends Error {}

const argv = process.argv.slice(2);
const columns = process.stdout.columns || 80;
/** What is for us: behind `--` stands what is for somebody else. */
const own = argv.includes('--') ? argv.slice(0, argv.indexOf('--')) : argv;
const isJson = own.includes('--json');
const isDebug = own.includes('--debug');

void main();

let context: RealContext | undefined;

async function main(): Promise<void> {
  const abort = new AbortController();
  let interceptor: ((name: NodeJS.Signals) => void) | undefined;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (interceptor) {
        interceptor(signal);
        return;
      }
      // The second time the user means it. Our own exit would wait for what the system has not finished: the opening of a
      // pipe that nobody writes to.
      if (abort.signal.aborted) {
        process.removeAllListeners(signal);
        process.kill(process.pid, signal);
      }
      abort.abort(new InterruptedError('interrupted'));
    });
  }
  const pipeClosed = new Promise<never>((_resolve, reject) => {
    const end = (error: Error): void => {
      reject(isClosedPipe(error) ? new ClosedPipe() : unwritable(error));
      abort.abort(new InterruptedError('interrupted'));
    };
    const onStdoutError = (error: Error): void => {
      if (!isClosedPipe(error) || context?.output.goesOnUnread !== true) end(error);
    };
    process.stdout.on('error', onStdoutError);
    // What is said on stderr goes beside the work: who does not hear it gets the work, and its exit code, all the same.
    process.stderr.on('error', (error: Error) => {
      if (isClosedPipe(error) && isSameFile(process.stdout, process.stderr)) onStdoutError(error);
    });
  });
  process.on('uncaughtException', (error) => finish(report(error)));
  process.on('unhandledRejection', (error) => finish(report(error)));

  const work = async (): Promise<void> => {
    const { runProgram } = await import('./lib/command/run.js');
    await runProgram(argv, {
      registry,
      groups,
      columns,
      printHelp: (text) => {
        process.stdout.write(text);
        const { errored } = process.stdout;
        if (errored) throw isClosedPipe(errored) ? new ClosedPipe() : unwritable(errored);
      },
      createContext: async (global) => {
        const { createRealContext } = await import('./lib/command/real-context.js');
        context = await createRealContext(global, {
          get stdin() {
            return process.stdin;
          },
          stdout: process.stdout,
          stderr: process.stderr,
          env: process.env,
          signal: abort.signal,
          pid: process.pid,
          program: [process.execPath, process.argv[1] ?? ''],
          interceptSignals: (handler) => {
            interceptor = handler;
            return { [Symbol.dispose]: () => (interceptor = undefined) };
          },
        });
        return context;
      },
    });
  };
  let code: number = ExitCode.ok;
  try {
    await Promise.race([work(), pipeClosed]);
  } catch (error) {
    code = report(error);
  }
  await context?.dispose();
  finish(code);
}

/** Both lead to one pipe (`2>&1 | head`): when the reader of the one has gone, so has that of the other. */
function isSameFile(...streams: readonly { fd: number }[]): boolean {
  try {
    const [one, other] = streams.map(({ fd }) => fstatSync(fd));
    return one !== undefined && one.ino === other?.ino && one.dev === other.dev;
  } catch {
    return false;
  }
}

/** Says what went wrong, on one line and behind the results, and returns the exit code. */
function report(error: unknown): number {
  context?.output.flush().catch(() => undefined);
  if (error instanceof ClosedPipe) return ExitCode.ok;
  if (error instanceof CommandExit) {
    if (error.message) process.stderr.write(`xmppctl: ${safeText(error.message, { singleLine: true })}\n`);
    return error.exitCode;
  }
  const code = exitCodeOf(error);
  if (code === ExitCode.interrupted) {
    // A shell shows ^C itself; a second line from us would only be noise.
    return code;
  }
  const { name, message } = error instanceof Error ? error : { name: 'Error', message: String(error) };
  const hint =
    error instanceof XmppctlError
      ? error.hint
      : 'this is a bug in xmppctl; run again with --debug and report it';
  if (isJson) {
    const details = error instanceof XmppctlError ? error.details : {};
    process.stderr.write(
      `${safeJson(JSON.stringify({ error: { name, message, exitCode: code, ...(hint && { hint }), ...details } }))}\n`,
    );
  } else {
    process.stderr.write(
      `xmppctl: ${safeText(message, { singleLine: true })}${hint ? ` (${safeText(hint, { singleLine: true })})` : ''}\n`,
    );
  }
  if (isDebug && error instanceof Error) process.stderr.write(`${error.stack ?? ''}\n${causes(error)}`);
  return code;
}

function causes(error: Error): string {
  return error.cause instanceof Error ? `caused by: ${error.cause.stack ?? ''}\n${causes(error.cause)}` : '';
}

/** Exits once everything written has left: an open socket or timer must not hold the program back. */
function finish(code: number): void {
  process.stderr.write('', () => process.stdout.write('', () => process.exit(code)));
}
