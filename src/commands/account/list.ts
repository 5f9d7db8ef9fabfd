import { currentAccountName, passwordPlace } from '../../lib/config/account-store.js';
import { loadConfig } from '../../lib/config/load-config.js';
import { configPaths } from '../../lib/config/paths.js';
import type { Context } from '../../lib/context.js';
import { defineCommand } from '../../lib/command/definition.js';
import { renderTable } from '../../lib/output/table.js';

export const command = defineCommand({
  path: 'account list',
  summary: 'list the accounts',
  description: `The one that is used when none is named is marked with an asterisk. Elsewhere than on a terminal the columns are separated by tabs: mark, name, address, server, where the password is.`,
  examples: [
    { does: 'the names alone', line: "xmppctl account list --json | jq -r '.[].name'" },
    {
      does: 'ping with every account',
      line: 'xmppctl account list | cut -f2 | xargs -n1 xmppctl ping --account',
    },
  ],
  needs: 'account',
  build: (command) => command,
  parse: () => ({}),
  run: (_options, context) => runList(context),
});

export async function runList({ env, output }: Context): Promise<void> {
  const { config } = await loadConfig(configPaths(env));
  const current = currentAccountName(env, config);
  const accounts = Object.entries(config.accounts).map(([name, profile]) => ({
    name,
    jid: profile.jid,
    isDefault: name === current,
    service: profile.service ?? null,
    password: passwordPlace(profile),
  }));
  await output.result(accounts, () =>
    accounts.length === 0
      ? ''
      : renderTable(
          output,
          ['', 'NAME', 'ADDRESS', 'SERVER', 'PASSWORD'],
          accounts.map(({ name, jid, isDefault, service, password }) => [
            isDefault ? '*' : '',
            name,
            jid,
            service ?? '',
            password,
          ]),
        ),
  );
  if (accounts.length === 0) output.note('there are no accounts yet; add one with xmppctl account add');
}
