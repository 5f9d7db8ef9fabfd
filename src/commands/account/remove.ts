import { removeAccount } from '../../lib/config/account-store.js';
import { profileNamed } from '../../lib/config/choose-account.js';
import { loadConfig } from '../../lib/config/load-config.js';
import { configPaths } from '../../lib/config/paths.js';
import type { Context } from '../../lib/context.js';
import { defineCommand } from '../../lib/command/definition.js';
import { NegativeError, UsageError } from '../../lib/errors.js';

export interface RemoveOptions {
  name: string;
  isConfirmed: boolean;
}

export const command = defineCommand({
  path: 'account remove',
  summary: 'remove an account and the secrets stored for it from this machine',
  description: `The account on the server stays. A password file that account add did not write stays too.`,
  examples: [{ does: 'remove without a question', line: 'xmppctl account remove work --yes' }],
  exitCodes: { 1: 'the question was answered with no' },
  needs: 'account',
  completes: { name: 'account' },
  build: (command) => command.argument('<name>', 'the account').option('-y, --yes', 'do not ask'),
  parse: ([name], flags): RemoveOptions => ({ name, isConfirmed: flags.yes === true }),
  run: runRemove,
});

export async function runRemove({ name, isConfirmed }: RemoveOptions, context: Context): Promise<void> {
  const { env, output, prompt } = context;
  const paths = configPaths(env);
  const { config } = await loadConfig(paths);
  const { jid } = profileNamed(name, config);
  if (!isConfirmed) {
    if (!prompt.isAvailable) {
      throw new UsageError(`remove the account ${name}? there is no terminal to ask at`, {
        hint: 'add --yes to remove it without a question',
      });
    }
    if (!(await prompt.confirm(`Remove the account ${name} (${jid}) and its stored secrets?`))) {
      throw new NegativeError(`the account ${name} stays`);
    }
  }
  const { leftOver } = await removeAccount(name, paths);
  await output.result({ name, jid, leftOver }, () => '');
  output.note(`removed the account ${name}`);
  for (const what of leftOver) output.warn(`not removed: ${what}`);
  if (config.default_account === name && Object.keys(config.accounts).length > 1) {
    output.note('it was the default; choose another with xmppctl account use');
  }
}
