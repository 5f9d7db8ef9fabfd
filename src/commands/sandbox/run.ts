import { spawn } from 'node:child_process';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { constants } from 'node:os';
import path from 'node:path';
import { defineCommand } from '../../lib/command/definition.js';
import type { Context } from '../../lib/context.js';
import { CommandExit } from '../../lib/errors.js';
import type { SandboxOptions } from '../../lib/sandbox/options.js';
import type { SandboxFacts } from '../../lib/sandbox/sandbox.js';
import {
  accountsOption,
  domainOption,
  missingServerCodes,
  sandboxCompletes,
  serverOption,
  servicesText,
  storageOption,
  toSandboxOptions,
  variablesText,
} from './sandbox-flags.js';

export interface RunOptions {
  program: string;
  args: readonly string[];
  sandbox: SandboxOptions;
}

/** Of the user's own settings those that do not name an account or a server. */
const KEPT_VARIABLES = ['XMPPCTL_TRACE', 'XMPPCTL_TIMEOUT'];

const NOT_EXECUTABLE = 126;
const NOT_FOUND = 127;
const SIGNAL_BASE = 128;

export const command = defineCommand({
  path: 'sandbox run',
  summary: 'run a command with a throw-away server of its own',
  description: [
    'Starts a server as xmppctl sandbox start does, runs the command, and removes the server when the command has ended. Standard input, output and error are those of the command, and so is the exit code: 128 and its number when a signal ended it.',
    'Inside, the accounts of the server are the only profiles, and xmppctl is this very program. For other clients there are variables. Options behind the command are its own.',
  ].join('\n\n'),
  examples: [
    {
      does: 'send a message from one account to another',
      line: "xmppctl sandbox run -- sh -c 'xmppctl --account alice send bob@sandbox.localhost hello'",
    },
    { does: 'a shell with a server', line: 'xmppctl sandbox run -- sh' },
    {
      does: 'the tests of a client, against ejabberd',
      line: 'xmppctl sandbox run --server ejabberd -- make check',
    },
  ],
  sections: [
    { title: 'VARIABLES', text: variablesText },
    { title: 'SERVICES', text: servicesText },
  ],
  exitCodes: {
    ...missingServerCodes,
    126: 'the command could not be executed',
    127: 'the command was not found',
  },
  completes: sandboxCompletes,
  needs: 'nothing',
  build: (command) =>
    command
      .passThroughOptions()
      .argument('<command>', 'what to run')
      .argument('[args...]', 'its arguments')
      .addOption(serverOption)
      .addOption(domainOption)
      .addOption(accountsOption)
      .addOption(storageOption),
  parse: ([program, args], flags): RunOptions => ({ program, args, sandbox: toSandboxOptions(flags) }),
  run: runRun,
});

export async function runRun(
  { program, args, sandbox: wanted }: RunOptions,
  context: Context,
): Promise<void> {
  const { env, output, signal } = context;
  const [{ startSandbox }, { sandboxVariables, writeProfiles }] = await Promise.all([
    import('../../lib/sandbox/start-sandbox.js'),
    import('../../lib/sandbox/environment.js'),
  ]);
  const start = async () => {
    using _activity = output.activity('starting a server');
    return await startSandbox({ ...wanted, signal, searchPath: env['PATH'] });
  };
  await using sandbox = await start();
  await writeProfiles(sandbox);
  const launcherDir = await writeLauncher(sandbox, context.program);
  const code = await runProgram(program, args, context, {
    ...Object.fromEntries(
      Object.entries(env).filter(([name]) => !name.startsWith('XMPPCTL_') || KEPT_VARIABLES.includes(name)),
    ),
    ...sandboxVariables(sandbox),
    PATH: `${launcherDir}${path.delimiter}${env['PATH'] ?? ''}`,
  });
  if (code !== 0) throw new CommandExit(code);
}

/** Inside the sandbox `xmppctl` is the program that started it, installed or not. */
async function writeLauncher({ dir }: SandboxFacts, program: readonly [string, string]): Promise<string> {
  const { quoteForShell } = await import('../../lib/sandbox/environment.js');
  const launcherDir = path.join(dir, 'bin');
  const launcher = path.join(launcherDir, 'xmppctl');
  await mkdir(launcherDir);
  await writeFile(launcher, `#!/bin/sh\nexec ${program.map(quoteForShell).join(' ')} "$@"\n`);
  await chmod(launcher, 0o755);
  return launcherDir;
}

/** Resolves with the exit code a shell would show. */
function runProgram(
  program: string,
  args: readonly string[],
  context: Context,
  env: Record<string, string | undefined>,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env, stdio: 'inherit' });
    const interception = context.interceptSignals((name) => {
      // At a terminal Ctrl-C goes to the command as well as to us; it decides what that means.
      if (name === 'SIGINT' && context.stdin.isTTY === true) return;
      child.kill(name);
    });
    child.on('error', (error: NodeJS.ErrnoException) => {
      interception[Symbol.dispose]();
      const isMissing = error.code === 'ENOENT';
      reject(
        new CommandExit(
          isMissing ? NOT_FOUND : NOT_EXECUTABLE,
          `cannot run ${program}: ${isMissing ? 'there is no such command' : error.message}`,
        ),
      );
    });
    child.on('exit', (code, signalName) => {
      interception[Symbol.dispose]();
      resolve(signalName === null ? (code ?? 0) : SIGNAL_BASE + constants.signals[signalName]);
    });
  });
}
