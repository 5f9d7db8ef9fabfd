/** What a migration says about accounts, with or without a server: the report file, differences, the summary. */
import type { Output } from '../../lib/output/output.js';
import { NegativeError } from '../../lib/errors.js';
import { safeText } from '../../lib/output/safe-text.js';
import type { AccountResult } from '../../lib/vcard/xep0227/convert-account.js';
import type { ReportFile } from '../../lib/vcard/xep0227/report-file.js';

/** Of failures as many are told one by one; all of them are in the report. */
export const MAX_TOLD = 20;

export async function openReport(file: string): Promise<ReportFile> {
  const [{ ReportFile }, { stage }, { openFileTarget }] = await Promise.all([
    import('../../lib/vcard/xep0227/report-file.js'),
    import('../../lib/vcard/xep0227/staging.js'),
    import('../../lib/vcard/xep0227/write-export.js'),
  ]);
  const target = await openFileTarget(file, await stage(file, { isFolder: false, isReplacing: true }));
  return new ReportFile(target, file.endsWith('.csv') ? 'csv' : 'json');
}

export async function showDiff({ account, before, after }: AccountResult, output: Output): Promise<void> {
  const { diffCards } = await import('../../lib/vcard/xep0227/card-diff.js');
  const lines = diffCards(before, after);
  if (!lines) return;
  const { style } = output;
  const paint = (line: string): string => {
    const text = safeText(line);
    return line.startsWith('+') ? style.good(text) : line.startsWith('-') ? style.bad(text) : text;
  };
  await output.item({ account, diff: lines }, () =>
    [style.strong(safeText(account)), ...lines.map(paint), ''].join('\n'),
  );
}

export class Summary {
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

  /** @throws NegativeError some accounts failed */
  throwIfFailed(): void {
    const { failed } = this.counts;
    if (failed === 0) return;
    throw new NegativeError(`${failed} of ${this.total} accounts could not be migrated as they should be`, {
      ...(failed > MAX_TOLD && { hint: '--report FILE says why, for each of them' }),
      details: { failed, accounts: this.total },
    });
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
      `${this.total} ${this.total === 1 ? 'account' : 'accounts'}: ${line(this.counts) || 'none'}`,
      ...(Object.keys(this.#made).length > 0 ? [`made: ${line(this.#made)}`] : []),
      ...(Object.keys(this.#warnings).length > 0 ? [`warnings: ${line(this.#warnings)}`] : []),
    ].join('\n');
  }
}
