/** `vcard migrate` on a server: the cards and pictures of accounts, through whatever way leads to them. */
import { Option } from '@commander-js/extra-typings';
import type { Context } from '../../lib/context.js';
import { UsageError } from '../../lib/errors.js';
import { forEachAccount } from '../../lib/vcard/migration/for-each-account.js';
import { Journal } from '../../lib/vcard/migration/journal.js';
import { migrateAccount } from '../../lib/vcard/migration/migrate-account.js';
import type { MigrationPolicy } from '../../lib/vcard/migration/plan-account.js';
import { accountsOption, impersonateOption, openAccess, type AccountAccess } from './account-access.js';
import {
  choose,
  parseLimit,
  parseMaxAvatar,
  parseSelection,
  type MigrationFlags,
} from './migration-flags.js';
import { MAX_TOLD, openReport, showDiff, Summary } from './migration-report.js';

export interface OnlineOptions {
  accounts: string | undefined;
  only: string | undefined;
  impersonates: boolean;
  policy: MigrationPolicy;
  isDryRun: boolean;
  showsDiff: boolean;
  journal: string | undefined;
  concurrency: number;
  rate: number | undefined;
  isWanted: ((account: string) => boolean) | undefined;
  limit: number | undefined;
  report: string | undefined;
}

interface OnlineFlags extends MigrationFlags {
  impersonate?: true | undefined;
  accounts?: string | undefined;
  journal?: string | undefined;
  concurrency?: string | undefined;
  rate?: string | undefined;
}

export const onlineOptions = {
  accounts: accountsOption(),
  impersonate: impersonateOption(),
  journal: new Option(
    '--journal <file>',
    'where it is written what was there before and what is done (default vcard-migrate-NAME.journal)',
  ),
  concurrency: new Option('--concurrency <n>', 'accounts at a time (default 10)'),
  rate: new Option('--rate <n>', 'at most so many accounts a second'),
};

export const onlineCompletes = {
  '--accounts': 'file',
  '--journal': 'file',
  '--concurrency': 'none',
  '--rate': 'none',
} as const;

export const onlineTexts = {
  description:
    'Without --from the accounts are on a server: the own one; with --accounts those of a list, each with its password; and when the account that logs in is a component (--component, XEP-0114) which the server privileges (XEP-0356), those of --only. What was there before is saved in a journal first, so that a run that was ended goes on when it is started again, nothing is done twice, and xmppctl vcard rollback takes everything back.',
  sections: [
    {
      title: 'ACCOUNTS ON A SERVER',
      text: [
        'For each account its vcard-temp is read, and published as vCard4 and as avatar: first the picture, then what points to it, then the card. An account without a card is counted as empty, one that has all of it already as skipped.',
        'An existing vCard4 stays as it is, unless --existing merge adds what it lacks or --existing overwrite replaces it. An existing node keeps who may read it, unless --access says otherwise; a new one is open, as a vcard-temp has always been.',
        'An account that fails stops no other. When the connection is lost, or with Ctrl-C, start the same command again: what is done is not done again.',
        'ejabberd before 24.10 knows no such privilege. There a component behind a listener with check_from: false may send in the name of accounts, which --impersonate does: nothing is answered, so each account is read back. A card in a node that the component may not read is told as failed; a picture in such a node is there already and stays.',
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
    { does: 'see what would be done', line: 'xmppctl vcard migrate --accounts people.csv --dry-run --diff' },
  ],
};

/** @throws UsageError */
export async function parseOnline(flags: OnlineFlags): Promise<OnlineOptions> {
  if (flags.force === true) throw new UsageError('--force wants --to, the import to write');
  const maxAvatarBytes = parseMaxAvatar(flags.maxAvatar, Number.MAX_SAFE_INTEGER);
  return {
    accounts: flags.accounts,
    only: flags.only,
    impersonates: flags.impersonate === true,
    policy: {
      existing: choose('existing', flags.existing ?? 'skip', ['skip', 'merge', 'overwrite']),
      access: choose('access', flags.access ?? 'keep', ['open', 'presence', 'keep']),
      dates: choose('dates', flags.dates ?? 'extended', ['extended', 'rfc']),
      maxAvatarBytes,
    },
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
  await using access = await openAccess(options, context);
  await using journal = options.isDryRun
    ? undefined
    : await Journal.open(options.journal ?? `vcard-migrate-${access.name}.journal`);
  const wanted = access.accounts
    .filter((account) => options.isWanted?.(account.toString()) ?? true)
    .slice(0, options.limit);
  const left = wanted.filter((account) => !journal?.isDone(account.toString()));
  if (left.length < wanted.length)
    output.note(`going on: ${wanted.length - left.length} of ${wanted.length} accounts are done`);
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
        const work = { policy, journal, signal };
        await tell(await access.withAccount(account, (handle) => migrateAccount(handle, work)));
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

export function paceOf(
  access: AccountAccess,
  { concurrency, rate }: { concurrency: number; rate?: number | undefined },
  signal: AbortSignal,
): Parameters<typeof forEachAccount>[1] {
  return { concurrency, rate, isConnectionShared: access.isConnectionShared, signal };
}
