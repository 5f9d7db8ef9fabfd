/** What crosses a proxy, as it crosses, in the entries that `trace show` shows. */
import type { TraceRecord } from '../trace/record.js';
import type { TraceSink } from '../trace/tracer.js';
import { TraceView, type TraceEntry, type TraceFilter } from '../trace/view-trace.js';

/** A longer stanza is shown in pieces: what is watched must not fill memory. */
const maxShownLength = 1024 * 1024;
/** Entries that may wait for whoever reads them, before they are left out. */
const maxWaiting = 10_000;

export interface LiveViewOptions {
  filter: TraceFilter;
  /** @param startedMs when the record began, since the epoch. Resolves when there is room for more. */
  show: (entry: TraceEntry, startedMs: number) => Promise<void>;
  /** Told how many entries were left out, because the reader was slower than the streams. */
  onLeftOut: (count: number) => void;
}

export class LiveView implements TraceSink {
  readonly #options: LiveViewOptions;
  readonly #view: TraceView;
  #startedMs = 0;
  #waiting = 0;
  #leftOut = 0;
  #idle: (() => void) | undefined;

  constructor(options: LiveViewOptions) {
    this.#options = options;
    this.#view = new TraceView(options.filter, maxShownLength);
  }

  write(record: TraceRecord): void {
    if (record.kind === 'header') this.#startedMs = Date.parse(record.started);
    for (const entry of this.#view.push([record])) this.#show(entry);
  }

  async close(): Promise<void> {
    for (const entry of this.#view.end()) this.#show(entry);
    if (this.#waiting > 0) await new Promise<void>((resolve) => (this.#idle = resolve));
    if (this.#leftOut > 0) this.#options.onLeftOut(this.#leftOut);
  }

  #show(entry: TraceEntry): void {
    if (this.#waiting >= maxWaiting) {
      this.#leftOut += 1;
      return;
    }
    if (this.#waiting === 0 && this.#leftOut > 0) {
      this.#options.onLeftOut(this.#leftOut);
      this.#leftOut = 0;
    }
    this.#waiting += 1;
    const done = (): void => {
      this.#waiting -= 1;
      if (this.#waiting === 0) this.#idle?.();
    };
    // That results cannot be written ends the program elsewhere.
    this.#options.show(entry, this.#startedMs).then(done, done);
  }
}
