import { setDefaultAccount } from '../../lib/config/account-store.js';
import { configPaths } from '../../lib/config/paths.js';
import type { Context } from '../../lib/context.js';
import { defineCommand } from '../../lib/command/definition.js';

export interface UseOptions {
  name: string;
}

export const command = defineCommand({
  path: 'account use',
  summary: 'choose the account that is used when none is named',
  examples: [{ does: 'make work the default', line: 'xmppctl account use work' }],
  needs: 'account',
  completes: { name: 'account' },
  build: (command) => command.argument('<name>', 'the account'),
  parse: ([name]): UseOptions => ({ name }),
  run: runUse,
});

export async function runUse({ name }: UseOptions, { env, output }: Context): Promise<void> {
  const { jid } = await setDefaultAccount(name, configPaths(env));
  await output.result({ name, jid }, () => '');
  output.note(`${name} (${jid}) is the default account now`);
  const overruling = env['XMPPCTL_ACCOUNT'];
  if (overruling !== undefined && overruling !== '' && overruling !== name) {
    output.warn(`XMPPCTL_ACCOUNT is set and still chooses ${overruling} here`);
  }
}
