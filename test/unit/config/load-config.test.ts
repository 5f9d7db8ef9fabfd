import { chmod } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { loadConfig, parseConfig } from '../../../src/lib/config/load-config.js';
import { configPaths } from '../../../src/lib/config/paths.js';
import { FileError, UsageError } from '../../../src/lib/errors.js';
import { useTemporaryHome } from '../../support/temporary-home.js';

describe('configPaths', () => {
  it.each([
    [{ HOME: '/h' }, '/h/.config/xmppctl/config.toml', '/h/.local/state/xmppctl'],
    [{ HOME: '/h', XDG_CONFIG_HOME: '/c', XDG_STATE_HOME: '/s' }, '/c/xmppctl/config.toml', '/s/xmppctl'],
    [
      { HOME: '/h', XDG_CONFIG_HOME: 'relative', XDG_STATE_HOME: '' },
      '/h/.config/xmppctl/config.toml',
      '/h/.local/state/xmppctl',
    ],
    [{ HOME: '/h', XDG_CONFIG_HOME: '/c', XMPPCTL_CONFIG_DIR: '/own' }, '/own/config.toml', '/own/state'],
  ])('%j', (env, configFile, stateDir) => {
    expect(configPaths(env)).toMatchObject({ configFile, stateDir });
  });
});

describe('parseConfig', () => {
  it('reads accounts with every kind of value', async () => {
    const config = await parseConfig(
      'default_account = "a"\n[accounts.a]\njid = "a@b"\ntimeout = 2.5\nfast = true\ntls_pin = ["x"]\n[accounts."b c"]\njid = "c@d"\n',
      'f',
    );
    expect(config).toEqual({
      default_account: 'a',
      accounts: { a: { jid: 'a@b', timeout: 2.5, fast: true, tls_pin: ['x'] }, 'b c': { jid: 'c@d' } },
    });
  });

  it.each([
    ['defualt_account = "a"', 'f:1: unknown key defualt_account', 'did you mean default_account?'],
    ['# c\n\n[acounts.a]\njid = "a@b"', 'f:3: unknown key acounts', 'did you mean accounts?'],
    [
      '[accounts.a]\njid = "a@b"\npasword_file = "x"',
      'f:3: unknown key pasword_file in [accounts.a]',
      'did you mean password_file?',
    ],
    [
      '[accounts.a]\njid = "a@b"\npassword = "x"',
      'f:3: unknown key password in [accounts.a]',
      'see xmppctl help config',
    ],
    ['[accounts.a]\njid = 5', 'f:2: jid must be a string, for example jid = "alice@example.org"', ''],
    ['[accounts.a]\njid = "a@b"\ntls_pin = "x"', 'f:3: tls_pin must be a list of strings', ''],
    ['[accounts.a]\njid = "a@b"\ntimeout = 0', 'f:3: timeout must be a number of seconds above 0', ''],
    ['accounts = 5', 'f:1: accounts must be tables', ''],
    ['[accounts]\na = 5', 'f:2: the account a must be a table', ''],
    ['\n[accounts.a]\nfast = true', 'f:2: the account a has no jid', ''],
    [
      '[accounts.a]\njid = "a@b"\npassword_command = "x"\nkeyring = true',
      'f:4: the account a has both password_command and keyring',
      '',
    ],
    ['[accounts.a]\njid = "a@b', 'f:2: ', ''],
    ['[accounts.a]\njid = "a@b"\njid = "c@d"', 'f:3: ', ''],
  ])('refuses %j and says where', async (text, message, hint) => {
    const error: unknown = await parseConfig(text, 'f').catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(UsageError);
    expect((error as UsageError).message.startsWith(message), (error as UsageError).message).toBe(true);
    expect((error as UsageError).message).not.toContain('\n');
    if (hint !== '') expect((error as UsageError).hint).toContain(hint);
  });
});

describe('loadConfig', () => {
  const home = useTemporaryHome();

  it('takes a missing file for an empty configuration', async () => {
    expect(await loadConfig(home.paths)).toMatchObject({ config: { accounts: {} }, text: '' });
  });

  it.each([0o644, 0o640, 0o604, 0o620])('refuses mode %o and names the wanted one', async (mode) => {
    await home.writeConfig('');
    await chmod(home.paths.configFile, mode);
    const error: unknown = await loadConfig(home.paths).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(FileError);
    expect(error).toMatchObject({
      message: `the configuration ${home.paths.configFile} can be read by others: its mode is 0${mode.toString(8)}, it must be 0600`,
      hint: `chmod 600 ${home.paths.configFile}`,
    });
  });

  it('says that the configuration is a folder', async () => {
    await home.write('.config/xmppctl/config.toml/x', '');
    await expect(loadConfig(home.paths)).rejects.toThrow(/cannot read the configuration .*: it is a folder/);
  });
});
