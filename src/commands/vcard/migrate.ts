import { defineCommand } from '../../lib/command/definition.js';
import type { Context } from '../../lib/context.js';
import { UsageError } from '../../lib/errors.js';
import {
  offlineCompletes,
  offlineOptions,
  offlineTexts,
  parseOffline,
  runOffline,
  type OfflineOptions,
} from './migrate-offline.js';
import {
  onlineCompletes,
  onlineOptions,
  onlineTexts,
  parseOnline,
  runOnline,
  type OnlineOptions,
} from './migrate-online.js';

/** What makes no sense for files. */
const serverOnly = Object.values(onlineOptions);

type MigrateOptions = ({ where: 'files' } & OfflineOptions) | ({ where: 'server' } & OnlineOptions);

export const command = defineCommand({
  path: 'vcard migrate',
  summary: 'move profiles and pictures from vcard-temp to vCard4',
  description: [
    'Moves the profiles and pictures of accounts from vcard-temp (XEP-0054) to vCard4 in PEP (XEP-0292) and to the avatars of XEP-0084, and says for each account what was made, what was repaired and what was lost.',
    onlineTexts.description,
    offlineTexts.description,
  ].join('\n\n'),
  sections: [...onlineTexts.sections, ...offlineTexts.sections],
  examples: [...onlineTexts.examples, ...offlineTexts.examples],
  exitCodes: { 1: 'some accounts could not be migrated as they should be; all others were' },
  completes: {
    ...offlineCompletes,
    ...onlineCompletes,
    '--existing': ['skip', 'merge', 'overwrite'],
    '--access': ['open', 'presence', 'keep'],
    '--dates': ['extended', 'rfc'],
    '--max-avatar': 'none',
    '--only': 'file',
    '--shard': 'none',
    '--limit': 'none',
    '--report': 'file',
  },
  build: (command) =>
    command
      .addOption(onlineOptions.accounts)
      .addOption(onlineOptions.impersonate)
      .addOption(onlineOptions.api)
      .addOption(onlineOptions.apiUser)
      .addOption(onlineOptions.apiSecretFile)
      .addOption(onlineOptions.host)
      .addOption(onlineOptions.fetchPhotos)
      .addOption(onlineOptions.fetchAnywhere)
      .addOption(onlineOptions.journal)
      .addOption(onlineOptions.concurrency)
      .addOption(onlineOptions.rate)
      .addOption(offlineOptions.from)
      .addOption(offlineOptions.to)
      .addOption(offlineOptions.layout)
      .addOption(offlineOptions.force)
      .option('--dry-run', 'change nothing, only report')
      .option('--diff', 'show how each card changes')
      .option(
        '--report <file>',
        'write what happened to each account: JSON, or CSV to a name that ends in .csv',
      )
      .option('--existing <policy>', 'where there is a card already: skip, merge or overwrite (default skip)')
      .option(
        '--access <model>',
        'who may read: open, presence, or keep what an existing node has (default keep; new ones are open, as vcard-temp is)',
      )
      .option('--dates <form>', 'of birthdays: extended, as clients read them, or rfc (default extended)')
      .option('--max-avatar <size>', 'leave larger pictures out (default for ejabberd 187000 bytes)')
      .option('--only <file>', 'only the accounts of a list, an address on each line')
      .option('--shard <i/n>', 'only part i of n; together the parts are all')
      .option('--limit <n>', 'only the first n accounts'),
  parse: async (_args, flags): Promise<MigrateOptions> => {
    const offline = await parseOffline(flags);
    const misplaced = offline && serverOnly.find((option) => Object.hasOwn(flags, option.attributeName()));
    if (misplaced) throw new UsageError(`${misplaced.long} is for accounts on a server, and not for --from`);
    return offline ? { where: 'files', ...offline } : { where: 'server', ...(await parseOnline(flags)) };
  },
  run: (options, context: Context) =>
    options.where === 'files' ? runOffline(options, context) : runOnline(options, context),
});
