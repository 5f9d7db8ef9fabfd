/** Reads and checks config.toml. */
import { FileError, UsageError } from '../errors.js';
import { nearest } from '../command/nearest.js';
import {
  accountKeys,
  topKeys,
  type AccountProfile,
  type Config,
  type KeySpec,
  type ValueType,
} from './keys.js';
import type { ConfigPaths } from './paths.js';
import { codeOf, readPrivateFile } from './private-file.js';

export interface LoadedConfig {
  config: Config;
  /** The text it was read from; empty when there is no file. */
  text: string;
  file: string;
}

/**
 * Reads the configuration; no file is an empty configuration.
 * @throws FileError it cannot be read, or others can read it
 * @throws UsageError it is not TOML, has an unknown key or a value of the wrong type; says where
 */
export async function loadConfig(paths: ConfigPaths): Promise<LoadedConfig> {
  const file = paths.configFile;
  let text = '';
  try {
    text = await readPrivateFile(file, 'the configuration');
  } catch (error) {
    if (!(error instanceof FileError) || codeOf(error.cause) !== 'ENOENT') throw error;
  }
  return { config: await parseConfig(text, file), text, file };
}

/**
 * Parses the text of a configuration.
 * @param file only for messages
 * @throws UsageError as `loadConfig`
 */
export async function parseConfig(text: string, file: string): Promise<Config> {
  if (text.trim() === '') return { accounts: {} };
  const { parse, TomlError } = await import('smol-toml');
  let table: Record<string, unknown>;
  try {
    table = parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [reason = ''] = error.message.replace(/^Invalid TOML document: /, '').split('\n');
    throw new UsageError(`${file}:${error.line}: ${reason}`, { hint: 'see xmppctl help config' });
  }
  const problem = findProblem(table);
  if (problem) {
    const { readLayout } = await import('./toml-layout.js');
    const line = lineOf(readLayout(text), problem.path);
    throw new UsageError(`${file}${line === undefined ? '' : `:${line}`}: ${problem.message}`, {
      hint: problem.hint ?? 'see xmppctl help config',
    });
  }
  return { accounts: {}, ...table };
}

interface Problem {
  path: readonly string[];
  message: string;
  hint?: string;
}

function findProblem(table: Record<string, unknown>): Problem | undefined {
  const { accounts = {}, ...top } = table;
  const problem = findKeyProblem(top, topKeys, [], [...Object.keys(topKeys), 'accounts']);
  if (problem) return problem;
  if (!isTable(accounts)) {
    return { path: ['accounts'], message: 'accounts must be tables: [accounts.NAME]' };
  }
  for (const [name, account] of Object.entries(accounts)) {
    const path = ['accounts', name];
    if (!isTable(account))
      return { path, message: `the account ${name} must be a table: [accounts.${name}]` };
    const inside = findKeyProblem(account, accountKeys, path, Object.keys(accountKeys));
    if (inside) return inside;
    const profile = account as Partial<AccountProfile>;
    if (profile.jid === undefined) return { path, message: `the account ${name} has no jid` };
    const sources = (['password_file', 'password_command', 'keyring'] as const).filter(
      (key) => profile[key] !== undefined && profile[key] !== false,
    );
    if (sources.length > 1) {
      return {
        path: [...path, sources[1] ?? ''],
        message: `the account ${name} has both ${sources.join(' and ')}: one must go`,
      };
    }
    if (profile.timeout !== undefined && !(profile.timeout > 0)) {
      return { path: [...path, 'timeout'], message: 'timeout must be a number of seconds above 0' };
    }
  }
  return undefined;
}

function findKeyProblem(
  table: Record<string, unknown>,
  keys: Readonly<Record<string, KeySpec>>,
  at: readonly string[],
  known: readonly string[],
): Problem | undefined {
  for (const [key, value] of Object.entries(table)) {
    const path = [...at, key];
    const spec = Object.hasOwn(keys, key) ? keys[key] : undefined;
    if (!spec) {
      const meant = nearest(key, known);
      const where = at.length > 0 ? ` in [${at.join('.')}]` : '';
      return {
        path,
        message: `unknown key ${key}${where}`,
        ...(meant !== undefined && { hint: `did you mean ${meant}?` }),
      };
    }
    if (!hasType(value, spec.type)) {
      return {
        path,
        message: `${key} must be ${typeNames[spec.type]}, for example ${key} = ${spec.example}`,
      };
    }
  }
  return undefined;
}

export const typeNames: Readonly<Record<ValueType, string>> = {
  string: 'a string',
  boolean: 'true or false',
  number: 'a number',
  strings: 'a list of strings',
};

function hasType(value: unknown, type: ValueType): boolean {
  return type === 'strings'
    ? Array.isArray(value) && value.every((item) => typeof item === 'string')
    : typeof value === type;
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

/** The line of a key, or of the nearest table around it. */
function lineOf(
  layout: { pairs: { path: string[]; line: number }[]; headers: { path: string[]; line: number }[] },
  path: readonly string[],
): number | undefined {
  for (let length = path.length; length > 0; length -= 1) {
    const wanted = JSON.stringify(path.slice(0, length));
    const lines = [...layout.pairs, ...layout.headers]
      .filter((place) => JSON.stringify(place.path.slice(0, length)) === wanted)
      .map(({ line }) => line);
    if (lines.length > 0) return Math.min(...lines);
  }
  return undefined;
}
