/** What became of the accounts of an export, in numbers. */
import type { AccountResult } from '../../lib/vcard/xep0227/convert-account.js';

export class OfflineSummary {
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
