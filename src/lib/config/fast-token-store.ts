/** Keeps the token of FAST (XEP-0484) where the password is: in the keyring, or in a file of mode 0600. */
import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { FileError } from '../errors.js';
import type { FastToken, FastTokenStore } from '../session/options.js';
import type { Keyring } from './keyring.js';
import type { ConfigPaths } from './paths.js';
import { codeOf, readPrivateFile, reasonOf, writePrivateFile } from './private-file.js';

/** @param account bare JID */
export function fastTokenFile(account: string, { stateDir }: ConfigPaths): FastTokenStore {
  const file = fastTokenPath(account, stateDir);
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

function fastTokenPath(account: string, stateDir: string): string {
  // An address may hold characters that a file name may not.
  const name = createHash('sha256').update(account).digest('hex').slice(0, 32);
  return path.join(stateDir, 'fast', `${name}.json`);
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
