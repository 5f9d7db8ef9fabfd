/** Keeps the token of FAST (XEP-0484) where the password is: in the keyring, or in a file of mode 0600. */
import { rm } from 'node:fs/promises';
import { FileError } from '../errors.js';
import type { FastToken, FastTokenStore } from '../session/options.js';
import type { Keyring } from './keyring.js';
import { stateFile, type ConfigPaths } from './paths.js';
import { codeOf, readPrivateFile, reasonOf, writePrivateFile } from './private-file.js';

/** @param account bare JID */
export function fastTokenFile(account: string, paths: ConfigPaths): FastTokenStore {
  const file = stateFile('fast', account, paths);
  return {
    load: async () => {
      try {
        return parseToken(await readPrivateFile(file, 'the token file'));
      } catch (error) {
        if (error instanceof FileError && codeOf(error.cause) === 'ENOENT') return undefined;
        throw error;
      }
    },
    save: (token) => writePrivateFile(file, `${JSON.stringify(token)}\n`, 'the token file'),
    remove: async () => {
      try {
        await rm(file, { force: true });
      } catch (error) {
        throw new FileError(`cannot remove the token file ${file}: ${reasonOf(error)}`, { cause: error });
      }
    },
  };
}

/** @param account bare JID */
export function fastTokenInKeyring(account: string, keyring: Keyring): FastTokenStore {
  const name = `fast:${account}`;
  return {
    load: async () => {
      const text = await keyring.get(name);
      return text === undefined ? undefined : parseToken(text);
    },
    save: (token) => keyring.set(name, JSON.stringify(token)),
    remove: async () => {
      await keyring.remove(name);
    },
  };
}

/** What cannot be read as a token is none: the password is there to get a new one. */
function parseToken(text: string): FastToken | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { mechanism, token, expiry, count, userAgentId } = value as Record<string, unknown>;
  if (typeof mechanism !== 'string' || typeof token !== 'string') return undefined;
  if (typeof count !== 'number' || typeof userAgentId !== 'string') return undefined;
  return { mechanism, token, expiry: typeof expiry === 'string' ? expiry : undefined, count, userAgentId };
}
