/** An entry as `trace show` prints it for people. */
import type { LineBuffer } from './line-buffer.js';
import { describeCount } from './managed-count.js';
import { formatMs, type PrettyPrinter } from './pretty-printer.js';
import type { Happening } from './stanza-stream.js';
import type { TraceEntry } from './view-trace.js';

/** The lines, each with its line feed; nothing for what is not worth a line. */
export function printEntry(entry: TraceEntry, printer: PrettyPrinter): string {
  const { happening, note } = happeningOf(entry);
  return printer.print(happening, note);
}

/** The same, appended as bytes. */
export function printEntryTo(target: LineBuffer, entry: TraceEntry, printer: PrettyPrinter): void {
  const { happening, note } = happeningOf(entry);
  printer.printTo(target, happening, note);
}

function happeningOf(entry: TraceEntry): { happening: Happening; note: string | undefined } {
  if (entry.kind !== 'event') {
    const { stanza, pair, count } = entry;
    const notes = [
      ...(pair ? [`(round trip ${formatMs(pair.rttMs)}, request in record ${pair.replyTo})`] : []),
      ...(count ? [describeCount(count)] : []),
    ];
    const note = notes.length === 0 ? undefined : notes.join(' ');
    return { happening: { kind: 'unit', unit: stanza.unit }, note };
  }
  const { record } = entry;
  switch (record.kind) {
    case 'event':
      return { happening: { kind: 'event', record }, note: undefined };
    case 'connection':
      return { happening: { kind: 'connection', record }, note: undefined };
    case 'gap':
      return { happening: { kind: 'gap', record }, note: undefined };
  }
}
