/** Where things are kept (XDG Base Directory Specification 0.8), from the environment that is passed in. */
import { createHash } from 'node:crypto';
import { homedir } from 'node:os';
import path from 'node:path';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface ConfigPaths {
  home: string;
  /** Holds `config.toml` and the password files written by `account add`. */
  configDir: string;
  configFile: string;
  /** What the program remembers by itself: FAST tokens and the strongest mechanism seen. */
  stateDir: string;
}

/**
 * `XMPPCTL_CONFIG_DIR` names a folder that stands by itself: its state is kept inside it. Without it the XDG
 * folders are used; the specification has relative paths in them ignored.
 */
export function configPaths(env: Environment): ConfigPaths {
  const home = nonEmpty(env['HOME']) ?? homedir();
  const own = nonEmpty(env['XMPPCTL_CONFIG_DIR']);
  const configDir =
    own === undefined
      ? path.join(absolute(env['XDG_CONFIG_HOME']) ?? path.join(home, '.config'), 'xmppctl')
      : path.resolve(own);
  const stateDir =
    own === undefined
      ? path.join(absolute(env['XDG_STATE_HOME']) ?? path.join(home, '.local/state'), 'xmppctl')
      : path.join(configDir, 'state');
  return { home, configDir, configFile: path.join(configDir, 'config.toml'), stateDir };
}

/** A path written in the configuration: `~/` is the home folder, a relative path starts at the configuration. */
export function resolveConfigured(file: string, { home, configDir }: ConfigPaths): string {
  if (file === '~' || file.startsWith('~/')) return path.join(home, file.slice(1));
  return path.resolve(configDir, file);
}

/** Where something is remembered of an account. @param account bare JID */
export function stateFile(kind: string, account: string, { stateDir }: ConfigPaths): string {
  // An address may hold characters that a file name may not.
  const name = createHash('sha256').update(account).digest('hex').slice(0, 32);
  return path.join(stateDir, kind, `${name}.json`);
}

function nonEmpty(value: string | undefined): string | undefined {
  return value === '' ? undefined : value;
}

function absolute(value: string | undefined): string | undefined {
  return value !== undefined && path.isAbsolute(value) ? value : undefined;
}
