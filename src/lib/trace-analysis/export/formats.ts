/** In which forms a trace can be handed to others. */
import type { HeaderRecord } from '../../trace/record.js';
import type { TraceEntry } from '../../trace/view-trace.js';

export const exportFormats = ['html', 'md', 'json', 'scansion', 'pcapng'] as const;
export type ExportFormat = (typeof exportFormats)[number];

/** Turns batches of entries into pieces of text; nothing of what has passed is kept. */
export interface TraceWriter {
  /** @param title what the trace is called */
  begin(title: string): string;
  write(entries: readonly TraceEntry[], header: HeaderRecord): string;
  end(): string;
}
