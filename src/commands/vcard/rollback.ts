import { defineCommand } from '../../lib/command/definition.js';
import type { Context } from '../../lib/context.js';
import { restoreAccount } from '../../lib/vcard/migration/restore-account.js';
import { accessFlags } from './access-flags.js';
import { journalTexts, runOnJournal, toJournalOptions, type JournalOptions } from './journal-command.js';

export const command = defineCommand({
  path: 'vcard rollback',
  summary: 'put back what was there before a migration',
  description:
    'For each account that a run of xmppctl vcard migrate has changed, or was about to change when it was ended, the items are put back as they were, what was not there is removed, and nodes get back who may read them. Log in as for the migration. Ended in the middle, it goes on when it is started again.',
  examples: [
    {
      does: 'take back the move of the own card',
      line: 'xmppctl vcard rollback vcard-migrate-juliet@example.org.journal',
    },
  ],
  sections: journalTexts.sections,
  exitCodes: { 1: 'some accounts could not be put back' },
  completes: journalTexts.completes,
  build: (command) =>
    command
      .argument('<journal>', 'the journal of the migration')
      .addOption(accessFlags.accounts)
      .addOption(accessFlags.impersonate)
      .addOption(accessFlags.api)
      .addOption(accessFlags.apiUser)
      .addOption(accessFlags.apiSecretFile)
      .option('--concurrency <n>', 'accounts at a time (default 10)'),
  parse: ([journal], flags) => toJournalOptions(journal, flags),
  run: runRollback,
});

/** @throws NegativeError some could not be put back */
export async function runRollback(options: JournalOptions, context: Context): Promise<void> {
  const { signal } = context;
  await runOnJournal(
    options,
    {
      good: 'before',
      isReadOnly: false,
      isMeant: ({ before, isRolledBack }) => before !== undefined && !isRolledBack,
      work: async (handle, { before, planned }, journal) => {
        if (before) await restoreAccount(handle, { before, planned }, { signal });
        await journal.rolledBack(handle.account.toString());
        return [];
      },
    },
    context,
  );
}
