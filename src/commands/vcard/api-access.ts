/** Into all accounts of an ejabberd through its commands: they change, and the account that logs in reads back. */
import { passwordFromFile } from '../../lib/config/password-sources.js';
import type { Context } from '../../lib/context.js';
import { UsageError } from '../../lib/errors.js';
import { JID } from '../../lib/jid/jid.js';
import { BlindRequester, sendByApi } from '../../lib/privilege/blind-requester.js';
import { EjabberdApi, type ApiCredentials } from '../../lib/privilege/ejabberd-api.js';
import type { Session } from '../../lib/session/session.js';
import type { ApiOptions } from './access-flags.js';
import type { AccountAccess } from './account-access.js';

/** @throws UsageError no secret @throws AuthError @throws ConnectError @throws FileError */
export async function openApiAccess(
  options: ApiOptions,
  listed: readonly JID[] | undefined,
  context: Context,
): Promise<AccountAccess> {
  const connectOptions = await context.connectOptions();
  const { tls, timeoutMs, credentials: own } = connectOptions;
  const session = await context.connect({ credentials: own });
  let api: EjabberdApi | undefined;
  try {
    const password = session.kind === 'client' ? own.password : undefined;
    api = new EjabberdApi({
      url: options.url,
      credentials: await findCredentials(options, context, password && { jid: session.jid.bare, password }),
      trust: { ca: tls?.ca, isInsecure: tls?.isInsecure },
      pins: tls?.pins ?? [],
      timeoutMs,
    });
    const accounts = listed ?? (await allOf(options.host ?? hostOf(session), api, context));
    const send = sendByApi(api);
    const opened = api;
    return {
      accounts,
      isConnectionShared: true,
      name: listed?.[0]?.domain ?? options.host ?? session.jid.domain,
      withAccount: (account, work) =>
        work({ account, requester: new BlindRequester(session, send, account), isBlind: true }),
      [Symbol.asyncDispose]: async () => {
        opened.close();
        await session.close();
      },
    };
  } catch (error) {
    api?.close();
    await session.close();
    throw error;
  }
}

/** A component is no account of the host that is meant. */
function hostOf({ kind, jid }: Session): string {
  if (kind === 'client') return jid.domain;
  throw new UsageError('a component has to be told whose cards are meant', { hint: '--host DOMAIN' });
}

async function allOf(
  host: string,
  api: EjabberdApi,
  { signal, output }: Pick<Context, 'signal' | 'output'>,
): Promise<JID[]> {
  const accounts: JID[] = [];
  for (const name of await api.registeredUsers(host, { signal })) {
    try {
      accounts.push(JID.fromParts({ local: name, domain: host, resource: undefined }));
    } catch {
      output.warn(`an account of ${host} has a name that is no address: ${JSON.stringify(name)}`);
    }
  }
  return accounts;
}

/** The file, the environment, the keyring; the password of the account that logs in when nobody else is named. */
async function findCredentials(
  { user, secretFile }: ApiOptions,
  { env, prompt }: Pick<Context, 'env' | 'prompt'>,
  own: { jid: JID; password: () => Promise<string> } | undefined,
): Promise<ApiCredentials> {
  const secret = await givenSecret(secretFile, env);
  if (user) {
    const account = user.toString();
    return { kind: 'password', account, password: secret ?? (await storedPassword(account, prompt)) };
  }
  if (secret !== undefined) return { kind: 'token', token: secret };
  if (!own) return undefined;
  return { kind: 'password', account: own.jid.toString(), password: await own.password() };
}

async function givenSecret(file: string | undefined, env: Context['env']): Promise<string | undefined> {
  if (file !== undefined) return passwordFromFile(file);
  const given = env['XMPPCTL_API_SECRET'];
  if (given !== undefined && given !== '') return given;
  const givenFile = env['XMPPCTL_API_SECRET_FILE'];
  return givenFile === undefined || givenFile === '' ? undefined : passwordFromFile(givenFile);
}

async function storedPassword(account: string, prompt: Context['prompt']): Promise<string> {
  const { openKeyring } = await import('../../lib/config/keyring.js');
  // Nobody said that it is there, so a keyring that is missing or locked is no error.
  const stored = await openKeyring()
    .get(account)
    .catch(() => undefined);
  if (stored !== undefined) return stored;
  if (prompt.isAvailable) return prompt.secret(`Password for ${account}`);
  throw new UsageError(`no password for ${account}, and no terminal to ask at`, {
    hint: 'give it by --api-secret-file or XMPPCTL_API_SECRET',
  });
}
