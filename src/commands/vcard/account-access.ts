/**
 * The ways into accounts that are migrated, verified or taken back: the own one, those of a list with passwords, or all
 * of a host, through a component that has the privilege (XEP-0356) or may send in their names, or through ejabberd's
 * commands.
 */
import { readPrivateFile, readTextFile } from '../../lib/config/private-file.js';
import type { ChosenAccount } from '../../lib/config/choose-account.js';
import { configPaths } from '../../lib/config/paths.js';
import type { Context } from '../../lib/context.js';
import { RemoteError, TimeoutError, UsageError } from '../../lib/errors.js';
import { JID } from '../../lib/jid/jid.js';
import type { PrivilegeGrants, WantedGrant } from '../../lib/privilege/grants.js';
import { NS_PUBSUB, NS_PUBSUB_OWNER } from '../../lib/pubsub/stanzas.js';
import type { Session } from '../../lib/session/session.js';
import { NS_VCARD_TEMP } from '../../lib/vcard/card.js';
import type { AccountHandle } from '../../lib/vcard/migration/account-state.js';
import type { ListedAccount } from '../../lib/vcard/migration/parse-accounts.js';
import type { ApiOptions } from './access-flags.js';

export interface AccessOptions {
  /** A CSV file with passwords. */
  accounts: string | undefined;
  /** A file with a list of addresses; a component works on these. */
  only?: string | undefined;
  /** The same, known already. */
  listed?: readonly string[];
  /** A component sends in the name of accounts, without a privilege that could be asked for. */
  impersonates: boolean;
  /** ejabberd's commands send in the name of accounts. */
  api: ApiOptions | undefined;
  /** Nothing is going to be changed. */
  isReadOnly?: boolean;
}

export interface AccountAccess extends AsyncDisposable {
  /** Whose cards are meant. */
  accounts: readonly JID[];
  /** One connection for all. */
  isConnectionShared: boolean;
  /** What it is called when nobody says: the host, or the account. */
  name: string;
  /** Calls `work` with something that speaks for the account. */
  withAccount<T>(account: JID, work: (handle: AccountHandle) => Promise<T>): Promise<T>;
}

/** @throws UsageError a component without a list @throws FileError @throws ConnectError @throws AuthError */
export async function openAccess(
  { accounts, only, listed: known, impersonates, api, isReadOnly = false }: AccessOptions,
  context: Context,
): Promise<AccountAccess> {
  const listed =
    known?.map((address) => JID.parse(address)) ?? (only === undefined ? undefined : await readList(only));
  if (accounts !== undefined) return openList(accounts, listed, context);
  if (api) {
    const { openApiAccess } = await import('./api-access.js');
    return openApiAccess(api, listed, context);
  }
  const { PrivilegeGrants } = await import('../../lib/privilege/grants.js');
  const grants = new PrivilegeGrants();
  const session = await context.connect({ onOnline: (opened) => grants.listen(opened) });
  const close = (): Promise<void> => session.close();
  if (impersonates && session.kind === 'client') {
    await session.close();
    throw new UsageError('--impersonate is for a component', { hint: '--component NAME' });
  }
  if (session.kind === 'client') {
    const own = session.jid.bare;
    return {
      accounts: !listed || listed.some((account) => account.equals(own)) ? [own] : [],
      isConnectionShared: true,
      name: own.toString(),
      withAccount: (account, work) => work({ account, requester: session }),
      [Symbol.asyncDispose]: close,
    };
  }
  if (!listed) {
    await session.close();
    throw new UsageError('a component has to be told whose cards are meant', {
      hint: 'prosodyctl shell user list HOST >users.txt, and --only users.txt',
    });
  }
  let handleOf: HandleOf;
  try {
    handleOf = impersonates
      ? await impersonating(session)
      : await privileged(session, grants, listed, isReadOnly);
  } catch (error) {
    await session.close();
    throw error;
  }
  return {
    accounts: listed,
    isConnectionShared: true,
    name: listed[0]?.domain ?? session.jid.domain,
    withAccount: (account, work) => work(handleOf(account)),
    [Symbol.asyncDispose]: close,
  };
}

type HandleOf = (account: JID) => AccountHandle;

/** @throws RemoteError no host of the list lets us do what has to be done */
async function privileged(
  session: Session,
  grants: PrivilegeGrants,
  listed: readonly JID[],
  isReadOnly: boolean,
): Promise<HandleOf> {
  const [{ PrivilegedRequester }, { queryInfo }] = await Promise.all([
    import('../../lib/privilege/privileged-requester.js'),
    import('../../lib/disco/query.js'),
  ]);
  const hosts = [...new Set(listed.map(({ domain }) => domain))].slice(0, MAX_ASKED_HOSTS);
  for (const host of hosts) {
    // Whatever it answers: what it grants was said before.
    await queryInfo(session, JID.parse(host)).catch((error: unknown) => {
      if (!(error instanceof RemoteError || error instanceof TimeoutError)) throw error;
    });
  }
  // Reading in the own name shows what is open to all: enough to see what would be done, and whether it was.
  const readsAsAnybody = (host: string): boolean => isReadOnly && grants.of(host)?.version === 1;
  const obstacleAt = (host: string): RemoteError | undefined =>
    readsAsAnybody(host) ? undefined : grants.obstacle(host, neededGrants);
  const obstacles = hosts.map(obstacleAt);
  const [first] = obstacles;
  if (first && !obstacles.includes(undefined)) throw first;
  return (account) => {
    if (readsAsAnybody(account.domain)) return { account, requester: session, isBlind: true };
    const obstacle = obstacleAt(account.domain);
    const requester = obstacle
      ? { request: () => Promise.reject(obstacle) }
      : new PrivilegedRequester(session, account);
    return { account, requester };
  };
}

/** Hosts on one server are few; a list of accounts elsewhere is a mistake that the first of them show. */
const MAX_ASKED_HOSTS = 20;

const neededGrants: readonly WantedGrant[] = [NS_PUBSUB, NS_PUBSUB_OWNER, NS_VCARD_TEMP].flatMap(
  (namespace) =>
    namespace === NS_VCARD_TEMP
      ? [{ namespace, type: 'get' }]
      : [
          { namespace, type: 'get' },
          { namespace, type: 'set' },
        ],
);

async function impersonating(session: Session): Promise<HandleOf> {
  const { BlindRequester, sendAsComponent } = await import('../../lib/privilege/blind-requester.js');
  const send = sendAsComponent(session);
  return (account) => ({ account, requester: new BlindRequester(session, send, account), isBlind: true });
}

async function openList(
  file: string,
  wanted: readonly JID[] | undefined,
  context: Context,
): Promise<AccountAccess> {
  const { parseAccounts } = await import('../../lib/vcard/migration/parse-accounts.js');
  const all = parseAccounts(await readPrivateFile(file, 'the list of accounts'), file);
  const listed = wanted ? all.filter(({ account }) => wanted.some((one) => one.equals(account))) : all;
  const { connectOptionsFor } = await import('../../lib/config/account-connect-options.js');
  const paths = configPaths(context.env);
  const byAddress = new Map<string, ListedAccount>(listed.map((one) => [one.account.toString(), one]));
  return {
    accounts: listed.map(({ account }) => account),
    isConnectionShared: false,
    name: all[0]?.account.domain ?? 'accounts',
    withAccount: async (account, work) => {
      const one = byAddress.get(account.toString());
      if (!one) throw new UsageError(`${account.toString()} is not in ${file}`);
      await using session = await context.connect({
        ...(await connectOptionsFor(asAccount(account), context, paths)),
        credentials: { password: () => Promise.resolve(one.password) },
      });
      return await work({ account, requester: session });
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** Reached as the options say; no profile has a part in it. */
function asAccount(jid: JID): ChosenAccount {
  return { kind: 'client', isAnonymous: false, jid, name: undefined, profile: undefined };
}

async function readList(file: string): Promise<JID[]> {
  const { parseAccountList } = await import('../../lib/vcard/xep0227/select-accounts.js');
  return [...parseAccountList(await readTextFile(file, 'the list of accounts'), file)].map((address) =>
    JID.parse(address),
  );
}
