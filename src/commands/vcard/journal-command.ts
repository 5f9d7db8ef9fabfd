/** What `vcard verify` and `vcard rollback` have in common: the accounts of a journal, one after the other. */
import type { Context } from '../../lib/context.js';
import { NegativeError } from '../../lib/errors.js';
import type { AccountHandle } from '../../lib/vcard/migration/account-state.js';
import { forEachAccount } from '../../lib/vcard/migration/for-each-account.js';
import { Journal, type JournalAccount } from '../../lib/vcard/migration/journal.js';
import { withPatience } from '../../lib/vcard/migration/with-patience.js';
import { accessCompletes, parseAccess, type AccessFlags } from './access-flags.js';
import { openAccess, type AccessOptions } from './account-access.js';
import { paceOf, parseCount } from './migrate-online.js';
import { MAX_TOLD } from './migration-report.js';

export interface JournalOptions extends Pick<AccessOptions, 'accounts' | 'impersonates' | 'api'> {
  journal: string;
  concurrency: number;
}

interface JournalFlags extends AccessFlags {
  concurrency?: string | undefined;
}

/** What both say about themselves. */
export const journalTexts = {
  sections: [
    {
      title: 'JSON OUTPUT',
      text: 'One object: accounts and good (numbers), and wrong, a list of objects with account and problems.',
    },
  ],
  completes: { journal: 'file', ...accessCompletes, '--concurrency': 'none' },
} as const;

/** @throws UsageError */
export async function toJournalOptions(
  journal: string,
  { concurrency, ...flags }: JournalFlags,
): Promise<JournalOptions> {
  return {
    journal,
    ...(await parseAccess(flags)),
    concurrency: parseCount('--concurrency', concurrency, 1000) ?? 10,
  };
}

export interface JournalWork {
  /** How those are that it went well for: `published`. */
  good: string;
  isMeant: (entry: JournalAccount) => boolean;
  /** Nothing is going to be changed. */
  isReadOnly: boolean;
  /** @returns what is wrong; nothing when all is well */
  work: (handle: AccountHandle, entry: JournalAccount, journal: Journal) => Promise<readonly string[]>;
}

/** @throws NegativeError something is wrong with some of them */
export async function runOnJournal(
  { journal: file, concurrency, ...way }: JournalOptions,
  { good, isMeant, isReadOnly, work }: JournalWork,
  context: Context,
): Promise<void> {
  const { output, signal } = context;
  await using journal = await Journal.open(file, { mustExist: true });
  const meant = [...journal.accounts].filter(([, entry]) => isMeant(entry)).map(([account]) => account);
  await using access = await openAccess({ ...way, listed: meant, isReadOnly }, context);
  const reachable = new Set(access.accounts.map(String));
  const missing = meant.filter((account) => !reachable.has(account));
  const wrong: { account: string; problems: readonly string[] }[] = [];
  const fail = (account: string, problems: readonly string[]): void => {
    wrong.push({ account, problems });
    if (wrong.length <= MAX_TOLD) output.warn(`${account}: ${problems.join('; ')}`);
  };
  for (const account of missing) fail(account, ['this account cannot be reached with what is given']);
  const bar = output.progress(access.name, 'items');
  let count = 0;
  try {
    await forEachAccount(
      access.accounts,
      paceOf(access, { concurrency }, signal),
      async (account) => {
        const entry = journal.accounts.get(account.toString());
        if (!entry) return;
        const problems = await access.withAccount(account, (handle) =>
          withPatience(() => work(handle, entry, journal), { signal }),
        );
        if (problems.length > 0) fail(account.toString(), problems);
        count += 1;
        bar.update(count, meant.length, `${wrong.length} not`);
      },
      (account, error) => {
        fail(account.toString(), [error.message]);
        return Promise.resolve();
      },
    );
  } finally {
    bar.stop();
  }
  const facts = { accounts: meant.length, good: meant.length - wrong.length, wrong };
  const said = (number: number): string =>
    `${number} of ${meant.length} ${meant.length === 1 ? 'account' : 'accounts'}`;
  await output.result(facts, () => `${said(facts.good)} as ${good}`);
  if (wrong.length > 0) throw new NegativeError(`${said(wrong.length)} not as ${good}`);
}
