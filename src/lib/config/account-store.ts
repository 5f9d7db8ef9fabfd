/** Adds, changes and removes accounts: the profile in config.toml and the secret beside it. */
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { FileError, UsageError } from '../errors.js';
import { JID } from '../jid/jid.js';
import { changeConfig } from './change-config.js';
import { profileNamed } from './choose-account.js';
import { fastTokenFile, fastTokenInKeyring } from './fast-token-store.js';
import type { AccountProfile, Config } from './keys.js';
import { openKeyring } from './keyring.js';
import { loadConfig } from './load-config.js';
import { forgetMechanismPin } from './mechanism-pin-store.js';
import { resolveConfigured, type ConfigPaths, type Environment } from './paths.js';
import { reasonOf, writePrivateFile } from './private-file.js';

/** Where the password of a profile comes from, as shown to people and in JSON. */
export type PasswordPlace = 'file' | 'command' | 'keyring' | 'asked' | 'none';

export function passwordPlace(profile: AccountProfile): PasswordPlace {
  if (profile.anonymous === true) return 'none';
  if (profile.password_file !== undefined) return 'file';
  if (profile.password_command !== undefined) return 'command';
  if (profile.keyring === true) return 'keyring';
  return profile.client_cert === undefined ? 'asked' : 'none';
}

export interface NewAccount {
  name: string;
  profile: AccountProfile;
  /** A password to store: in the keyring, or in a file of ours. */
  secret?: { value: string; store: 'keyring' | 'file' } | undefined;
  makeDefault: boolean;
  /** Replace an account of this name. */
  replace: boolean;
}

/**
 * Stores the secret, then the profile. The first account becomes the default.
 * @returns the profile as it was written, and whether it is the default now
 * @throws UsageError the name is taken or cannot be a name
 * @throws FileError something cannot be written
 */
export async function addAccount(
  account: NewAccount,
  paths: ConfigPaths,
): Promise<{ profile: AccountProfile; isDefault: boolean }> {
  const { name, secret } = account;
  checkName(name);
  const { config } = await loadConfig(paths);
  const existing = config.accounts[name];
  if (existing && !account.replace) {
    throw new UsageError(`there is an account ${name} already: ${existing.jid}`, {
      hint: 'choose another name, or add --replace',
    });
  }
  const profile = { ...account.profile };
  if (secret?.store === 'keyring') {
    profile.keyring = true;
  } else if (secret) {
    profile.password_file = ownPasswordFile(name);
  }
  if (secret) await storeSecret(profile, secret.value, paths);
  const changed = await changeConfig(paths, (current) => {
    const isFirst = Object.keys(current.accounts).length === 0;
    return {
      ...current,
      ...((account.makeDefault || (isFirst && current.default_account === undefined)) && {
        default_account: name,
      }),
      accounts: { ...current.accounts, [name]: profile },
    };
  });
  return { profile, isDefault: changed.default_account === name };
}

/**
 * Writes a password to where the profile says it is.
 * @throws UsageError it comes from a command or from a question, so there is nowhere to write it
 */
export async function storeSecret(
  profile: AccountProfile,
  secret: string,
  paths: ConfigPaths,
): Promise<void> {
  if (profile.password_file !== undefined) {
    const file = resolveConfigured(profile.password_file, paths);
    await writePrivateFile(file, `${secret}\n`, 'the password file');
  } else if (profile.keyring === true) {
    await openKeyring().set(bareJid(profile), secret);
  } else {
    throw new UsageError('the profile has no place for a password');
  }
}

/** @throws UsageError there is no such account */
export async function setDefaultAccount(name: string, paths: ConfigPaths): Promise<AccountProfile> {
  const changed = await changeConfig(paths, (config) => {
    profileNamed(name, config);
    return { ...config, default_account: name };
  });
  return profileNamed(name, changed);
}

/**
 * Removes an account with the secrets that were stored for it. A password file that somebody else made stays.
 * @returns the profile that was removed, and what could not be removed with it
 * @throws UsageError there is no such account
 */
export async function removeAccount(
  name: string,
  paths: ConfigPaths,
): Promise<{ profile: AccountProfile; leftOver: string[] }> {
  const { config } = await loadConfig(paths);
  const profile = profileNamed(name, config);
  const changed = await changeConfig(paths, (current) => {
    const { [name]: _removed, ...accounts } = current.accounts;
    const { default_account: _default, ...rest } = current;
    return { ...(current.default_account === name ? rest : current), accounts };
  });
  const leftOver: string[] = [];
  const attempt = async (what: string, remove: () => Promise<unknown>): Promise<void> => {
    try {
      await remove();
    } catch (error) {
      leftOver.push(`${what}: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  const isShared = (key: 'password_file' | 'keyring'): boolean =>
    Object.values(changed.accounts).some((other) =>
      key === 'keyring'
        ? other.keyring === true && bareJid(other) === bareJid(profile)
        : other.password_file === profile.password_file,
    );
  if (isOwnPasswordFile(profile, paths) && !isShared('password_file')) {
    const file = resolveConfigured(profile.password_file ?? '', paths);
    await attempt(file, () => removeFile(file));
  }
  if (profile.keyring === true && !isShared('keyring')) {
    await attempt('the password in the keyring', () => openKeyring().remove(bareJid(profile)));
  }
  await attempt('the remembered mechanism', () => forgetMechanismPin(bareJid(profile), paths));
  await attempt('the FAST token', () => forgetFastToken(profile, paths));
  return { profile, leftOver };
}

/** Removes the token with which the account logs in without its password (XEP-0484). */
export async function forgetFastToken(profile: AccountProfile, paths: ConfigPaths): Promise<void> {
  await fastTokenFile(bareJid(profile), paths).remove();
  if (profile.fast === true && profile.keyring === true) {
    await fastTokenInKeyring(bareJid(profile), openKeyring()).remove();
  }
}

/** The account that is used when none is named: XMPPCTL_ACCOUNT, else `default_account`. */
export function currentAccountName(env: Environment, config: Config): string | undefined {
  const fromEnv = env['XMPPCTL_ACCOUNT'];
  return fromEnv === undefined || fromEnv === '' ? config.default_account : fromEnv;
}

/** @throws UsageError the name would be hard to type or to show */
export function checkName(name: string): void {
  // eslint-disable-next-line no-control-regex -- finding control characters is the point
  if (name === '' || name.startsWith('-') || /[\u0000-\u0020\u007f]/.test(name) || name.length > 200) {
    throw new UsageError(`an account cannot be named ${JSON.stringify(name)}`, {
      hint: 'a name has no spaces and does not begin with a hyphen',
    });
  }
}

function bareJid(profile: AccountProfile): string {
  return JID.fromServer(profile.jid).bare.toString();
}

const passwordFolder = 'passwords';

/** Relative to the configuration; any name makes a file name that stays in the folder. */
function ownPasswordFile(name: string): string {
  const safe = name.replace(/^\.|[^A-Za-z0-9@._-]/gu, (character) =>
    encodeURIComponent(character).replace('.', '%2E'),
  );
  return `${passwordFolder}/${safe}`;
}

function isOwnPasswordFile(profile: AccountProfile, paths: ConfigPaths): boolean {
  if (profile.password_file === undefined) return false;
  const file = resolveConfigured(profile.password_file, paths);
  return path.dirname(file) === path.join(paths.configDir, passwordFolder);
}

async function removeFile(file: string): Promise<void> {
  try {
    await rm(file, { force: true });
  } catch (error) {
    throw new FileError(`cannot remove ${file}: ${reasonOf(error)}`, { cause: error });
  }
}
