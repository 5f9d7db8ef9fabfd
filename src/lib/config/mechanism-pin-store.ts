/** Remembers the strongest mechanism an account has logged in with, so that a weaker offer is noticed next time. */
import { promises as fs } from 'node:fs';
import { FileError } from '../errors.js';
import type { MechanismPinStore } from '../session/options.js';
import { stateFile, type ConfigPaths } from './paths.js';
import { readTextFile, reasonOf, writePrivateFile } from './private-file.js';

/**
 * @param account bare JID
 * @param warn told when it cannot be written: a read-only home must not keep anybody from logging in
 */
export function mechanismPinFile(
  account: string,
  paths: ConfigPaths,
  warn: ((message: string) => void) | undefined,
): MechanismPinStore {
  const file = stateFile('mechanisms', account, paths);
  return {
    load: async () => {
      try {
        const value = JSON.parse(await readTextFile(file, 'the state file')) as Record<string, unknown>;
        const { mechanism, channelBinding } = value;
        if (typeof mechanism !== 'string') return undefined;
        return { mechanism, ...(typeof channelBinding === 'string' && { channelBinding }) };
      } catch {
        return undefined;
      }
    },
    save: async (pin) => {
      try {
        await writePrivateFile(file, `${JSON.stringify({ account, ...pin })}\n`, 'the state file');
      } catch (error) {
        if (!(error instanceof FileError)) throw error;
        warn?.(`${error.message}; a weaker log-in will not be noticed next time`);
      }
    },
  };
}

/** @param account bare JID */
export async function forgetMechanismPin(account: string, paths: ConfigPaths): Promise<void> {
  const file = stateFile('mechanisms', account, paths);
  try {
    await fs.rm(file, { force: true });
  } catch (error) {
    throw new FileError(`cannot remove ${file}: ${reasonOf(error)}`, { cause: error });
  }
}
