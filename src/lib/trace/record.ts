/**
 * The records of a trace, as they are handed to sinks and as they stand in a file: one JSON object a line.
 *
 * xmppctl-trace(5) documents them; a change that an older reader would misread raises `TRACE_VERSION`.
 */
import { isUtf8 } from 'node:buffer';
import type { Direction, LifecycleEvent } from './events.js';

export const TRACE_FORMAT = 'xmppctl-trace';
export const TRACE_VERSION = 1;

/** What stands in a trace where a secret was. Brackets are in no base64 and no token, so it cannot be taken for one. */
export const REDACTION_MARKER = '[redacted]';

/** The first line of every trace. */
export interface HeaderRecord {
  kind: 'header';
  format: typeof TRACE_FORMAT;
  version: number;
  /** When recording began, ISO 8601; every `t` counts from here. */
  started: string;
  /** Who recorded it, for example `xmppctl 0.1.0`. */
  tool: string;
  /** Whether secrets were taken out. */
  redacted: boolean;
}

interface Stamp {
  /** Counts the records from 1 without holes. */
  n: number;
  /** Milliseconds since `started`, from a clock that never jumps. */
  t: number;
}

/** A connection was opened (or is about to be). */
export interface ConnectionRecord extends Stamp {
  kind: 'connection';
  conn: number;
  label: string;
}

/** What was taken out of a data record. */
export interface Redaction {
  /** Where in the record's bytes it was. */
  at: number;
  /** How many bytes. */
  bytes: number;
  /** What kind of secret: `sasl`, `password`, … */
  reason: string;
  /** The secret began in an earlier record of this direction, which also has the marker. */
  continued?: true;
}

/** The bytes of one read or write. Exactly one of `text` and `base64` is there. */
export interface DataRecord extends Stamp {
  kind: 'data';
  conn: number;
  dir: Direction;
  /** The bytes as text, when they are valid UTF-8 by themselves. */
  text?: string;
  /** The bytes in base64, when they are not: broken UTF-8, or a character split between two records. */
  base64?: string;
  redacted?: readonly Redaction[];
}

/** Something that happened to the connection. */
export interface EventRecord extends Stamp {
  kind: 'event';
  conn: number;
  name: LifecycleEvent['name'];
  detail: Readonly<Record<string, unknown>>;
}

/** Records that could not be kept. */
export interface GapRecord {
  kind: 'gap';
  /** Number of the first and of the last record that is missing. */
  from: number;
  to: number;
  reason: string;
}

export type TraceRecord = HeaderRecord | ConnectionRecord | DataRecord | EventRecord | GapRecord;

/** Makes the record of some bytes. */
export function dataRecord(
  n: number,
  t: number,
  conn: number,
  dir: Direction,
  bytes: Uint8Array,
): DataRecord {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return isUtf8(buffer)
    ? { n, t, conn, kind: 'data', dir, text: buffer.toString('utf8') }
    : { n, t, conn, kind: 'data', dir, base64: buffer.toString('base64') };
}

/** The bytes that a data record carries. */
export function recordBytes(record: DataRecord): Uint8Array {
  return record.base64 === undefined
    ? Buffer.from(record.text ?? '', 'utf8')
    : Buffer.from(record.base64, 'base64');
}

/** A record as its line, with the line feed. */
export function encodeRecord(record: TraceRecord): string {
  return `${JSON.stringify(record)}\n`;
}
