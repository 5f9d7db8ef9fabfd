/** Runs a migration of an export given as text, as `vcard migrate` does, and gives back what came out. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { AccountPlan, AccountResult } from '../../src/lib/vcard/xep0227/convert-account.js';
import { migrateExport, type ExportMigration } from '../../src/lib/vcard/xep0227/migrate-export.js';
import type { ReadLimits } from '../../src/lib/vcard/xep0227/read-export.js';
import { stage } from '../../src/lib/vcard/xep0227/staging.js';
import {
  DocumentWriter,
  EjabberdFolderWriter,
  openFileTarget,
  ProsodyFolderWriter,
} from '../../src/lib/vcard/xep0227/write-export.js';

export const toProsody: AccountPlan = {
  cards: 'vcard4',
  scram: 'single',
  server: 'prosody',
  existing: 'skip',
  access: 'open',
  maxAvatarBytes: 1_000_000,
  dates: 'extended',
  keepsCards: false,
};

export const toEjabberd: AccountPlan = {
  ...toProsody,
  cards: 'vcard-temp',
  scram: 'double',
  server: 'ejabberd',
};

export interface ConvertedExport {
  /** By name. */
  files: Record<string, string>;
  results: AccountResult[];
  foreign: string[];
}

export interface ConvertExportOptions {
  plan?: Partial<AccountPlan>;
  layout?: 'document' | 'ejabberd' | 'prosody';
  selection?: ExportMigration['selection'];
  limits?: ReadLimits;
  /** Files beside the export, which it may include. */
  beside?: Readonly<Record<string, string | Buffer>>;
}

export async function convertExport(
  text: string | Buffer,
  { plan, layout = 'document', selection = {}, limits, beside = {} }: ConvertExportOptions = {},
): Promise<ConvertedExport> {
  const folder = await mkdtemp(path.join(tmpdir(), 'xmppctl-convert-'));
  try {
    const input = path.join(folder, 'input.xml');
    await writeFile(input, text);
    for (const [name, content] of Object.entries(beside)) await writeFile(path.join(folder, name), content);
    const isFolder = layout !== 'document';
    const target = path.join(folder, isFolder ? 'output' : 'output.xml');
    const staging = await stage(target, { isFolder, isReplacing: false });
    const writer =
      layout === 'prosody'
        ? new ProsodyFolderWriter(target, staging)
        : layout === 'ejabberd'
          ? new EjabberdFolderWriter(target, staging)
          : new DocumentWriter(await openFileTarget(target, staging));
    const results: AccountResult[] = [];
    const foreign: string[] = [];
    const migration = {
      plan: { ...(layout === 'ejabberd' ? toEjabberd : toProsody), ...plan },
      writer,
      selection,
      inputBytes: undefined,
      signal: new AbortController().signal,
      onAccount: (result: AccountResult) => void results.push(result),
      onProgress: () => undefined,
      onForeign: (name: string) => foreign.push(name),
      ...(limits && { limits }),
    };
    try {
      await migrateExport(migration, (reader) => reader.readFile(input));
    } catch (error) {
      const left = (await readdir(folder)).filter((name) => name !== 'input.xml' && !(name in beside));
      if (left.length > 0) throw new Error(`something was left: ${left.join(', ')}`, { cause: error });
      throw error;
    }
    const files: Record<string, string> = {};
    for (const name of isFolder ? await readdir(target) : ['output.xml'])
      files[name] = await readFile(path.join(isFolder ? target : folder, name), 'utf8');
    return { files, results, foreign };
  } finally {
    await rm(folder, { recursive: true });
  }
}
