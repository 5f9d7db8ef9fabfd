/** Shows a trace on stderr while it is recorded. */
import type { Writable } from 'node:stream';
import { PrettyPrinter, type PrettyPrinterOptions } from './pretty-printer.js';
import type { TraceRecord } from './record.js';
import { StanzaStream } from './stanza-stream.js';
import type { TraceSink } from './tracer.js';

export interface PrettySinkOptions extends PrettyPrinterOptions {
  stream: Writable;
  /** How much may wait for a slow reader, in bytes, before it is left out. */
  maxPending?: number;
}

export class PrettySink implements TraceSink {
  readonly #stream: Writable;
  readonly #maxPending: number;
  readonly #stanzas: StanzaStream;
  #leftOut = 0;

  constructor(options: PrettySinkOptions) {
    this.#stream = options.stream;
    this.#maxPending = options.maxPending ?? 16 * 1024 * 1024;
    const printer = new PrettyPrinter(options);
    this.#stanzas = new StanzaStream((happening) => this.#say(printer.print(happening)));
  }

  write(record: TraceRecord): void {
    this.#stanzas.push(record);
  }

  close(): Promise<void> {
    this.#stanzas.end();
    if (this.#stream.destroyed || !this.#stream.writable) return Promise.resolve();
    return new Promise((resolve) => this.#stream.write('', () => resolve()));
  }

  #say(text: string): void {
    if (this.#stream.destroyed || !this.#stream.writable) return;
    if (this.#stream.writableLength > this.#maxPending) {
      this.#leftOut += 1;
      return;
    }
    if (this.#leftOut > 0) {
      this.#stream.write(`* ${this.#leftOut} entries left out: the reader is slower than the stream\n`);
      this.#leftOut = 0;
    }
    this.#stream.write(text);
  }
}
