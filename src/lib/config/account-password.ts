/**
 * Finds the password of an account: --password-file, --password-fd, XMPPCTL_PASSWORD, XMPPCTL_PASSWORD_FILE,
 * XMPPCTL_PASSWORD_COMMAND, what the profile names, the keyring, and at last a question at a terminal.
 */
import { UsageError } from '../errors.js';
import type { AccountSurroundings } from './account-connect-options.js';
import type { ChosenAccount } from './choose-account.js';
import { resolveConfigured, type ConfigPaths } from './paths.js';
import { passwordFromCommand, passwordFromDescriptor, passwordFromFile } from './password-sources.js';

export interface PasswordSource {
  /** Something names a password; else the keyring is tried and then the user is asked. */
  isConfigured: boolean;
  /** Reads it once; later calls get the same answer, so that a reconnect asks nobody again. */
  read: () => Promise<string>;
}

/** @throws UsageError two options name a password */
export function passwordSource(
  account: ChosenAccount,
  around: AccountSurroundings,
  paths: ConfigPaths,
): PasswordSource {
  const configured = configuredSource(account, around, paths);
  const find = configured ?? (() => fallback(account, around));
  let answer: Promise<string> | undefined;
  return { isConfigured: configured !== undefined, read: () => (answer ??= find()) };
}

function configuredSource(
  { jid, name, profile }: ChosenAccount,
  { global, env }: AccountSurroundings,
  paths: ConfigPaths,
): (() => Promise<string>) | undefined {
  const { passwordFile, passwordFd } = global;
  if (passwordFile !== undefined && passwordFd !== undefined) {
    throw new UsageError('--password-file and --password-fd name two passwords: give one');
  }
  if (passwordFile !== undefined) return () => passwordFromFile(passwordFile);
  if (passwordFd !== undefined) return () => passwordFromDescriptor(passwordFd);
  const given = env['XMPPCTL_PASSWORD'];
  if (given !== undefined && given !== '') return () => Promise.resolve(given);
  const givenFile = env['XMPPCTL_PASSWORD_FILE'];
  if (givenFile !== undefined && givenFile !== '') return () => passwordFromFile(givenFile);
  const givenCommand = env['XMPPCTL_PASSWORD_COMMAND'];
  if (givenCommand !== undefined && givenCommand !== '') return () => passwordFromCommand(givenCommand, env);
  if (profile?.password_file !== undefined) {
    const file = resolveConfigured(profile.password_file, paths);
    return () => passwordFromFile(file);
  }
  if (profile?.password_command !== undefined) {
    const command = profile.password_command;
    return () => passwordFromCommand(command, env);
  }
  if (profile?.keyring === true) {
    return async () => {
      const { openKeyring } = await import('./keyring.js');
      const password = await openKeyring().get(jid.bare.toString());
      if (password !== undefined) return password;
      throw new UsageError(`the keyring has no password for ${jid.bare.toString()}`, {
        hint: `store it with xmppctl account add ${name ?? jid.bare.toString()} --keyring`,
      });
    };
  }
  return undefined;
}

async function fallback(
  { jid, kind, name }: ChosenAccount,
  { prompt }: AccountSurroundings,
): Promise<string> {
  const who = jid.bare.toString();
  const { openKeyring } = await import('./keyring.js');
  // Nobody said that it is there, so a keyring that is missing or locked is no error.
  const stored = await openKeyring()
    .get(who)
    .catch(() => undefined);
  if (stored !== undefined) return stored;
  if (prompt.isAvailable) return prompt.secret(`${kind === 'component' ? 'Secret' : 'Password'} for ${who}`);
  throw new UsageError(`no password for ${who}, and no terminal to ask at`, {
    hint: `give it by --password-file, --password-fd or XMPPCTL_PASSWORD, or set password_command, password_file or keyring for the account${name === undefined ? '' : ` ${name}`}`,
  });
}
