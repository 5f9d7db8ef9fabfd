/** An entry as `trace show` prints it for people. */
import { formatMs, type PrettyPrinter } from './pretty-printer.js';
import type { TraceEntry } from './view-trace.js';

/** The lines, each with its line feed; nothing for what is not worth a line. */
export function printEntry(entry: TraceEntry, printer: PrettyPrinter): string {
  if (entry.kind === 'event') {
    const { record } = entry;
    switch (record.kind) {
      case 'event':
        return printer.print({ kind: 'event', record });
      case 'connection':
        return printer.print({ kind: 'connection', record });
      case 'gap':
        return printer.print({ kind: 'gap', record });
    }
  }
  const { stanza, pair } = entry;
  const note = pair && `(round trip ${formatMs(pair.rttMs)}, request in record ${pair.replyTo})`;
  return printer.print({ kind: 'unit', unit: stanza.unit }, note);
}
