/**
 * `vcard migrate --from … --to …`: an export of one server made into an import for another (XEP-0227), without any
 * server.
 */
import { stat } from 'node:fs/promises';
import type { Context } from '../../lib/context.js';
import { FileError, UsageError } from '../../lib/errors.js';
import { Option } from '@commander-js/extra-typings';
import { reasonOf } from '../../lib/config/private-file.js';
import type { AccountPlan } from '../../lib/vcard/xep0227/convert-account.js';
import type { ExportReader } from '../../lib/vcard/xep0227/read-export.js';
import type { ExportWriter } from '../../lib/vcard/xep0227/write-export.js';
import {
  choose,
  parseLimit,
  parseMaxAvatar,
  parseSelection,
  type MigrationFlags,
} from './migration-flags.js';
import { MAX_TOLD, openReport, showDiff, Summary } from './migration-report.js';

export const layouts = ['ejabberd', 'prosody'] as const;
export type Layout = (typeof layouts)[number];

export interface OfflineOptions {
  /** A file, a folder, or `-`. */
  from: string;
  /** The same; undefined for a dry run. */
  to: string | undefined;
  layout: Layout;
  isReplacing: boolean;
  showsDiff: boolean;
  existing: AccountPlan['existing'];
  access: AccountPlan['access'];
  dates: AccountPlan['dates'];
  maxAvatarBytes: number;
  isWanted: ((account: string) => boolean) | undefined;
  limit: number | undefined;
  /** A file for what happened to each account. */
  report: string | undefined;
}

/** What the flags of the command say, as they were typed. */
export interface OfflineFlags extends MigrationFlags {
  from?: string | undefined;
  to?: string | undefined;
  layout?: string | undefined;
}

/** What only files want; the other flags mean the same for accounts on a server. */
export const offlineOptions = {
  from: new Option('--from <path>', 'an export of a server (XEP-0227): a file, a folder, or - for stdin'),
  to: new Option(
    '--to <path>',
    'where the import goes: a folder, a file whose name ends in .xml, or - for stdout',
  ),
  layout: new Option('--layout <server>', 'the server that will read it: ejabberd or prosody'),
  force: new Option('--force', 'replace what --to names'),
};

export const offlineTexts = {
  description:
    'With --from an export of a server is read (XEP-0227) and an import for another one is written, without any server. Everything of an account goes along unchanged: contacts, messages, private data. What changes is the card and the picture, which become PEP nodes for Prosody and a vcard-temp for ejabberd, and the credentials: ejabberd encodes them twice and Prosody once, so that nobody could log in otherwise.',
  sections: [
    {
      title: 'FILES',
      text: [
        'Input of any size is read in constant memory. --from names what ejabberd exports (its main file, or the folder), or what Prosody does (a folder with a file for each account). Files that include others (XInclude) find them below their own folder only, and so do accounts: what cannot be included there concerns the one account, which is told as failed.',
        '--layout prosody writes a folder with a file NAME@HOST.xml for each account, as prosody-migrator reads it; --layout ejabberd a folder with main.xml and a file for each host. With a name that ends in .xml, or -, everything is one document.',
        'The output appears under its name when it is complete. A broken input, a full disk or a signal leave nothing behind, and what is there already is replaced with --force only. The files hold passwords: nobody but their owner can read them.',
        'What would end the import of ejabberd in the middle is repaired or left out, and told: base64 that is none, broken credentials, and pictures of more than 187,000 bytes, which are beyond its max_payload_size. If yours is larger, say so with --max-avatar.',
        'An account whose name cannot be one, that is there twice, or whose elements nobody can understand is told and counted; it stops no other.',
      ].join('\n\n'),
    },
    {
      title: 'REPORT OF FILES',
      text: 'An entry for each account: account; outcome (migrated, skipped because it has a card already, empty because there is nothing to migrate, failed); made (card, avatar, credentials); reason, where it was skipped or failed; and warnings, each with code, element and value.',
    },
  ],
  examples: [
    {
      does: 'make files for Prosody of what ejabberdctl export_piefxis wrote into a folder',
      line: 'xmppctl vcard migrate --from /var/backups/ejabberd --to import --layout prosody --report report.csv',
    },
    {
      does: 'see what would be lost, without writing anything',
      line: 'xmppctl vcard migrate --from export.xml --layout prosody --dry-run --report report.json',
    },
    {
      does: 'make files for ejabberdctl import_piefxis of those that prosody-migrator wrote',
      line: 'xmppctl vcard migrate --from /var/lib/prosody --to import --layout ejabberd',
    },
  ],
};

export const offlineCompletes = {
  '--from': 'file',
  '--to': 'file',
  '--layout': layouts,
} as const;

/** Undefined: nothing was said of files. @throws UsageError */
export async function parseOffline(flags: OfflineFlags): Promise<OfflineOptions | undefined> {
  const { from, to } = flags;
  if (from === undefined) {
    if (to !== undefined || flags.layout !== undefined)
      throw new UsageError('--to and --layout want --from, the export to read');
    return undefined;
  }
  if (flags.layout === undefined)
    throw new UsageError('--from wants --layout, the server that will read the result: ejabberd or prosody');
  const isDryRun = flags.dryRun === true;
  if (flags.diff === true && to === '-' && !isDryRun)
    throw new UsageError('--diff and --to - would both write to stdout');
  if (to === undefined && !isDryRun) throw new UsageError('--from wants --to, or --dry-run');
  const layout = choose('layout', flags.layout, layouts);
  const maxAvatarBytes = parseMaxAvatar(flags.maxAvatar, largestAvatar[layout]);
  return {
    from,
    to: isDryRun ? undefined : to,
    layout,
    isReplacing: flags.force === true,
    showsDiff: flags.diff === true,
    existing: choose('existing', flags.existing ?? 'skip', ['skip', 'merge', 'overwrite']),
    access: choose('access', flags.access ?? 'keep', ['open', 'presence', 'keep']),
    dates: choose('dates', flags.dates ?? 'extended', ['extended', 'rfc']),
    maxAvatarBytes,
    isWanted: await parseSelection(flags),
    limit: parseLimit(flags.limit),
    report: flags.report,
  };
}

/** COMPAT(ejabberd 23.01): its import ends at a picture that is more than max_payload_size (250,000) in base64. */
const largestAvatar: Readonly<Record<Layout, number>> = {
  prosody: Number.MAX_SAFE_INTEGER,
  ejabberd: 187_000,
};

export async function runOffline(options: OfflineOptions, context: Context): Promise<void> {
  const { output, signal } = context;
  const { migrateExport } = await import('../../lib/vcard/xep0227/migrate-export.js');
  const plan: AccountPlan = {
    cards: options.layout === 'prosody' ? 'vcard4' : 'vcard-temp',
    scram: options.layout === 'prosody' ? 'single' : 'double',
    server: options.layout,
    existing: options.existing,
    access: options.access,
    maxAvatarBytes: options.maxAvatarBytes,
    dates: options.dates,
    keepsCards: options.showsDiff,
  };
  const input = await openInput(options.from, context);
  const writer = options.to === undefined ? undefined : await openOutput(options.to, options, context);
  const report = options.report === undefined ? undefined : await openReport(options.report);
  const summary = new Summary();
  const bar = output.progress(options.from === '-' ? 'stdin' : options.from, 'bytes');
  const foreign = new Set<string>();
  try {
    await migrateExport(
      {
        plan,
        writer,
        selection: { isWanted: options.isWanted, limit: options.limit },
        inputBytes: input.bytes,
        signal,
        onAccount: async (result) => {
          summary.add(result);
          if (result.outcome === 'failed' && summary.counts.failed <= MAX_TOLD)
            output.warn(`${result.account}: ${result.reason ?? 'it could not be converted'}`);
          if (options.showsDiff) await showDiff(result, output);
          await report?.add(result);
        },
        onProgress: (bytes) =>
          bar.update(bytes, input.bytes, `${summary.total} accounts, ${summary.counts.failed} failed`),
        onForeign: (name, file) => {
          if (foreign.has(name)) return;
          foreign.add(name);
          output.warn(`${file} has <${name}/> beside its hosts and accounts, which was left out`);
        },
      },
      input.read,
    );
    await report?.finish();
  } catch (error) {
    await report?.abort();
    throw error;
  } finally {
    bar.stop();
  }
  // The one who writes to stdout has said everything.
  if (options.to !== '-') await output.result(summary.toJson(), () => summary.render());
  summary.throwIfFailed();
}

interface OfflineInput {
  read: (reader: ExportReader) => Promise<void>;
  /** Of all files together, where that is known. */
  bytes: number | undefined;
}

async function openInput(from: string, { stdin }: Context): Promise<OfflineInput> {
  if (from === '-') return { read: (reader) => reader.readStream(stdin, 'stdin'), bytes: undefined };
  let found;
  try {
    found = await stat(from);
  } catch (error) {
    throw new FileError(`cannot read ${from}: ${reasonOf(error)}`, { cause: error });
  }
  const { findExportFiles, sizeOfExport } = await import('../../lib/vcard/xep0227/find-export.js');
  if (!found.isDirectory()) {
    const bytes = found.isFile() ? await sizeOfExport([from]) : undefined;
    return { read: (reader) => reader.readFile(from), bytes };
  }
  const files = await findExportFiles(from);
  const [first = ''] = files;
  return {
    read: (reader) => (files.length === 1 ? reader.readFile(first) : reader.readFiles(files)),
    bytes: await sizeOfExport(files),
  };
}

async function openOutput(
  to: string,
  { layout, isReplacing }: OfflineOptions,
  context: Context,
): Promise<ExportWriter> {
  const { DocumentWriter, EjabberdFolderWriter, ProsodyFolderWriter, openFileTarget } =
    await import('../../lib/vcard/xep0227/write-export.js');
  const { output } = context;
  const nothing = (): Promise<void> => Promise.resolve();
  if (to === '-') {
    return new DocumentWriter({
      write: (bytes) => output.bytes(bytes),
      finish: () => output.flush(),
      abort: nothing,
    });
  }
  const isFolder = await isFolderName(to);
  const { stage } = await import('../../lib/vcard/xep0227/staging.js');
  const staging = await stage(to, { isFolder, isReplacing });
  if (!isFolder) return new DocumentWriter(await openFileTarget(to, staging));
  return layout === 'prosody' ? new ProsodyFolderWriter(to, staging) : new EjabberdFolderWriter(to, staging);
}

/** A folder that is there, or a name that is not that of an XML file. */
async function isFolderName(name: string): Promise<boolean> {
  const found = await stat(name).catch(() => undefined);
  return found ? found.isDirectory() : !name.endsWith('.xml');
}
