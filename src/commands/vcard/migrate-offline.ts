/**
 * `vcard migrate --from … --to …`: an export of one server made into an import for another (XEP-0227), without any
 * server.
 */
import { stat } from 'node:fs/promises';
import type { Context } from '../../lib/context.js';
import { FileError, NegativeError, UsageError } from '../../lib/errors.js';
import { reasonOf } from '../../lib/config/private-file.js';
import type { AccountPlan, AccountResult } from '../../lib/vcard/xep0227/convert-account.js';
import type { ExportReader } from '../../lib/vcard/xep0227/read-export.js';
import type { ExportWriter } from '../../lib/vcard/xep0227/write-export.js';

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
}

/** What the flags of the command say, as they were typed. */
export interface OfflineFlags {
  from?: string | undefined;
  to?: string | undefined;
  layout?: string | undefined;
  force?: true | undefined;
  dryRun?: true | undefined;
}

/** Undefined: nothing was said of files. @throws UsageError */
export function parseOffline(
  flags: OfflineFlags,
): Pick<OfflineOptions, 'from' | 'to' | 'layout' | 'isReplacing'> | undefined {
  const { from, to, layout: given } = flags;
  if (from === undefined) {
    if (to !== undefined || given !== undefined)
      throw new UsageError('--to and --layout want --from, the export to read');
    return undefined;
  }
  const layout = layouts.find((name) => name === given);
  if (given === undefined)
    throw new UsageError('--from wants --layout, the server that will read the result: ejabberd or prosody');
  if (!layout) throw new UsageError(`--layout takes ${layouts.join(' or ')}, not ${given}`);
  const isDryRun = flags.dryRun === true;
  if (to === undefined && !isDryRun) throw new UsageError('--from wants --to, or --dry-run');
  return { from, to: isDryRun ? undefined : to, layout, isReplacing: flags.force === true };
}

/** Of failures as many are told one by one; all of them are in the report. */
const MAX_TOLD = 20;

export async function runOffline(
  options: OfflineOptions,
  context: Context,
  onAccount?: (result: AccountResult) => Promise<void>,
): Promise<void> {
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
          await onAccount?.(result);
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
  } finally {
    bar.stop();
  }
  // The one who writes to stdout has said everything.
  if (options.to !== '-') await output.result(summary.toJson(), () => summary.render());
  const { failed } = summary.counts;
  if (failed > 0) {
    throw new NegativeError(
      `${failed} of ${summary.total} accounts could not be migrated as they should be`,
      {
        ...(failed > MAX_TOLD && { hint: '--report FILE says why, for each of them' }),
        details: { failed, accounts: summary.total },
      },
    );
  }
}

class Summary {
  readonly counts = { migrated: 0, skipped: 0, empty: 0, failed: 0 };
  readonly #made: Record<string, number> = {};
  readonly #warnings: Record<string, number> = {};

  get total(): number {
    return Object.values(this.counts).reduce((sum, count) => sum + count, 0);
  }

  add({ outcome, made, warnings }: AccountResult): void {
    this.counts[outcome] += 1;
    for (const what of made) this.#made[what] = (this.#made[what] ?? 0) + 1;
    for (const { code } of warnings) this.#warnings[code] = (this.#warnings[code] ?? 0) + 1;
  }

  toJson() {
    return { accounts: this.total, ...this.counts, made: this.#made, warnings: this.#warnings };
  }

  render(): string {
    const line = (counts: Readonly<Record<string, number>>): string =>
      Object.entries(counts)
        .filter(([, count]) => count > 0)
        .map(([name, count]) => `${count} ${name}`)
        .join(', ');
    return [
      `${this.total} accounts: ${line(this.counts) || 'none'}`,
      ...(Object.keys(this.#made).length > 0 ? [`made: ${line(this.#made)}`] : []),
      ...(Object.keys(this.#warnings).length > 0 ? [`warnings: ${line(this.#warnings)}`] : []),
    ].join('\n');
  }
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
  const { findExportFiles, sizeOfExport } = await import('../../lib/vcard/xep0227/read-export.js');
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
