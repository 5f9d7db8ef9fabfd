import { defineCommand } from '../../lib/command/definition.js';
import type { Context } from '../../lib/context.js';
import { nameOption, variablesText } from './sandbox-flags.js';

export interface EnvOptions {
  name: string | undefined;
}

export const command = defineCommand({
  path: 'sandbox env',
  summary: 'print how to use a throw-away server, for a shell to evaluate',
  description:
    'Prints the variables that xmppctl sandbox run gives its command, passwords included, as export lines for a POSIX shell; with --json as an object.',
  examples: [
    { does: 'use the sandbox in this shell', line: 'eval "$(xmppctl sandbox env)"' },
    { does: 'the same in fish', line: 'xmppctl sandbox env | source' },
  ],
  sections: [{ title: 'VARIABLES', text: variablesText }],
  exitCodes: { 1: 'none is running' },
  needs: 'nothing',
  build: (command) => command.addOption(nameOption),
  parse: (_args, { name }): EnvOptions => ({ name }),
  run: runEnv,
});

export async function runEnv({ name }: EnvOptions, { env, output }: Context): Promise<void> {
  const [{ findRecord }, { quoteForShell, sandboxVariables }] = await Promise.all([
    import('../../lib/sandbox/running-sandboxes.js'),
    import('../../lib/sandbox/environment.js'),
  ]);
  const { facts } = await findRecord(env, name);
  await output.result(sandboxVariables(facts), (variables) =>
    Object.entries(variables)
      .map(([variable, value]) => `export ${variable}=${quoteForShell(value)}`)
      .join('\n'),
  );
}
