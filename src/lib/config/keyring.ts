/**
 * The keyring of the system: Secret Service on Linux, Keychain on macOS, the Credential Manager on Windows.
 *
 * @napi-rs/keyring is a native add-on and optional: it is loaded on first use and may be missing. Left to itself it
 * falls back to the kernel's keyring on Linux, which forgets at the next boot: so it is not left to itself.
 */
import type * as AddOn from '@napi-rs/keyring';
import { UsageError } from '../errors.js';

const service = 'xmppctl';

export interface Keyring {
  get(name: string): Promise<string | undefined>;
  set(name: string, secret: string): Promise<void>;
  /** @returns whether there was one */
  remove(name: string): Promise<boolean>;
}

const alternatives =
  'use --password-file, --password-fd or XMPPCTL_PASSWORD, or password_command or password_file in the profile';

/** @throws UsageError from each method: the keyring is missing, locked or refuses */
export function openKeyring(): Keyring {
  const attempt = async <T>(
    what: string,
    name: string,
    action: (entry: AddOn.AsyncEntry) => Promise<T>,
  ): Promise<T> => {
    const { AsyncEntry } = await loadAddOn();
    try {
      return await action(new AsyncEntry(service, name, { linux: { store: 'secret-service' } }));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new UsageError(`cannot ${what} the keyring of the system: ${reason}`, {
        hint: alternatives,
        cause: error,
      });
    }
  };
  return {
    get: (name) => attempt('read', name, async (entry) => (await entry.getPassword()) ?? undefined),
    set: (name, secret) => attempt('write to', name, (entry) => entry.setPassword(secret)),
    remove: (name) => attempt('write to', name, (entry) => entry.deletePassword()),
  };
}

async function loadAddOn(): Promise<typeof AddOn> {
  try {
    return await import('@napi-rs/keyring');
  } catch (error) {
    throw new UsageError('the keyring needs the package @napi-rs/keyring, which is not installed here', {
      hint: alternatives,
      cause: error,
    });
  }
}
