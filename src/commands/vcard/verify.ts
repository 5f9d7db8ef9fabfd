import { defineCommand } from '../../lib/command/definition.js';
import type { Context } from '../../lib/context.js';
import { verifyAccount } from '../../lib/vcard/migration/verify-account.js';
import { accessFlags } from './access-flags.js';
import { journalTexts, runOnJournal, toJournalOptions, type JournalOptions } from './journal-command.js';

export const command = defineCommand({
  path: 'vcard verify',
  summary: 'compare what a migration published with what is there',
  description:
    'Reads back the card and the picture of each account that a run of xmppctl vcard migrate has changed, and compares them with what it published, as its journal says. Log in as for the migration.',
  examples: [
    { does: 'check the own card', line: 'xmppctl vcard verify vcard-migrate-juliet@example.org.journal' },
    {
      does: 'check all accounts of a host',
      line: 'xmppctl --component migrate.example.org vcard verify vcard-migrate-example.org.journal',
    },
  ],
  sections: journalTexts.sections,
  exitCodes: { 1: 'something is not as it was published' },
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
  run: runVerify,
});

/** @throws NegativeError something differs */
export async function runVerify(options: JournalOptions, context: Context): Promise<void> {
  const { signal } = context;
  await runOnJournal(
    options,
    {
      good: 'published',
      isReadOnly: true,
      isMeant: ({ done, planned, isRolledBack }) =>
        done?.outcome === 'migrated' && planned !== undefined && !isRolledBack,
      work: (handle, { planned }) =>
        planned ? verifyAccount(handle, planned, { signal }) : Promise.resolve([]),
    },
    context,
  );
}
