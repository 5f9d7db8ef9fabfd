import { addAccount, checkName, passwordPlace } from '../../lib/config/account-store.js';
import { connectOptionsFor } from '../../lib/config/account-connect-options.js';
import { checkKind } from '../../lib/config/choose-account.js';
import type { AccountProfile } from '../../lib/config/keys.js';
import { configPaths } from '../../lib/config/paths.js';
import { firstLine, passwordFromDescriptor } from '../../lib/config/password-sources.js';
import { profileFromOptions } from '../../lib/config/profile-from-options.js';
import { readFirstLine } from '../../lib/config/read-first-line.js';
import type { Context } from '../../lib/context.js';
import { defineCommand } from '../../lib/command/definition.js';
import { UsageError } from '../../lib/errors.js';
import { JID } from '../../lib/jid/jid.js';

/** Where a password that is given now is to be kept; undefined when that was not said. */
type Store = 'keyring' | 'file';

export interface AddOptions {
  /** Undefined: ask for the address, and name the account after it. */
  name: string | undefined;
  profile: Omit<AccountProfile, 'jid'> & { jid?: string };
  store: Store | undefined;
  readSecret: (() => Promise<string>) | undefined;
  makeDefault: boolean;
  replace: boolean;
}

export const command = defineCommand({
  path: 'account add',
  summary: 'add an account, so that other commands can log in with it',
  description: `Writes a profile into the configuration. The connection options that are given with it (--service, --ca, --timeout and so on) become part of the profile.

NAME is what --account takes. An address can stand in its place and is then name and address at once.

The password is asked for on a terminal. Without one, say where it comes from: --password-stdin and --password-fd read it once and store it, --password-file and --password-command are remembered and read at each use. A stored password goes into the keyring of the system with --keyring, else into a file of mode 0600 beside the configuration. With none of these the profile has no password, and each use asks for it.`,
  examples: [
    { does: 'answer the questions', line: 'xmppctl account add alice@example.org' },
    {
      does: 'take the password from a password manager, at each use',
      line: 'xmppctl account add work --jid alice@example.com --password-command "pass show xmpp/work"',
    },
    {
      does: 'set up a machine from a script',
      line: 'xmppctl account add bot --jid bot@example.org --password-stdin < password.txt',
    },
    {
      does: 'a component of the local server',
      line: 'xmppctl account add echo --component echo.example.org --service localhost:5347 --password-file echo.secret',
    },
  ],
  needs: 'connection',
  completes: { name: 'jid' },
  build: (command) =>
    command
      .argument('[name]', 'the name of the account, or its address')
      .option('--keyring', 'keep the password in the keyring of the system')
      .option('--password-stdin', 'read the password from the first line of stdin and store it')
      .option('--password-command <command>', 'take the password from a command at each use')
      .option('--fast', 'keep and use the tokens that a server hands out (XEP-0484)')
      .option('--allow-plain', 'allow authentication without TLS')
      .option('--default', 'make it the account that is used when none is named')
      .option('--replace', 'replace an account of this name'),
  parse: ([typed], flags, context): AddOptions => {
    const { global } = context;
    if (typed !== undefined && global.account !== undefined && typed !== global.account) {
      throw new UsageError(`two names for the account: ${typed} and ${global.account}`);
    }
    const name = typed ?? global.account;
    const sources = [
      flags.passwordStdin && '--password-stdin',
      flags.passwordCommand !== undefined && '--password-command',
      global.passwordFile !== undefined && '--password-file',
      global.passwordFd !== undefined && '--password-fd',
    ].filter((source) => typeof source === 'string');
    if (sources.length > 1) throw new UsageError(`${sources.join(' and ')} name two passwords: give one`);
    if (flags.keyring && (flags.passwordCommand !== undefined || global.passwordFile !== undefined)) {
      throw new UsageError(
        `--keyring stores a password, ${sources.join()} names where it is already: give one`,
      );
    }
    const { passwordFd } = global;
    return {
      name,
      profile: {
        ...(name?.includes('@') && { jid: name }),
        ...profileFromOptions(global),
        ...(flags.passwordCommand !== undefined && { password_command: flags.passwordCommand }),
        ...(flags.allowPlain && { allow_plain: true }),
        ...(flags.fast && { fast: true }),
      },
      store: flags.keyring ? 'keyring' : undefined,
      readSecret: flags.passwordStdin
        ? async () => firstLine(await readFirstLine(context.stdin), 'stdin')
        : passwordFd === undefined
          ? undefined
          : () => passwordFromDescriptor(passwordFd),
      makeDefault: flags.default === true,
      replace: flags.replace === true,
    };
  },
  run: runAdd,
});

export async function runAdd(options: AddOptions, context: Context): Promise<void> {
  const { env, output, prompt } = context;
  const paths = configPaths(env);
  const jid = options.profile.jid ?? (await askForAddress(options.name, context));
  const name = options.name ?? jid;
  checkName(name);
  const profile: AccountProfile = { ...options.profile, jid };
  await checkProfile(profile, name, context);
  let secret: { value: string; store: Store } | undefined;
  if (options.readSecret) {
    secret = { value: await options.readSecret(), store: options.store ?? 'file' };
  } else if (passwordPlace(profile) === 'asked') {
    secret = await askForPassword(profile, options.store, context);
  }
  const added = await addAccount(
    { name, profile, secret, makeDefault: options.makeDefault, replace: options.replace },
    paths,
  );
  const place = passwordPlace(added.profile);
  await output.result(
    { name, jid, isDefault: added.isDefault, password: place, config: paths.configFile },
    () => '',
  );
  output.note(`added the account ${name}${added.isDefault ? ', which is the default now' : ''}`);
  if (place === 'asked' && !prompt.isAvailable) {
    output.note(
      'its password is not stored: each use needs --password-file, --password-fd or XMPPCTL_PASSWORD',
    );
  }
  output.note(`check it with: xmppctl account test ${name}`);
}

async function askForAddress(name: string | undefined, { prompt }: Context): Promise<string> {
  if (!prompt.isAvailable) {
    throw new UsageError('which address? there is no terminal to ask at', {
      hint: `xmppctl account add ${name ?? 'NAME'} --jid you@example.org`,
    });
  }
  return prompt.text('Address (you@example.org)', {
    validate: (answer) => {
      try {
        checkKind(JID.parse(answer), 'client', false);
        return true;
      } catch (error) {
        return error instanceof Error ? error.message : String(error);
      }
    },
  });
}

/** On a terminal: the password, and where to keep it. An empty answer means: ask each time. */
async function askForPassword(
  profile: AccountProfile,
  store: Store | undefined,
  { prompt }: Context,
): Promise<{ value: string; store: Store } | undefined> {
  if (!prompt.isAvailable) {
    if (store === undefined) return undefined;
    throw new UsageError('--keyring needs a password, and there is no terminal to ask at', {
      hint: 'add --password-stdin or --password-fd',
    });
  }
  const value = await prompt.secret(`Password for ${profile.jid} (empty: ask at each use)`);
  if (value === '') return undefined;
  return {
    value,
    store:
      store ??
      (await prompt.select<Store>('Where should it be kept?', [
        { value: 'keyring', label: 'in the keyring of the system' },
        { value: 'file', label: 'in a file that only you can read' },
      ])),
  };
}

/** What a connection would refuse is refused now: an address that is none, a CA file that is not there. */
async function checkProfile(profile: AccountProfile, name: string, context: Context): Promise<void> {
  const jid = JID.parse(profile.jid);
  const kind = profile.component === true ? 'component' : 'client';
  const isAnonymous = profile.anonymous === true;
  checkKind(jid, kind, isAnonymous);
  await connectOptionsFor(
    { kind, jid, isAnonymous, name, profile },
    { global: {}, env: {}, prompt: context.prompt },
    configPaths(context.env),
  );
}
