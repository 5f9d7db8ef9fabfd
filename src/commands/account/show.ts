import { currentAccountName, passwordPlace } from '../../lib/config/account-store.js';
import { profileNamed } from '../../lib/config/choose-account.js';
import { loadConfig } from '../../lib/config/load-config.js';
import { configPaths, type ConfigPaths, type Environment } from '../../lib/config/paths.js';
import type { Config } from '../../lib/config/keys.js';
import type { Context } from '../../lib/context.js';
import { defineCommand } from '../../lib/command/definition.js';
import { UsageError } from '../../lib/errors.js';
import { safeText } from '../../lib/output/safe-text.js';

export interface ShowOptions {
  name: string | undefined;
}

export const command = defineCommand({
  path: 'account show',
  summary: 'show how an account connects; never its secrets',
  examples: [
    { does: 'the account that is used when none is named', line: 'xmppctl account show' },
    { does: 'one value', line: 'xmppctl account show work --json | jq -r .jid' },
  ],
  needs: 'account',
  completes: { name: 'account' },
  build: (command) => command.argument('[name]', 'the account; the default one when left out'),
  parse: ([name]): ShowOptions => ({ name }),
  run: runShow,
});

export async function runShow(options: ShowOptions, { env, output }: Context): Promise<void> {
  const paths = configPaths(env);
  const { config } = await loadConfig(paths);
  const name = options.name ?? defaultName(env, config, paths);
  const profile = profileNamed(name, config);
  const shown = {
    name,
    isDefault: name === currentAccountName(env, config),
    ...profile,
    password: passwordPlace(profile),
    config: paths.configFile,
  };
  await output.result(shown, () =>
    Object.entries(shown)
      .map(([key, value]) => {
        const text = Array.isArray(value) ? value.join(', ') : String(value);
        return `${output.style.dim(`${key}:`)} ${safeText(text, { singleLine: true })}`;
      })
      .join('\n'),
  );
}

/** @throws UsageError there is no default */
export function defaultName(env: Environment, config: Config, paths: ConfigPaths): string {
  const name = currentAccountName(env, config);
  if (name !== undefined) return name;
  throw new UsageError('which account? none is the default', {
    hint:
      Object.keys(config.accounts).length === 0
        ? `there are none in ${paths.configFile}; add one with xmppctl account add`
        : `there is ${Object.keys(config.accounts).join(', ')}; choose one with xmppctl account use`,
  });
}
