/**
 * What happened to each account, written as it happens: a list in JSON, or a table in CSV.
 */
import type { AccountResult } from './convert-account.js';
import type { ByteTarget } from './write-export.js';

export type ReportFormat = 'json' | 'csv';

const CSV_HEAD = 'account,outcome,made,reason,warnings\n';
/** Written in blocks. */
const BLOCK_LENGTH = 64 * 1024;

export class ReportFile {
  #pending = '';
  #count = 0;

  constructor(
    private readonly target: ByteTarget,
    private readonly format: ReportFormat,
  ) {
    this.#pending = format === 'csv' ? CSV_HEAD : '[\n';
  }

  async add({ account, outcome, made, reason, warnings }: AccountResult): Promise<void> {
    if (this.format === 'csv') {
      const told = warnings.map(({ code, element, value }) => `${code} ${element}: ${value}`).join('; ');
      this.#pending += `${[account, outcome, made.join(' '), reason ?? '', told].map(csvField).join(',')}\n`;
    } else {
      const entry = JSON.stringify({
        account,
        outcome,
        made,
        ...(reason !== undefined && { reason }),
        warnings,
      });
      this.#pending += `${this.#count > 0 ? ',\n' : ''}${entry}`;
    }
    this.#count += 1;
    if (this.#pending.length >= BLOCK_LENGTH) await this.#write();
  }

  async finish(): Promise<void> {
    if (this.format === 'json') this.#pending += '\n]\n';
    await this.#write();
    await this.target.finish();
  }

  abort(): Promise<void> {
    return this.target.abort();
  }

  async #write(): Promise<void> {
    const text = this.#pending;
    this.#pending = '';
    await this.target.write(Buffer.from(text));
  }
}

/** RFC 4180. What a spreadsheet would take for a formula is made text of. */
function csvField(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
