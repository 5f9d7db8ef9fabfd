/** `vcard migrate` on a server: the cards and pictures of accounts, through whatever way leads to them. */
import { Option } from '@commander-js/extra-typings';
import type { Context } from '../../lib/context.js';
import { UsageError } from '../../lib/errors.js';
import type { AccountHandle } from '../../lib/vcard/migration/account-state.js';
import { forEachAccount } from '../../lib/vcard/migration/for-each-account.js';
import { Journal } from '../../lib/vcard/migration/journal.js';
import { migrateAccount } from '../../lib/vcard/migration/migrate-account.js';
import type { MigrationPolicy } from '../../lib/vcard/migration/plan-account.js';
import { withPatience } from '../../lib/vcard/migration/with-patience.js';
import { accessCompletes, accessFlags, parseAccess, type AccessFlags } from './access-flags.js';
import { openAccess, type AccessOptions, type AccountAccess } from './account-access.js';
import {
  choose,
  parseLimit,
  parseMaxAvatar,
  parseSelection,
  type MigrationFlags,
} from './migration-flags.js';
import type { PhotoSource } from '../../lib/vcard/photos/embed-photo.js';
import { MAX_TOLD, openReport, showDiff, Summary } from './migration-report.js';

export interface OnlineOptions extends Pick<AccessOptions, 'accounts' | 'impersonates' | 'api'> {
  only: string | undefined;
  policy: MigrationPolicy;
  /** Undefined: nothing is fetched. */
  photos: 'public' | 'anywhere' | undefined;
  isDryRun: boolean;
  showsDiff: boolean;
  journal: string | undefined;
  concurrency: number;
  rate: number | undefined;
  isWanted: ((account: string) => boolean) | undefined;
  limit: number | undefined;
  report: string | undefined;
}

interface OnlineFlags extends MigrationFlags, AccessFlags {
  journal?: string | undefined;
  concurrency?: string | undefined;
  rate?: string | undefined;
  fetchPhotos?: true | undefined;
  fetchAnywhere?: true | undefined;
}

export const onlineOptions = {
  ...accessFlags,
  host: new Option(
    '--host <domain>',
    'with --api and without --only: all accounts of this host (default that of the account)',
  ),
  journal: new Option(
    '--journal <file>',
    'where it is written what was there before and what is done (default vcard-migrate-NAME.journal)',
  ),
  fetchPhotos: new Option(
    '--fetch-photos',
    'fetch pictures that a card only links to, and make them avatars',
  ),
  fetchAnywhere: new Option(
    '--fetch-anywhere',
    'with --fetch-photos: also without TLS and from addresses that are not public',
  ),
  concurrency: new Option('--concurrency <n>', 'accounts at a time (default 10)'),
  rate: new Option('--rate <n>', 'at most so many accounts a second'),
};

export const onlineCompletes = {
  ...accessCompletes,
  '--host': 'none',
  '--journal': 'file',
  '--concurrency': 'none',
  '--rate': 'none',
} as const;

export const onlineTexts = {
  description:
    'Without --from the accounts are on a server: the own one; with --accounts those of a list, each with its password; when the account that logs in is a component (--component, XEP-0114) which the server privileges (XEP-0356), those of --only; and with --api all of an ejabberd. What was there before is saved in a journal first, so that a run that was ended goes on when it is started again, nothing is done twice, and xmppctl vcard rollback takes everything back.',
  sections: [
    {
      title: 'ACCOUNTS ON A SERVER',
      text: [
        'For each account its vcard-temp is read, and published as vCard4 and as avatar: first the picture, then what points to it, then the card. An account without a card is counted as empty, one that has all of it already as skipped.',
        'An existing vCard4 stays as it is, unless --existing merge adds what it lacks or --existing overwrite replaces it. An existing node keeps who may read it, unless --access says otherwise; a new one is open, as a vcard-temp has always been.',
        'With --fetch-photos a picture that a card only links to (EXTVAL) is fetched and becomes the avatar. People wrote these links, so only https: is followed, to public addresses, three redirects far, for 20 seconds, and as long as what comes is a picture of no more than --max-avatar or 1 MB; unless --fetch-anywhere allows the rest of the network. What could not be fetched stays a link, and is told as photo-not-fetched.',
        'An account that fails stops no other. When the connection is lost, or with Ctrl-C, start the same command again: what is done is not done again.',
        'ejabberd before 24.10 knows no such privilege, and there are two ways round that. A component behind a listener with check_from: false may send in the name of accounts, which --impersonate does. And with --api the command send_stanza does it, over HTTPS: --api https://xmpp.example.org:5443/api is where mod_http_api answers, and whoever calls needs send_stanza (of mod_admin_extra) and registered_users among the api_permissions. Either way nothing is answered, so each account is read back, by the component or the account that logs in. What an account shows to its contacts only cannot be read: a card there is told as failed, and a picture there stays as it is (avatar-hidden).',
        'Who calls the commands is --api-user, with the password in --api-secret-file, XMPPCTL_API_SECRET, XMPPCTL_API_SECRET_FILE or the keyring; without --api-user the secret is a token of OAuth; and without a secret it is the account that logs in. They are called one after the other whatever --concurrency says: of calls at the same time ejabberd loses some, and answers all of them with success. --ca, --insecure and --tls-pin hold there as for the account that logs in; where the two have other certificates, --tls-pin is given twice. Without --only all accounts of the host are meant.',
        'A component needs the privilege on each host, for Prosody: privileged_entities = { ["migrate.example.org"] = { iq = { ["http://jabber.org/protocol/pubsub"] = "both"; ["http://jabber.org/protocol/pubsub#owner"] = "both"; ["vcard-temp"] = "both" } } }, with "privilege" in modules_enabled of the host and of the component.',
      ].join('\n\n'),
    },
  ],
  examples: [
    { does: 'move the own card and picture', line: 'xmppctl vcard migrate' },
    {
      does: 'move all accounts of a host',
      line: 'xmppctl --component migrate.example.org vcard migrate --only users.txt --report report.csv',
    },
    {
      does: 'move all accounts of an ejabberd, as its administrator',
      line: 'xmppctl --jid admin@example.org vcard migrate --api https://xmpp.example.org:5443/api',
    },
    { does: 'see what would be done', line: 'xmppctl vcard migrate --accounts people.csv --dry-run --diff' },
  ],
};

/** @throws UsageError */
export async function parseOnline(flags: OnlineFlags): Promise<OnlineOptions> {
  if (flags.force === true) throw new UsageError('--force wants --to, the import to write');
  const maxAvatarBytes = parseMaxAvatar(flags.maxAvatar, Number.MAX_SAFE_INTEGER);
  const way = await parseAccess(flags);
  if (flags.access === 'presence' && (way.impersonates || way.api !== undefined))
    throw new UsageError('--access presence hides what is published from whoever reads it back', {
      hint: 'with --api and --impersonate it is --access open, or keep',
    });
  return {
    ...way,
    only: flags.only,
    policy: {
      existing: choose('existing', flags.existing ?? 'skip', ['skip', 'merge', 'overwrite']),
      access: choose('access', flags.access ?? 'keep', ['open', 'presence', 'keep']),
      dates: choose('dates', flags.dates ?? 'extended', ['extended', 'rfc']),
      maxAvatarBytes,
    },
    photos: parsePhotos(flags),
    isDryRun: flags.dryRun === true,
    showsDiff: flags.diff === true,
    journal: flags.journal,
    concurrency: parseCount('--concurrency', flags.concurrency, 1000) ?? 10,
    rate: parseCount('--rate', flags.rate, 100_000),
    isWanted: await parseSelection(flags),
    limit: parseLimit(flags.limit),
    report: flags.report,
  };
}

function parsePhotos({ fetchPhotos, fetchAnywhere }: OnlineFlags): OnlineOptions['photos'] {
  if (fetchPhotos === true) return fetchAnywhere === true ? 'anywhere' : 'public';
  if (fetchAnywhere === true) throw new UsageError('--fetch-anywhere is for --fetch-photos');
  return undefined;
}

export function parseCount(flag: string, given: string | undefined, max: number): number | undefined {
  if (given === undefined) return undefined;
  const count = Number(given);
  if (!/^\d+$/.test(given) || count < 1 || count > max)
    throw new UsageError(`${flag} takes a number from 1 to ${max}, not ${given}`);
  return count;
}

/** @throws NegativeError some accounts failed */
export async function runOnline(options: OnlineOptions, context: Context): Promise<void> {
  const { output, signal } = context;
  await using access = await openAccess({ ...options, isReadOnly: options.isDryRun }, context);
  await using journal = options.isDryRun
    ? undefined
    : await Journal.open(options.journal ?? `vcard-migrate-${access.name}.journal`);
  const wanted = access.accounts
    .filter((account) => options.isWanted?.(account.toString()) ?? true)
    .slice(0, options.limit);
  const left = wanted.filter((account) => !journal?.isDone(account.toString()));
  if (left.length < wanted.length) {
    const done = `${wanted.length - left.length} of ${wanted.length} accounts are done`;
    output.note(left.length > 0 ? `going on: ${done}` : `${done}: with another --journal it begins anew`);
  }
  const fetchPhoto = await photoSource(options, context);
  const report = options.report === undefined ? undefined : await openReport(options.report);
  const summary = new Summary();
  const bar = output.progress(access.name, 'items');
  const tell = async (result: Parameters<Summary['add']>[0]): Promise<void> => {
    summary.add(result);
    bar.update(summary.total, left.length, `${summary.counts.failed} failed`);
    if (options.showsDiff) await showDiff(result, output);
    await report?.add(result);
  };
  try {
    await forEachAccount(
      left,
      paceOf(access, options, signal),
      async (account) => {
        const { policy } = options;
        const work = { policy, journal, fetchPhoto, signal };
        const migrate = (handle: AccountHandle) =>
          withPatience(() => migrateAccount(handle, work), { signal });
        await tell(await access.withAccount(account, migrate));
      },
      async (account, error) => {
        if (summary.counts.failed < MAX_TOLD) output.warn(`${account.toString()}: ${error.message}`);
        await tell({
          account: account.toString(),
          outcome: 'failed',
          made: [],
          warnings: [],
          reason: error.message,
        });
      },
    );
    await report?.finish();
  } catch (error) {
    await report?.abort();
    throw error;
  } finally {
    bar.stop();
  }
  await output.result(summary.toJson(), () => summary.render());
  summary.throwIfFailed();
}

async function photoSource(
  { photos, policy }: OnlineOptions,
  context: Context,
): Promise<PhotoSource | undefined> {
  if (photos === undefined) return undefined;
  const [{ fetchPhoto, MAX_PHOTO_BYTES }, { tls }] = await Promise.all([
    import('../../lib/vcard/photos/fetch-photo.js'),
    context.connectOptions(),
  ]);
  const trust = { ca: tls?.ca, isInsecure: tls?.isInsecure };
  const maxBytes = Math.min(policy.maxAvatarBytes, MAX_PHOTO_BYTES);
  return (link) =>
    fetchPhoto(link, { maxBytes, isAnywhere: photos === 'anywhere', trust, signal: context.signal });
}

export function paceOf(
  access: AccountAccess,
  { concurrency, rate }: { concurrency: number; rate?: number | undefined },
  signal: AbortSignal,
): Parameters<typeof forEachAccount>[1] {
  return { concurrency, rate, isConnectionShared: access.isConnectionShared, signal };
}
