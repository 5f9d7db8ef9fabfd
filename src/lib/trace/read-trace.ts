/**
 * Reads a recorded trace as a stream: a line is forgotten when its record has been handed on, so a trace may be larger than memory.
 */
import { FileError, UsageError } from '../errors.js';
import { checkRecord, Damage, isHeader, isOurHeader } from './check-record.js';
import { TraceMender } from './mend-trace.js';
import { PlainRecordReader, type DataFilter } from './plain-record.js';
import { TRACE_VERSION, type TraceRecord } from './record.js';

export interface ReadTraceOptions {
  /** What the trace is called in messages. */
  name: string;
  /** Told on one line about what is odd and was borne. */
  warn: (message: string) => void;
  /** Told which line is damaged, and how; the line is left out. Without it the first one ends the reading. */
  skipDamage?: (line: number, what: string) => void;
  /** The caller looks at the order of the records itself; `warn` is not told of it. */
  judgesOrder?: boolean;
  /** What can be read is read, and put in order; `warn` is told of each gap. */
  isRepairing?: boolean;
  /** Data that nobody looks at comes with an empty text, which is cheaper. */
  wantsData?: DataFilter;
  /** Longer lines are refused; 256 MiB unless given. */
  maxLineBytes?: number;
}

const lineFeed = 0x0a;
const repairHint = { hint: 'with --repair what can be read of it is read' };

/**
 * Yields the records of a trace in batches, in order, the header first. Kinds of records that this version does not
 * know are left out; a last line that was cut off (the recorder was killed, or still records) is warned of.
 * @throws UsageError it is no trace, or one of a newer format
 * @throws FileError a line is damaged or far too long; the message says which
 */
export async function* readTrace(
  source: AsyncIterable<Uint8Array>,
  options: ReadTraceOptions,
): AsyncGenerator<TraceRecord[], void, void> {
  const lines = new LineReader(options);
  const { maxLineBytes = 256 * 1024 * 1024 } = options;
  /** The beginning of a line whose end has not been read yet. */
  let rest: Uint8Array[] = [];
  let restBytes = 0;
  /** The line is too long, and nobody looks at the rest of it. */
  let isSkipping = false;
  for await (const chunk of source) {
    const bytes = asBuffer(chunk);
    let start = 0;
    if (restBytes > 0) {
      const end = bytes.indexOf(lineFeed);
      if (!isSkipping) {
        rest.push(end < 0 ? bytes : bytes.subarray(0, end));
        restBytes += end < 0 ? bytes.length : end;
      }
      // Nobody writes such a line; what has no line feed at all must not fill memory.
      if (restBytes > maxLineBytes) {
        lines.tooLong(maxLineBytes);
        yield* lines.take();
        // When that is borne, what is left of the line is still to come, and counts from here.
        rest = [];
        restBytes = 1;
        isSkipping = true;
      }
      if (end < 0) continue;
      if (!isSkipping) {
        const whole = Buffer.concat(rest);
        lines.readBlock(whole, 0, whole.length);
      }
      isSkipping = false;
      rest = [];
      restBytes = 0;
      start = end + 1;
    }
    const end = bytes.lastIndexOf(lineFeed);
    if (end >= start) {
      lines.readBlock(bytes, start, end);
      start = end + 1;
    }
    if (start < bytes.length) {
      rest = [bytes.subarray(start)];
      restBytes = bytes.length - start;
    }
    yield* lines.take();
  }
  lines.readLast(isSkipping ? Buffer.alloc(0) : Buffer.concat(rest));
  yield* lines.take();
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

class LineReader {
  readonly #options: ReadTraceOptions;
  readonly #plain: PlainRecordReader;
  readonly #mender: TraceMender | undefined;
  #number = 0;
  #hasHeader = false;
  #lastRecord = 0;
  #hasWarnedOfOrder = false;
  #records: TraceRecord[] = [];
  #error: Error | undefined;

  constructor(options: ReadTraceOptions) {
    this.#options = options;
    this.#plain = new PlainRecordReader(options.wantsData);
    if (options.isRepairing) this.#mender = new TraceMender(options);
  }

  /** What has been read, and then the error that ended the reading: what came before it is not lost. */
  *take(): Generator<TraceRecord[], void, void> {
    const records = this.#records;
    this.#records = [];
    if (records.length > 0) yield records;
    if (this.#error) throw this.#error;
  }

  /** Reads whole lines, the last without its line feed. */
  readBlock(bytes: Buffer, from: number, to: number): void {
    if (this.#error) return;
    // A run of NULs is what a crash leaves of a page; JSON has none.
    const isPlain = !hasNul(bytes, from, to);
    try {
      for (let start = from; start <= to;) {
        const feed = bytes.indexOf(lineFeed, start);
        const end = feed < 0 || feed > to ? to : feed;
        this.#number += 1;
        const plain =
          isPlain && (this.#hasHeader || this.#mender) ? this.#plain.read(bytes, start, end) : undefined;
        if (plain) this.#add(plain);
        else this.#readLine(bytes.toString('utf8', start, end));
        start = end + 1;
      }
    } catch (error) {
      this.#error = error as Error;
    }
  }

  /** Reads what stood behind the last line feed. */
  readLast(bytes: Buffer): void {
    if (this.#error) return;
    try {
      const line = bytes.toString('utf8');
      if (line.trim() !== '') {
        this.#number += 1;
        if (this.#mender) this.#mender.line(line, this.#number, this.#records);
        else this.#readCutLine(line);
      }
      if (this.#mender) this.#mender.end();
      else if (!this.#hasHeader) {
        throw new UsageError(`${this.#options.name} is empty, not a trace`, {
          hint: 'record one with --trace=FILE on any command that connects',
        });
      }
    } catch (error) {
      this.#error = error as Error;
    }
  }

  tooLong(maxBytes: number): void {
    if (this.#error) return;
    this.#number += 1;
    const what = `the line is longer than ${maxBytes} bytes`;
    if (this.#mender) this.#mender.damaged(this.#number, what);
    else this.#error = this.#hasHeader ? this.#damaged(what) : this.#notATrace();
  }

  #readLine(line: string): void {
    if (line.trim() === '') return;
    if (this.#mender) {
      this.#mender.line(line, this.#number, this.#records);
      return;
    }
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch (error) {
      if (!this.#hasHeader) throw this.#notATrace();
      if (this.#skips('not JSON')) return;
      throw this.#damaged('not JSON', error);
    }
    this.#check(value);
  }

  #readCutLine(line: string): void {
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      if (!this.#hasHeader) throw this.#notATrace();
      this.#options.warn(
        `${this.#options.name}:${this.#number}: the last line is cut off; the trace ends before it`,
      );
      return;
    }
    this.#check(value);
  }

  #check(value: unknown): void {
    if (!this.#hasHeader) {
      this.#records.push(this.#checkHeader(value));
      this.#hasHeader = true;
      return;
    }
    try {
      const record = checkRecord(value);
      if (record) this.#add(record);
    } catch (error) {
      if (!(error instanceof Damage)) throw error;
      if (!this.#skips(error.message)) throw this.#damaged(error.message, undefined, error.hint);
    }
  }

  #add(record: Exclude<TraceRecord, { kind: 'header' }>): void {
    if (this.#mender) {
      this.#mender.take(record, this.#number, this.#records);
      return;
    }
    if (record.kind !== 'gap') {
      if (record.n < this.#lastRecord) this.#warnOfOrder(record.n);
      this.#lastRecord = record.n;
    }
    this.#records.push(record);
  }

  /** Files that were put together from parts can still be read, and must not be believed. */
  #warnOfOrder(n: number): void {
    if (this.#hasWarnedOfOrder || this.#options.judgesOrder === true) return;
    this.#hasWarnedOfOrder = true;
    this.#options.warn(
      `${this.#options.name}:${this.#number}: record ${n} comes after record ${this.#lastRecord}: these are parts of several traces, or in disorder`,
    );
  }

  /** Whether the line is to be left out. */
  #skips(what: string): boolean {
    if (!this.#hasHeader || this.#options.skipDamage === undefined) return false;
    this.#options.skipDamage(this.#number, what);
    return true;
  }

  #checkHeader(value: unknown): TraceRecord {
    if (!isHeader(value)) throw this.#notATrace();
    if (value.version !== TRACE_VERSION) {
      throw new UsageError(
        `${this.#options.name}:${this.#number}: a trace of format version ${String(value.version)}; this xmppctl reads version ${TRACE_VERSION}`,
        { hint: 'use the xmppctl it was recorded with, or a newer one; with --repair what it knows is read' },
      );
    }
    if (!isOurHeader(value)) throw this.#damaged('the header does not say when the recording started');
    return value;
  }

  #notATrace(): UsageError {
    return new UsageError(`${this.#options.name} is not a trace: its first line is not the header of one`, {
      hint: 'record one with --trace=FILE on any command that connects',
    });
  }

  #damaged(what: string, cause?: unknown, hint?: string): FileError {
    return new FileError(`${this.#options.name}:${this.#number}: ${what}`, {
      details: { line: this.#number },
      ...(cause !== undefined && { cause }),
      ...(hint === undefined ? repairHint : { hint: `${hint}, or read it with --repair` }),
    });
  }
}

function hasNul(bytes: Buffer, from: number, to: number): boolean {
  const at = bytes.indexOf(0, from);
  return at >= 0 && at < to;
}
