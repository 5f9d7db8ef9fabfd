/**
 * Who logs in: options on the command line, the environment and the profiles put together.
 *
 * The identity comes from one level as a whole: what was typed, else the environment, else `default_account`.
 * `--account bob` is never overruled by XMPPCTL_JID, and a --jid never gets the password of another account.
 */
import { UsageError } from '../errors.js';
import { nearest } from '../command/nearest.js';
import { JID } from '../jid/jid.js';
import type { GlobalOptions } from '../command/global-options.js';
import type { AccountProfile, Config } from './keys.js';
import type { Environment } from './paths.js';

export interface ChosenAccount {
  kind: 'client' | 'component';
  isAnonymous: boolean;
  jid: JID;
  /** The profile's name, when there is one. */
  name: string | undefined;
  profile: AccountProfile | undefined;
}

/** @throws UsageError nobody was named, no such profile, or names that contradict each other */
export function chooseAccount(global: GlobalOptions, env: Environment, config: Config): ChosenAccount {
  const account = findAccount(global, env, config);
  checkKind(account.jid, account.kind, account.isAnonymous);
  return account;
}

function findAccount(global: GlobalOptions, env: Environment, config: Config): ChosenAccount {
  if (global.component !== undefined) return chooseComponent(global, config);
  const typed = { account: global.account, jid: global.jid };
  const fromEnv = { account: nonEmpty(env['XMPPCTL_ACCOUNT']), jid: nonEmpty(env['XMPPCTL_JID']) };
  for (const { account, jid } of [typed, fromEnv, { account: config.default_account, jid: undefined }]) {
    if (account !== undefined) return fromProfile(account, jid, global, config);
    if (jid !== undefined) return fromJid(jid, global, config);
  }
  throw new UsageError('no account: who should log in?', {
    hint: 'add one with xmppctl account add, or give --jid; without any account, xmppctl sandbox run makes some',
  });
}

/** @throws UsageError there is no such profile */
export function profileNamed(name: string, config: Config): AccountProfile {
  const profile = Object.hasOwn(config.accounts, name) ? config.accounts[name] : undefined;
  if (profile) return profile;
  const names = Object.keys(config.accounts);
  const meant = nearest(name, names);
  throw new UsageError(`no account named ${name}`, {
    hint:
      meant !== undefined
        ? `did you mean ${meant}?`
        : names.length > 0
          ? `there is ${names.join(', ')}`
          : 'add it with xmppctl account add',
  });
}

function fromProfile(
  name: string,
  jidText: string | undefined,
  global: GlobalOptions,
  config: Config,
): ChosenAccount {
  const profile = profileNamed(name, config);
  const own = parseJid(profile.jid, `the jid of the account ${name}`);
  const jid = jidText === undefined ? own : parseJid(jidText, '--jid');
  if (!jid.bare.equals(own.bare)) {
    throw new UsageError(`the account ${name} is ${own.bare.toString()}, not ${jid.bare.toString()}`, {
      hint: 'give --account or --jid, or a --jid that differs in the resource only',
    });
  }
  return {
    kind: profile.component === true ? 'component' : 'client',
    isAnonymous: global.anonymous ?? profile.anonymous ?? false,
    jid,
    name,
    profile,
  };
}

/** A JID without a profile's name still finds the profile that has it: `--jid alice@example.org/desk`. */
function fromJid(text: string, global: GlobalOptions, config: Config): ChosenAccount {
  const jid = parseJid(text, '--jid');
  const isAnonymous = global.anonymous ?? false;
  const found = isAnonymous
    ? []
    : Object.entries(config.accounts).filter(
        ([, profile]) =>
          profile.component !== true && profile.anonymous !== true && sameBare(profile.jid, jid),
      );
  if (found.length > 1) {
    throw new UsageError(
      `${jid.bare.toString()} is in the accounts ${found.map(([name]) => name).join(' and ')}`,
      {
        hint: 'say which with --account',
      },
    );
  }
  const [name, profile] = found[0] ?? [];
  return { kind: 'client', isAnonymous, jid, name, profile };
}

function chooseComponent(global: GlobalOptions, config: Config): ChosenAccount {
  if (global.jid !== undefined || global.anonymous === true) {
    throw new UsageError('--component cannot be combined with --jid or --anonymous');
  }
  const jid = parseJid(global.component ?? '', '--component');
  const found = Object.entries(config.accounts).find(([name, profile]) =>
    global.account === undefined
      ? profile.component === true && sameBare(profile.jid, jid)
      : name === global.account,
  );
  if (global.account !== undefined && found?.[1].component !== true) {
    profileNamed(global.account, config);
    throw new UsageError(`the account ${global.account} is not a component`);
  }
  const [name, profile] = found ?? [];
  return { kind: 'component', isAnonymous: false, jid, name, profile };
}

function sameBare(text: string, jid: JID): boolean {
  try {
    return JID.parse(text).bare.equals(jid.bare);
  } catch {
    return false;
  }
}

function parseJid(text: string, what: string): JID {
  try {
    return JID.parse(text);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(`${what}: ${error.message}`, {
      ...(error.hint !== undefined && { hint: error.hint }),
      details: error.details,
      cause: error,
    });
  }
}

/**
 * A client logs in with a localpart, a component or an anonymous one without.
 * @throws UsageError it is the other way round
 */
export function checkKind(jid: JID, kind: 'client' | 'component', isAnonymous: boolean): void {
  if (kind === 'client' && !isAnonymous && jid.local === undefined) {
    throw new UsageError(`${jid.toString()} is a server, not an account`, {
      hint: `write somebody@${jid.domain}, or add --anonymous`,
    });
  }
  if (kind === 'component' && (jid.local !== undefined || jid.resource !== undefined)) {
    throw new UsageError(`${jid.toString()} is not the domain of a component`, {
      hint: `a component is a domain alone, for example ${jid.domain}`,
    });
  }
}

function nonEmpty(value: string | undefined): string | undefined {
  return value === '' ? undefined : value;
}
