import { accountConnectOptions } from '../../lib/config/account-connect-options.js';
import { forgetFastToken, passwordPlace, storeSecret } from '../../lib/config/account-store.js';
import { chooseAccount } from '../../lib/config/choose-account.js';
import { loadConfig } from '../../lib/config/load-config.js';
import { askNewPassword } from '../../lib/config/new-password.js';
import { configPaths } from '../../lib/config/paths.js';
import { passwordFromDescriptor, passwordFromFile } from '../../lib/config/password-sources.js';
import type { Context } from '../../lib/context.js';
import { defineCommand } from '../../lib/command/definition.js';
import { UsageError, XmppctlError } from '../../lib/errors.js';
import { changePassword } from '../../lib/registration/registration.js';

export interface PasswdOptions {
  name: string | undefined;
  /** Undefined: ask. */
  readNew: (() => Promise<string>) | undefined;
}

export const command = defineCommand({
  path: 'account passwd',
  summary: 'change the password of an account, on the server and where it is stored',
  description: `Logs in with the old password and changes it in-band (XEP-0077). The new one comes from --new-password-file, --new-password-fd or XMPPCTL_NEW_PASSWORD, or from a question on a terminal. After the server has agreed, the stored password is replaced: in the keyring, or in the password_file of the profile. A password_command cannot be told; then you are reminded.`,
  examples: [
    { does: 'answer the questions', line: 'xmppctl account passwd' },
    {
      does: 'from a password manager',
      line: 'pass generate -n xmpp/bot 40 >/dev/null && pass show xmpp/bot | xmppctl account passwd bot --new-password-fd 0',
    },
  ],
  exitCodes: {
    5: 'the server refuses the change',
    7: 'the server has the new password, but it could not be stored here',
  },
  completes: { name: 'account', '--new-password-file': 'file' },
  build: (command) =>
    command
      .argument('[name]', 'the account; the default one when left out')
      .option('--new-password-file <file>', 'read the new password from the first line of a file')
      .option('--new-password-fd <number>', 'read the new password from an open file descriptor'),
  parse: ([name], { newPasswordFile, newPasswordFd }, { env, global }): PasswdOptions => {
    if (newPasswordFile !== undefined && newPasswordFd !== undefined) {
      throw new UsageError('--new-password-file and --new-password-fd name two passwords: give one');
    }
    if (global.anonymous || global.component !== undefined) {
      throw new UsageError('only an account has a password that can be changed in-band');
    }
    const fromEnv = env['XMPPCTL_NEW_PASSWORD'];
    return { name, readNew: newPasswordSource(newPasswordFile, newPasswordFd, fromEnv) };
  },
  run: runPasswd,
});

function newPasswordSource(
  file: string | undefined,
  descriptor: string | undefined,
  fromEnv: string | undefined,
): PasswdOptions['readNew'] {
  if (file !== undefined) return () => passwordFromFile(file);
  if (descriptor !== undefined) {
    const number = Number(descriptor);
    if (!Number.isInteger(number) || number < 0) {
      throw new UsageError(
        `--new-password-fd takes the number of an open file descriptor, not ${descriptor}`,
      );
    }
    return () => passwordFromDescriptor(number);
  }
  return fromEnv === undefined || fromEnv === '' ? undefined : () => Promise.resolve(fromEnv);
}

export async function runPasswd({ name, readNew }: PasswdOptions, context: Context): Promise<void> {
  const { env, output, prompt } = context;
  const global = name === undefined ? context.global : { ...context.global, account: name };
  const paths = configPaths(env);
  const { config } = await loadConfig(paths);
  const account = chooseAccount(global, env, config);
  if (account.kind === 'component' || account.isAnonymous) {
    throw new UsageError(
      `${account.name ?? account.jid.toString()} has no password that can be changed in-band`,
    );
  }
  const jid = account.jid.bare.toString();
  const password = await (readNew?.() ??
    askNewPassword(
      `New password for ${jid}`,
      prompt,
      'give it by --new-password-file, --new-password-fd or XMPPCTL_NEW_PASSWORD',
    ));
  {
    await using session = await context.connect(await accountConnectOptions({ global, env, prompt }));
    await changePassword(session, password);
  }
  const place = account.profile ? passwordPlace(account.profile) : 'asked';
  let isStored = false;
  if (account.profile && (place === 'file' || place === 'keyring')) {
    try {
      await storeSecret(account.profile, password, paths);
      isStored = true;
    } catch (error) {
      if (!(error instanceof XmppctlError)) throw error;
      throw new PasswordNotStoredError(error);
    }
  }
  if (account.profile?.fast === true) await forgetFastToken(account.profile, paths);
  await output.result({ account: account.name ?? null, jid, isStored }, () => '');
  output.note(`the password of ${jid} is changed${isStored ? ', and stored' : ''}`);
  if (place === 'command') output.warn('password_command of the profile has to give the new one from now on');
  else if (!isStored) output.note('it is stored nowhere here');
}

/** Half done is the one thing that must be said loudly: the old password is gone. */
class PasswordNotStoredError extends XmppctlError {
  override readonly name = 'PasswordNotStoredError';
  readonly exitCode = 7;

  constructor(cause: XmppctlError) {
    super(`the server has the new password, but it could not be stored: ${cause.message}`, {
      hint: 'put the new password there yourself; the old one no longer works',
      cause,
    });
  }
}
