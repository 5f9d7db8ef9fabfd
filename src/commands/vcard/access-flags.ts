/** The flags that say how accounts are reached: for migrating, verifying and taking back alike. */
import { Option } from '@commander-js/extra-typings';
import { UsageError } from '../../lib/errors.js';
import { JID } from '../../lib/jid/jid.js';
import type { AccessOptions } from './account-access.js';

export interface ApiOptions {
  url: URL;
  /** Who asks; undefined: a token says it, or it is the account that logs in. */
  user: JID | undefined;
  secretFile: string | undefined;
  /** Whose accounts are meant when nobody lists them; undefined: that of the account that logs in. */
  host: string | undefined;
}

/** As they were typed. */
export interface AccessFlags {
  accounts?: string | undefined;
  impersonate?: true | undefined;
  api?: string | undefined;
  apiUser?: string | undefined;
  apiSecretFile?: string | undefined;
  host?: string | undefined;
}

export const accessFlags = {
  accounts: new Option(
    '--accounts <file>',
    'accounts with their passwords: a private CSV file, JID,PASSWORD on each line',
  ),
  impersonate: new Option(
    '--impersonate',
    'as a component of ejabberd behind a listener with check_from: false',
  ),
  api: new Option('--api <url>', 'through the commands of ejabberd (mod_http_api) at this address'),
  apiUser: new Option(
    '--api-user <jid>',
    'the administrator who calls them, by password; without it a token',
  ),
  apiSecretFile: new Option(
    '--api-secret-file <file>',
    'a private file whose first line is that password or token',
  ),
} as const;

export const accessCompletes = {
  '--accounts': 'file',
  '--api': 'none',
  '--api-user': 'none',
  '--api-secret-file': 'file',
} as const;

/** @throws UsageError they contradict each other */
export async function parseAccess({
  accounts,
  impersonate,
  api,
  apiUser,
  apiSecretFile,
  host,
}: AccessFlags): Promise<Pick<AccessOptions, 'accounts' | 'impersonates' | 'api'>> {
  const ways = [
    accounts !== undefined && '--accounts',
    impersonate === true && '--impersonate',
    api !== undefined && '--api',
  ].filter((way) => way !== false);
  if (ways.length > 1) throw new UsageError(`${ways.join(' and ')} are two ways into accounts: give one`);
  if (api === undefined) {
    const lonely = [
      apiUser !== undefined && '--api-user',
      apiSecretFile !== undefined && '--api-secret-file',
      host !== undefined && '--host',
    ].find((flag) => flag !== false);
    if (lonely !== undefined) throw new UsageError(`${lonely} is for --api`);
  }
  const privilege = api === undefined ? undefined : await import('../../lib/privilege/ejabberd-api.js');
  return {
    accounts,
    impersonates: impersonate === true,
    api:
      api === undefined || !privilege
        ? undefined
        : {
            url: privilege.parseApiUrl(api),
            user: apiUser === undefined ? undefined : parseUser(apiUser),
            secretFile: apiSecretFile,
            host,
          },
  };
}

function parseUser(text: string): JID {
  const jid = JID.parse(text);
  if (jid.local === undefined || jid.resource !== undefined)
    throw new UsageError(`--api-user takes the address of an account, not ${text}`);
  return jid;
}
