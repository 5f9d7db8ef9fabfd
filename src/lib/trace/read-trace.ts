/**
 * Reads a recorded trace as a stream: a line is forgotten when its record has been handed on, so a trace may be larger than memory.
 */
import { FileError, UsageError } from '../errors.js';
import { TRACE_FORMAT, TRACE_VERSION, type HeaderRecord, type TraceRecord } from './record.js';

export interface ReadTraceOptions {
  /** What the trace is called in messages. */
  name: string;
  /** Told on one line about what is odd and was borne. */
  warn: (message: string) => void;
  /** Told which line is damaged, and how; the line is left out. Without it the first one ends the reading. */
  skipDamage?: (line: number, what: string) => void;
  /** Longer lines are refused; 256 MiB unless given. */
  maxLineBytes?: number;
}

const lineFeed = 0x0a;

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
  /** The beginning of a line whose end has not been read yet. */
  let rest: Uint8Array[] = [];
  let restBytes = 0;
  const { maxLineBytes = 256 * 1024 * 1024 } = options;
  for await (const chunk of source) {
    const end = chunk.lastIndexOf(lineFeed);
    if (end < 0) {
      rest.push(chunk);
      restBytes += chunk.length;
      // Nobody writes such a line; what has no line feed at all must not fill memory.
      if (restBytes > maxLineBytes) throw lines.tooLong(maxLineBytes);
      continue;
    }
    const whole =
      rest.length === 0 ? chunk.subarray(0, end) : Buffer.concat([...rest, chunk.subarray(0, end)]);
    rest = end + 1 < chunk.length ? [chunk.subarray(end + 1)] : [];
    restBytes = chunk.length - end - 1;
    const { records, error } = lines.readBlock(decode(whole));
    if (records.length > 0) yield records;
    if (error) throw error;
  }
  const last = lines.readLast(decode(Buffer.concat(rest)));
  if (last) yield [last];
}

function decode(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}

class LineReader {
  #number = 0;
  #hasHeader = false;
  #lastRecord = 0;
  #hasWarnedOfOrder = false;

  constructor(private readonly options: ReadTraceOptions) {}

  /** Reads whole lines. What came before a damaged one is not lost. */
  readBlock(text: string): { records: TraceRecord[]; error?: Error } {
    const records: TraceRecord[] = [];
    let start = 0;
    while (start <= text.length) {
      const feed = text.indexOf('\n', start);
      const end = feed < 0 ? text.length : feed;
      const line = text.slice(start, end);
      start = end + 1;
      this.#number += 1;
      if (line.trim() === '') continue;
      let value: unknown;
      try {
        value = JSON.parse(line);
      } catch (error) {
        if (!this.#hasHeader) return { records, error: this.#notATrace() };
        if (this.#skips('not JSON')) continue;
        return { records, error: this.#damaged('not JSON', error) };
      }
      try {
        const record = this.#check(value);
        if (record) records.push(record);
      } catch (error) {
        if (error instanceof Damage) {
          if (this.#skips(error.message)) continue;
          return { records, error: this.#damaged(error.message, undefined, error.hint) };
        }
        return { records, error: error as Error };
      }
    }
    return { records };
  }

  /** Reads what stood behind the last line feed. */
  readLast(line: string): TraceRecord | undefined {
    if (line.trim() !== '') {
      this.#number += 1;
      let value: unknown;
      try {
        value = JSON.parse(line);
      } catch {
        if (!this.#hasHeader) throw this.#notATrace();
        this.options.warn(
          `${this.options.name}:${this.#number}: the last line is cut off; the trace ends before it`,
        );
        return undefined;
      }
      try {
        return this.#check(value);
      } catch (error) {
        if (!(error instanceof Damage)) throw error;
        if (this.#skips(error.message)) return undefined;
        throw this.#damaged(error.message, undefined, error.hint);
      }
    }
    if (!this.#hasHeader) {
      throw new UsageError(`${this.options.name} is empty, not a trace`, {
        hint: 'record one with --trace=FILE on any command that connects',
      });
    }
    return undefined;
  }

  #check(value: unknown): TraceRecord | undefined {
    if (!this.#hasHeader) {
      this.#checkHeader(value);
      this.#hasHeader = true;
      return value;
    }
    if (!isObject(value)) throw new Damage('not a record');
    switch (value['kind']) {
      case 'data':
        if (
          typeof value['n'] === 'number' &&
          typeof value['t'] === 'number' &&
          typeof value['conn'] === 'number' &&
          (value['dir'] === 'in' || value['dir'] === 'out') &&
          (typeof value['text'] === 'string') !== (typeof value['base64'] === 'string')
        )
          break;
        throw new Damage('a data record needs n, t, conn, dir, and either text or base64');
      case 'event':
        if (
          typeof value['n'] === 'number' &&
          typeof value['t'] === 'number' &&
          typeof value['conn'] === 'number' &&
          typeof value['name'] === 'string' &&
          isObject(value['detail'])
        )
          break;
        throw new Damage('an event record needs n, t, conn, name and detail');
      case 'connection':
        if (
          typeof value['n'] === 'number' &&
          typeof value['t'] === 'number' &&
          typeof value['conn'] === 'number' &&
          typeof value['label'] === 'string'
        )
          break;
        throw new Damage('a connection record needs n, t, conn and label');
      case 'gap':
        if (
          typeof value['from'] === 'number' &&
          typeof value['to'] === 'number' &&
          typeof value['reason'] === 'string'
        )
          break;
        throw new Damage('a gap record needs from, to and reason');
      case 'header':
        throw new Damage('a second trace begins here', 'split the file before this line');
      default:
        if (typeof value['kind'] !== 'string') throw new Damage('a record needs a kind');
        return undefined;
    }
    if (typeof value['n'] === 'number') this.#checkOrder(value['n']);
    return value as unknown as TraceRecord;
  }

  /** Files that were put together from parts can still be read, and must not be believed. */
  #checkOrder(n: number): void {
    if (n < this.#lastRecord && !this.#hasWarnedOfOrder) {
      this.#hasWarnedOfOrder = true;
      this.options.warn(
        `${this.options.name}:${this.#number}: record ${n} comes after record ${this.#lastRecord}: these are parts of several traces, or in disorder`,
      );
    }
    this.#lastRecord = n;
  }

  /** Whether the line is to be left out. */
  #skips(what: string): boolean {
    if (!this.#hasHeader || this.options.skipDamage === undefined) return false;
    this.options.skipDamage(this.#number, what);
    return true;
  }

  tooLong(maxBytes: number): Error {
    this.#number += 1;
    return this.#hasHeader ? this.#damaged(`the line is longer than ${maxBytes} bytes`) : this.#notATrace();
  }

  #checkHeader(value: unknown): asserts value is HeaderRecord {
    if (!isObject(value) || value['kind'] !== 'header' || value['format'] !== TRACE_FORMAT)
      throw this.#notATrace();
    const { version, started } = value;
    if (version !== TRACE_VERSION) {
      throw new UsageError(
        `${this.options.name} is a trace of format version ${String(version)}; this xmppctl reads version ${TRACE_VERSION}`,
        { hint: 'use the xmppctl it was recorded with, or a newer one' },
      );
    }
    if (typeof started !== 'string' || Number.isNaN(Date.parse(started)))
      throw this.#damaged('the header does not say when the recording started');
  }

  #notATrace(): UsageError {
    return new UsageError(`${this.options.name} is not a trace: its first line is not the header of one`, {
      hint: 'record one with --trace=FILE on any command that connects',
    });
  }

  #damaged(what: string, cause?: unknown, hint?: string): FileError {
    return new FileError(`${this.options.name}:${this.#number}: ${what}`, {
      details: { line: this.#number },
      ...(cause !== undefined && { cause }),
      ...(hint !== undefined && { hint }),
    });
  }
}

/** What is wrong with a line. */
class Damage extends Error {
  constructor(
    what: string,
    readonly hint?: string,
  ) {
    super(what);
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
