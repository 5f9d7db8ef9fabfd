/** `trace show`, of stanzas and events. */
import type { Context } from '../../lib/context.js';
import { safeJson, safeText } from '../../lib/output/safe-text.js';
import type { Finding } from '../../lib/trace-analysis/findings.js';
import type { TraceLinter } from '../../lib/trace-analysis/lint.js';
import { encodeEntry } from '../../lib/trace/entry-json.js';
import { LineBuffer } from '../../lib/trace/line-buffer.js';
import { ManagedCounter } from '../../lib/trace/managed-count.js';
import { PrettyPrinter } from '../../lib/trace/pretty-printer.js';
import { printEntryTo } from '../../lib/trace/print-entry.js';
import type { TraceRecord } from '../../lib/trace/record.js';
import { TraceView, type TraceEntry } from '../../lib/trace/view-trace.js';
import type { ShowOptions } from './show.js';
import { readRecords } from './trace-input.js';

/** What is printed at once: a system call each is most of the price of a line. */
const batchBytes = 64 * 1024;

/** @throws UsageError @throws FileError */
export async function showEntries(options: ShowOptions, context: Context): Promise<void> {
  const { filter, since, file, isFollowing, isRepairing, isCounting } = options;
  const { output } = context;
  const newView = (sinceMs?: number): TraceView =>
    new TraceView(
      { ...filter, ...(sinceMs !== undefined && { sinceMs }) },
      undefined,
      isCounting ? new ManagedCounter() : undefined,
    );
  let view = newView();
  let startedMs = 0;
  const warnings = options.isLinting ? await Warnings.open(context) : undefined;
  const printer = new PrettyPrinter({ style: output.style });
  const lines = new LineBuffer();
  const print = (entry: TraceEntry): void => {
    const findings = warnings?.behind(entry) ?? [];
    if (output.isJson) {
      const json = encodeEntry(entry, startedMs, findings.length > 0 ? { findings } : undefined);
      lines.append(output.isTerminal ? safeJson(json) : json);
    } else printEntryTo(lines, entry, printer);
    for (const finding of findings) lines.append(warnings?.render(finding) ?? '');
  };
  const show = async (entries: readonly TraceEntry[]): Promise<void> => {
    for (const entry of entries) {
      print(entry);
      if (lines.length >= batchBytes) await output.bytes(lines.take());
    }
    if (lines.length > 0) await output.bytes(lines.take());
  };
  const records = readRecords(file, context, {
    isFollowing,
    isRepairing,
    wantsData: (conn, dir) => warnings !== undefined || view.wantsData(conn, dir),
  });
  for await (const batch of records) {
    const [first] = batch;
    if (first?.kind === 'header') {
      startedMs = Date.parse(first.started);
      if (since) view = newView(since(startedMs));
    }
    warnings?.push(batch);
    await show(view.push(batch));
  }
  warnings?.end();
  await show(view.end());
  for (const finding of warnings?.rest() ?? [])
    lines.append(
      output.isJson
        ? `${JSON.stringify({ kind: 'finding', ...finding })}\n`
        : (warnings?.render(finding) ?? ''),
    );
  if (lines.length > 0) await output.bytes(lines.take());
  await output.flush();
}

/** What `trace lint` finds, for the stanzas it is about. */
class Warnings {
  readonly #found = new Map<number, Finding[]>();
  /** What is known at the end only: requests that nobody answered. */
  #rest: Finding[] = [];

  private constructor(
    private readonly linter: TraceLinter,
    private readonly context: Context,
  ) {}

  static async open(context: Context): Promise<Warnings> {
    const lint = await import('../../lib/trace-analysis/lint.js');
    return new Warnings(new lint.TraceLinter(), context);
  }

  push(records: readonly TraceRecord[]): void {
    // What was found before and belongs to nothing that is shown is not kept.
    this.#found.clear();
    for (const finding of this.linter.push(records)) {
      const n = finding.records.at(-1);
      if (n === undefined) continue;
      const same = this.#found.get(n);
      if (same) same.push(finding);
      else this.#found.set(n, [finding]);
    }
  }

  end(): void {
    this.#rest = this.linter.end();
  }

  /** Takes what was found in a stanza. */
  behind(entry: TraceEntry): Finding[] {
    if (entry.kind === 'event') return [];
    const { n } = entry.stanza.unit;
    const findings = this.#found.get(n) ?? [];
    this.#found.delete(n);
    return findings;
  }

  rest(): Finding[] {
    return this.#rest;
  }

  /** A line for people; nothing in JSON, where it is a part of the stanza. */
  render({ message, code, spec, records }: Finding): string {
    const { output } = this.context;
    if (output.isJson) return '';
    const { style } = output;
    const place = records.length > 1 ? ` (records ${records.join(', ')})` : '';
    const text = `${safeText(message, { singleLine: true })}${place} [${code}]`;
    return `${style.warning(`! ${text}`)} ${style.dim(`(${spec})`)}\n`;
  }
}
