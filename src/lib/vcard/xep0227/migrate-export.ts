/**
 * An export of one server made into an import for another: reads, converts (on all processors) and writes in the order
 * of the input. What fails for one account stops no other.
 */
import { AccountAdmission } from './admit-account.js';
import { convertAccount, type AccountPlan, type AccountResult } from './convert-account.js';
import type { ConvertedBatch } from './convert-batch.js';
import { createConvertPool, type ConvertPool } from './convert-pool.js';
import { markSmall, openLargeAccount } from './large-account.js';
import { OutputBuffer } from './output-buffer.js';
import {
  ExportReader,
  type AccountBatch,
  type AccountSink,
  type LargeSink,
  type ReadLimits,
} from './read-export.js';
import type { MarkedAccount } from './scan-document.js';
import { refuseFileName, type ExportWriter } from './write-export.js';

export interface ExportSelection {
  /** By address; all when undefined. */
  isWanted?: ((account: string) => boolean) | undefined;
  /** How many at most. */
  limit?: number | undefined;
}

export interface ExportMigration {
  plan: AccountPlan;
  /** Undefined: nothing is written. */
  writer: ExportWriter | undefined;
  selection: ExportSelection;
  /** Of the input, where it is known. */
  inputBytes: number | undefined;
  signal: AbortSignal;
  onAccount: (result: AccountResult) => Promise<void> | void;
  onProgress: (bytes: number) => void;
  onForeign: (name: string, file: string) => void;
  limits?: ReadLimits;
}

/**
 * @param read what makes the reader read: a file, several or a stream
 * @throws FileError the input is broken, or the output cannot be written; then nothing is left of the output
 */
export async function migrateExport(
  migration: ExportMigration,
  read: (reader: ExportReader) => Promise<void>,
): Promise<void> {
  const pool = createConvertPool(migration.plan, migration.inputBytes);
  try {
    const run = new ExportRun(migration, pool);
    await read(new ExportReader(run, migration.signal, migration.limits));
    await run.drain();
    migration.signal.throwIfAborted();
    await migration.writer?.finish(run.hosts);
  } catch (error) {
    await migration.writer?.abort();
    throw error;
  } finally {
    await pool.close();
  }
}

class ExportRun implements AccountSink {
  readonly #migration: ExportMigration;
  readonly #pool: ConvertPool;
  readonly #queue: Promise<ConvertedBatch>[] = [];
  readonly #admission = new AccountAdmission();
  readonly #hosts = new Set<string>();
  #accepted = 0;
  /** Accounts that were accepted for conversion, and of how many of them the result was told. */
  #handedOn = 0;
  #told = 0;
  readonly #refused: { behind: number; result: AccountResult }[] = [];

  constructor(migration: ExportMigration, pool: ConvertPool) {
    this.#migration = migration;
    this.#pool = pool;
  }

  get hosts(): readonly string[] {
    return [...this.#hosts];
  }

  get isSated(): boolean {
    const { limit } = this.#migration.selection;
    return limit !== undefined && this.#accepted >= limit;
  }

  accepts(account: MarkedAccount): boolean {
    const { selection } = this.#migration;
    if (this.isSated) return false;
    const reason = this.#admission.prepare(account);
    const address = `${account.preparedName ?? account.name}@${account.host}`;
    if (selection.isWanted?.(address) === false) return false;
    this.#accepted += 1;
    const failure =
      reason ??
      this.#admission.refuseTwice(address) ??
      (this.#migration.writer?.writesFilePerAccount === true
        ? refuseFileName(account.host, account.preparedName ?? account.name)
        : undefined);
    if (failure === undefined) {
      this.#handedOn += 1;
      return true;
    }
    const result: AccountResult = {
      account: address,
      outcome: 'failed',
      made: [],
      warnings: [],
      reason: failure,
    };
    this.#refused.push({ behind: this.#handedOn, result });
    return false;
  }

  host(jid: string): void {
    const host = this.#admission.prepareHost(jid);
    if (host !== undefined) this.#hosts.add(host);
  }

  foreign(name: string, file: string): void {
    this.#migration.onForeign(name, file);
  }

  progress(bytes: number): void {
    this.#migration.onProgress(bytes);
  }

  take(bytes: number): Buffer<ArrayBuffer> {
    return this.#pool.take(bytes);
  }

  async batch(batch: AccountBatch): Promise<void> {
    const converted = this.#pool.convert(batch);
    // It is waited for in its turn; until then nobody minds.
    converted.catch(() => undefined);
    this.#queue.push(converted);
    while (this.#queue.length >= this.#pool.capacity) await this.#writeFirst();
  }

  async drain(): Promise<void> {
    while (this.#queue.length > 0) await this.#writeFirst();
    await this.#tellRefused();
  }

  async #writeFirst(): Promise<void> {
    const batch = await this.#queue.shift();
    if (!batch) return;
    const { writer } = this.#migration;
    if (batch.accounts.length > 0) await writer?.accounts(batch.output, batch.accounts);
    this.#pool.giveBack(batch.output.buffer);
    for (const result of batch.results) await this.#tell(result);
  }

  /** In the order of the input, with those before it that were not handed on. */
  async #tell(result: AccountResult): Promise<void> {
    await this.#tellRefused();
    await this.#migration.onAccount(result);
    this.#told += 1;
  }

  async #tellRefused(): Promise<void> {
    while ((this.#refused[0]?.behind ?? Infinity) <= this.#told) {
      const refused = this.#refused.shift();
      if (refused) await this.#migration.onAccount(refused.result);
    }
  }

  /** What cannot be changed is written as it comes, and what can be at the end, as if it were an account of its own. */
  async large(account: MarkedAccount, startTag: Buffer): Promise<LargeSink> {
    await this.drain();
    const { plan, writer: destination } = this.#migration;
    const { host, name, preparedName = name } = account;
    const writer = await destination?.large(host, preparedName);
    const tag = openLargeAccount(account, startTag);
    await writer?.write(tag);
    const children: Buffer[] = [];
    return {
      write: async (bytes) => writer?.write(bytes),
      child: (bytes) => children.push(bytes),
      end: async (failure) => {
        const small = markSmall(account, tag, children);
        const output = new OutputBuffer(64 * 1024);
        const result = convertAccount(small.bytes, small.account, plan, output);
        const bytes = output.finish();
        // The start tag has been written.
        await writer?.write(bytes.subarray(bytes.indexOf('>') + 1));
        await writer?.end();
        await this.#tell(failure === undefined ? result : { ...result, outcome: 'failed', reason: failure });
      },
    };
  }
}
