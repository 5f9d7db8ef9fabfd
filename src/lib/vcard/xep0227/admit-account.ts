/** Which accounts of an export can be accounts at all: their addresses are put into the form that servers keep. */
import { JID } from '../../jid/jid.js';
import type { MarkedAccount } from './scan-document.js';
import { SeenAccounts } from './seen-accounts.js';

export class AccountAdmission {
  readonly #seen = new SeenAccounts();
  readonly #prepared = new Map<string, string | undefined>();

  /** Why an account that was met before is not taken again. */
  refuseTwice(address: string): string | undefined {
    return this.#seen.add(address) ? undefined : 'it is in the input twice: the first one was taken';
  }

  /** Puts the address into the form that servers keep. Returns why it cannot be one. */
  prepare(account: MarkedAccount): string | undefined {
    const host = this.prepareHost(account.host);
    if (host === undefined) return `${JSON.stringify(account.host)} is no host`;
    account.host = host;
    const { name } = account;
    if (/^[a-z0-9._-]+$/.test(name)) return undefined;
    // XEP-0106 is for those who want such characters: servers never have them.
    // eslint-disable-next-line no-control-regex -- they are what is refused
    if (name === '' || /[\s"&'/:<>@\u0000-\u001f\u007f]/.test(name)) {
      return 'its name has a character that names of accounts cannot have';
    }
    // COMPAT(Prosody 0.12, ejabberd 23.01): names by RFC 6122 exist that RFC 7622 refuses; they stay as they are.
    const jid = JID.fromServer(`${name}@${host}`);
    if (jid.isValid && jid.local !== undefined && jid.local !== name) account.preparedName = jid.local;
    return undefined;
  }

  /** The domain as servers write it; undefined when it is none. */
  prepareHost(host: string): string | undefined {
    if (!this.#prepared.has(host)) {
      const jid = JID.tryParse(host);
      this.#prepared.set(
        host,
        jid && jid.local === undefined && jid.resource === undefined ? jid.domain : undefined,
      );
    }
    return this.#prepared.get(host);
  }
}
