import { describe, expect, it } from 'vitest';
import { defineCommand, type AnyCommandDefinition } from '../../../src/lib/command/definition.js';
import type { GlobalOptions } from '../../../src/lib/command/global-options.js';
import { runProgram } from '../../../src/lib/command/run.js';
import type { Context } from '../../../src/lib/context.js';
import { UsageError } from '../../../src/lib/errors.js';
import { createMemoryOutput } from '../../support/memory-output.js';

interface Seen {
  options: { text: string; times: number } | undefined;
  global: GlobalOptions | undefined;
  help: string;
}

const echo = defineCommand({
  path: 'say echo',
  summary: 'say it again',
  description: 'A longer text.',
  examples: [{ does: 'say it twice', line: 'xmppctl say echo hi --times 2' }],
  exitCodes: { 1: 'nobody listened' },
  build: (command) => command.argument('<text>', 'what to say').option('--times <n>', 'how often', '1'),
  parse: ([text], flags) => ({ text, times: Number(flags.times) }),
  run: () => Promise.resolve(),
});

async function run(argv: string[]): Promise<Seen> {
  const seen: Seen = { options: undefined, global: undefined, help: '' };
  const definition = {
    ...echo,
    run: (options: { text: string; times: number }) => {
      seen.options = options;
      return Promise.resolve();
    },
  } as unknown as AnyCommandDefinition;
  await runProgram(argv, {
    registry: [{ path: echo.path, summary: echo.summary, load: () => Promise.resolve(definition) }],
    groups: { say: 'words' },
    columns: 80,
    printHelp: (text) => (seen.help += text),
    createContext: (global) => {
      seen.global = global;
      return Promise.resolve({ output: createMemoryOutput().output } as unknown as Context);
    },
  });
  return seen;
}

describe('runProgram', () => {
  it('does not take a trace without a file name for no trace', async () => {
    await expect(run(['say', 'echo', 'hi', '--trace='])).rejects.toThrow(UsageError);
  });

  it('turns words into options and runs the command', async () => {
    const { options, global } = await run([
      '--account',
      'alice',
      'say',
      'echo',
      'hi',
      '--times',
      '3',
      '--timeout',
      '2.5',
    ]);
    expect(options).toEqual({ text: 'hi', times: 3 });
    expect(global).toMatchObject({ account: 'alice', timeout: 2.5 });
  });

  it('collects a repeated --tls-pin', async () => {
    const { global } = await run(['say', 'echo', 'hi', '--tls-pin', 'sha256:aa', '--tls-pin', 'sha256:bb']);
    expect(global?.tlsPin).toEqual(['sha256:aa', 'sha256:bb']);
  });

  it('shows the help of a command, with its examples and exit codes, and does not run it', async () => {
    const { help, options } = await run(['say', 'echo', '--help']);
    expect(help).toContain('Usage: xmppctl say echo [options] <text>');
    expect(help).toContain('A longer text.');
    expect(help).toContain('$ xmppctl say echo hi --times 2');
    expect(help).toContain('1  nobody listened');
    expect(help).toContain('--service <uri>');
    expect(options).toBeUndefined();
  });

  it('shows the help of a group and of the program', async () => {
    expect((await run(['say', '--help'])).help).toContain('echo  say it again');
    expect((await run(['--json', '--help'])).help).toMatch(/say +words/);
  });

  it.each([
    [[], /no command given/, /--help/],
    [['say'], /say needs one of: echo/, /xmppctl say --help/],
    [['say', 'ecoh'], /no such command: say ecoh/, /did you mean say echo\?/],
    [['sya'], /no such command: sya/, /did you mean say\?/],
    [['qqqqqq'], /no such command: qqqqqq/, /lists the commands/],
    [['say', 'echo'], /missing required argument 'text'/, /xmppctl say echo --help/],
    [['say', 'echo', 'a', '--tmies', '2'], /unknown option '--tmies' \(Did you mean --times\?\)/, /--help/],
    [['say', 'echo', 'a', 'b'], /too many arguments/, /--help/],
    [['say', 'echo', 'a', '--timeout', '1e999'], /--timeout takes a number of seconds/, /./],
    [['say', 'echo', 'a', '--timeout', 'soon'], /--timeout takes a number of seconds/, /./],
    [['say', 'echo', 'a', '--timeout', '0'], /--timeout takes a number of seconds/, /./],
    [['say', 'echo', 'a', '--password-fd', 'x'], /--password-fd takes/, /./],
  ])('refuses %j with a UsageError', async (argv, message, hint) => {
    const error: unknown = await run(argv).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(UsageError);
    expect((error as UsageError).message).toMatch(message);
    expect((error as UsageError).message).not.toContain('\n');
    expect((error as UsageError).hint ?? 'none').toMatch(hint);
  });
});
