import { openSync } from 'node:fs';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { FileError, UsageError } from '../../../src/lib/errors.js';
import {
  passwordFromCommand,
  passwordFromDescriptor,
  passwordFromFile,
} from '../../../src/lib/config/password-sources.js';
import { useTemporaryHome } from '../../support/temporary-home.js';

const home = useTemporaryHome();
const failure = async (work: Promise<unknown>): Promise<UsageError> => {
  const error: unknown = await work.catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(UsageError);
  return error as UsageError;
};

describe('passwordFromFile', () => {
  it.each([
    ['secret\n', 'secret'],
    ['secret', 'secret'],
    ['secret\r\nmore\n', 'secret'],
    [' with spaces \n', ' with spaces '],
    ['\ufeffbom\n', 'bom'],
    ['ümläut\n', 'ümläut'],
  ])('reads the first line of %j', async (text, expected) => {
    expect(await passwordFromFile(await home.write('p', text))).toBe(expected);
  });

  it('refuses a file that others can read, and an empty one', async () => {
    await expect(passwordFromFile(await home.write('open', 'x\n', 0o604))).rejects.toThrow(FileError);
    await expect(passwordFromFile(await home.write('empty', '\nx\n'))).rejects.toThrow(
      /gave no password: its first line is empty/,
    );
    await expect(passwordFromFile('/nonexistent')).rejects.toThrow(/it does not exist/);
  });

  it('reads a pipe, whatever its mode', async () => {
    const fifo = `${home.dir}/fifo`;
    await promisify(execFile)('mkfifo', ['-m', '0644', fifo]);
    const writing = promisify(execFile)('sh', ['-c', 'echo piped > "$1"', 'sh', fifo]);
    expect(await passwordFromFile(fifo)).toBe('piped');
    await writing;
  });
});

describe('passwordFromDescriptor', () => {
  it('reads the first line', async () => {
    const file = await home.write('fd', 'secret\nrest\n');
    expect(await passwordFromDescriptor(openSync(file, 'r'))).toBe('secret');
  });

  it('says that the descriptor is not open', async () => {
    await expect(passwordFromDescriptor(4_000)).rejects.toThrow(
      /cannot read the password from file descriptor 4000: it is not open$/,
    );
  });
});

describe('passwordFromCommand', () => {
  it('runs it in the shell and takes the first line', async () => {
    expect(await passwordFromCommand('echo one | tr a-z A-Z; echo two', home.env)).toBe('ONE');
  });

  it('shows the exit code and never what it printed', async () => {
    const error = await failure(passwordFromCommand('echo hunter$((1+1)); exit 3', home.env));
    expect(error.message).toBe('password_command failed with exit code 3');
    expect(JSON.stringify([error.message, error.hint, error.details])).not.toContain('hunter2');
  });

  it.each([
    ['true', /its first line is empty/],
    ['kill -TERM $$', /was ended by SIGTERM/],
    ['/nonexistent/program', /failed with exit code 127/],
  ])('says what went wrong with %s', async (command, message) => {
    expect((await failure(passwordFromCommand(`${command} 2>/dev/null`, home.env))).message).toMatch(message);
  });

  it('gives up on one that does not end', async () => {
    const error = await failure(passwordFromCommand('exec sleep 60', home.env, { timeoutMs: 50 }));
    expect(error.message).toBe('password_command did not finish within 0.05 s');
  });

  it('has nothing on its stdin', async () => {
    expect(await passwordFromCommand('cat; echo end', home.env)).toBe('end');
  });
});
