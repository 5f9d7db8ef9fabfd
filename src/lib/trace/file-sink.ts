/**
 * Writes a trace to a file, one JSON object a line, without ever holding up what is traced.
 */
import { isUtf8 } from 'node:buffer';
import type { FileHandle } from 'node:fs/promises';
import { LineBuffer } from './line-buffer.js';
import { dataRecord, encodeRecord, type DataRecord, type TraceRecord } from './record.js';
import { systemReason } from './system-reason.js';
import type { TraceSink } from './tracer.js';

export interface FileSinkOptions {
  /** Open for writing, and closed by the sink. */
  file: Pick<FileHandle, 'write' | 'truncate' | 'close'>;
  /** A regular file can be cut back after a half-written line; a pipe cannot. */
  isRegular: boolean;
  /** Told once, on one line, when records are lost. */
  warn: (message: string) => void;
  /** How much may wait to be written, in bytes, before records are dropped. */
  maxPending?: number;
}

/** Records wait this long for company: a write for each of them would cost more than the recording. */
const gatherMs = 20;
const gatherLength = 256 * 1024;

/** Numbers of records that could not be kept. */
interface Loss {
  from: number;
  to: number;
  reason: string;
}

export class FileSink implements TraceSink {
  readonly takesBytes = true;
  readonly #options: FileSinkOptions;
  readonly #maxPending: number;
  #header = '';
  readonly #pending = new LineBuffer();
  /** Numbers of the first and the last record in `#pending`. */
  #first = 0;
  #last = 0;
  #loss: Loss | undefined;
  /** Bytes written for good: the end of the last whole line. */
  #offset = 0;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> | undefined;
  #isWriting = false;
  #isDead = false;
  #hasWarned = false;

  constructor(options: FileSinkOptions) {
    this.#options = options;
    this.#maxPending = options.maxPending ?? 64 * 1024 * 1024;
  }

  write(record: TraceRecord, bytes?: Uint8Array): void {
    const n = 'n' in record ? record.n : 0;
    if (record.kind === 'header') this.#header = encodeRecord(record);
    if (this.#isDead || this.#pending.length >= this.#maxPending) {
      this.#lose(n, n, this.#isDead ? 'closed' : 'the disk is slower than the stream');
      return;
    }
    if (this.#pending.length === 0) this.#first = this.#loss?.from ?? n;
    this.#last = n;
    if (this.#loss) this.#pending.append(this.#takeGap());
    if (bytes && record.kind === 'data') this.#appendData(record, bytes);
    else this.#pending.append(encodeRecord(record));
    this.#schedule();
  }

  #appendData(record: DataRecord, bytes: Uint8Array): void {
    const { n, t, conn, dir, redacted } = record;
    if (redacted === undefined && isUtf8(bytes)) this.#pending.appendText(record, bytes);
    else
      this.#pending.append(
        encodeRecord({ ...dataRecord(n, t, conn, dir, bytes), ...(redacted && { redacted }) }),
      );
  }

  /** Nothing waits to be written. */
  get isIdle(): boolean {
    return !this.#isWriting && this.#pending.length === 0;
  }

  async close(): Promise<void> {
    await this.#writing;
    if (!this.#isDead) this.#pending.append(this.#takeGap());
    while (this.#pending.length > 0) {
      this.#start();
      await this.#writing;
    }
    try {
      await this.#options.file.close();
    } catch (error) {
      this.#warn(systemReason(error));
    }
  }

  /** The line that says what was lost; it goes before the next record, so that the file keeps the order of the stream. */
  #takeGap(): string {
    const loss = this.#loss;
    if (!loss) return '';
    this.#loss = undefined;
    const gap = encodeRecord({ kind: 'gap', ...loss, from: Math.max(1, loss.from) });
    // Without its first line a trace cannot be read at all.
    return loss.from === 0 ? this.#header + gap : gap;
  }

  #schedule(): void {
    if (this.#isWriting || this.#pending.length === 0) return;
    if (this.#pending.length >= gatherLength) this.#start();
    else this.#timer ??= setTimeout(() => this.#start(), gatherMs).unref();
  }

  #start(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#isWriting) return;
    this.#isWriting = true;
    this.#writing = this.#writeBatch().finally(() => {
      this.#isWriting = false;
      this.#schedule();
    });
  }

  /** Writes what waits. Never rejects. */
  async #writeBatch(): Promise<void> {
    const [first, last] = [this.#first, this.#last];
    const batch = this.#pending.take();
    try {
      await this.#writeAll(batch);
      this.#pending.recycle(batch);
    } catch (error) {
      await this.#recover(error, first, last);
    }
  }

  async #writeAll(batch: Uint8Array): Promise<void> {
    const { file, isRegular } = this.#options;
    let written = 0;
    while (written < batch.length) {
      const position = isRegular ? this.#offset + written : null;
      written += (await file.write(batch, written, batch.length - written, position)).bytesWritten;
    }
    this.#offset += written;
  }

  async #recover(error: unknown, first: number, last: number): Promise<void> {
    const reason = systemReason(error);
    this.#warn(reason);
    if (!this.#options.isRegular) {
      // A pipe may hold half a line now, and nobody can take it back.
      this.#isDead = true;
      this.#pending.take();
      return;
    }
    try {
      await this.#options.file.truncate(this.#offset);
    } catch {
      this.#isDead = true;
      this.#pending.take();
      return;
    }
    const later = this.#loss;
    this.#loss = { from: first, to: last, reason };
    if (this.#pending.length === 0) {
      // Nothing came since: the gap waits for the next record.
      if (later) this.#loss.to = later.to;
      return;
    }
    this.#pending.prepend(this.#takeGap());
    this.#first = first;
    this.#loss = later;
  }

  #lose(from: number, to: number, reason: string): void {
    this.#loss = this.#loss ? { ...this.#loss, to: Math.max(to, this.#loss.to) } : { from, to, reason };
    this.#warn(reason);
  }

  #warn(reason: string): void {
    if (this.#hasWarned) return;
    this.#hasWarned = true;
    this.#options.warn(`the trace is incomplete: it could not be written (${reason})`);
  }
}
