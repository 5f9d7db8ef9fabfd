/** Where passwords come from. A password never stands in argv, in an error or in a trace. */
import { createReadStream } from 'node:fs';
import { FileError, UsageError } from '../errors.js';
import type { Environment } from './paths.js';
import { readPrivateFile, reasonOf } from './private-file.js';
import { readFirstLine } from './read-first-line.js';

/** How long a password_command may take: long enough to type a passphrase or touch a token. */
const commandTimeoutMs = 120_000;

/** @throws FileError, UsageError the first line is empty */
export async function passwordFromFile(file: string): Promise<string> {
  return firstLine(await readPrivateFile(file, 'the password file'), `the password file ${file}`);
}

/**
 * Reads up to the first line break, or the end, of an open file descriptor.
 * @throws FileError it cannot be read
 */
export async function passwordFromDescriptor(descriptor: number): Promise<string> {
  let line: string;
  try {
    line = await readFirstLine(createReadStream('', { fd: descriptor, autoClose: descriptor > 2 }));
  } catch (error) {
    throw new FileError(`cannot read the password from file descriptor ${descriptor}: ${reasonOf(error)}`, {
      cause: error,
    });
  }
  return firstLine(line, `file descriptor ${descriptor}`);
}

/**
 * Runs a command in the shell; the first line it prints is the password. Its stderr is ours, its stdin is empty.
 * @throws UsageError it cannot be run, fails, prints nothing, or takes too long; what it printed is not shown
 */
export async function passwordFromCommand(
  command: string,
  env: Environment,
  options: { timeoutMs?: number } = {},
): Promise<string> {
  const { spawn } = await import('node:child_process');
  const timeoutMs = options.timeoutMs ?? commandTimeoutMs;
  const output = await new Promise<string>((resolve, reject) => {
    const fail = (reason: string, cause?: unknown): void => {
      reject(
        new UsageError(`password_command ${reason}`, {
          hint: `run it by hand: ${command}`,
          ...(cause !== undefined && { cause }),
        }),
      );
    };
    const child = spawn(command, {
      shell: true,
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...env },
      windowsHide: true,
    });
    const chunks: Buffer[] = [];
    const timer = setTimeout(() => {
      child.kill();
      child.stdout.destroy();
      fail(`did not finish within ${timeoutMs / 1000} s`);
    }, timeoutMs);
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.once('error', (error) => {
      clearTimeout(timer);
      fail(`could not be run: ${reasonOf(error)}`, error);
    });
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      if (code === 0) resolve(Buffer.concat(chunks).toString('utf8'));
      else fail(signal ? `was ended by ${signal}` : `failed with exit code ${code ?? 'unknown'}`);
    });
  });
  return firstLine(output, 'password_command');
}

/** @throws UsageError there is nothing on the first line */
export function firstLine(text: string, source: string): string {
  const [line = ''] = text.replace(/^\uFEFF/, '').split(/\r?\n/, 1);
  if (line === '') throw new UsageError(`${source} gave no password: its first line is empty`);
  return line;
}
