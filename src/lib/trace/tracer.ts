/**
 * Numbers, times and redacts what connections report, and hands it to the sinks in order.
 */
import type { ConnectionTrace, Tracer } from './events.js';
import { dataRecord, TRACE_FORMAT, TRACE_VERSION, type DataRecord, type TraceRecord } from './record.js';
import { redactDetail } from './redact-detail.js';
import { SecretScanner } from './secret-scanner.js';

/** Where records go. Neither method may throw: a trace that cannot be kept must not disturb what is traced. */
export interface TraceSink {
  /** Data records may come to it without their text or base64, which is in the bytes. */
  readonly takesBytes?: boolean;
  /**
   * Takes the record at once; writing it out is the sink's own business.
   * @param bytes what a data record carries, valid only during the call
   */
  write(record: TraceRecord, bytes?: Uint8Array): void;
  /** Resolves when everything taken has been written, or cannot be. */
  close(): Promise<void>;
}

export interface TracerOptions {
  sinks: readonly TraceSink[];
  /** False records secrets as they are: only where the user asked for it in so many words. */
  redact: boolean;
  /** Milliseconds on a clock that never jumps; `performance.now` when left out. */
  now?: () => number;
  /** The wall clock at the start; now when left out. */
  startedAt?: Date;
  /** Who records, for the header. */
  tool?: string;
}

/** Makes a tracer. Secrets are gone before a sink sees a record. */
export function createTracer(options: TracerOptions): Tracer {
  const { sinks, redact, now = () => performance.now(), startedAt = new Date(), tool = 'xmppctl' } = options;
  const origin = now();
  let count = 0;
  let connections = 0;
  let isClosed = false;
  const finishers = new Set<() => void>();

  const emit = (record: TraceRecord, bytes?: Uint8Array): void => {
    if (isClosed) return;
    for (const sink of sinks) sink.write(record, bytes);
  };
  // Most recordings go to a file only: no string is made of what is written as bytes.
  const takesBytes = sinks.every((sink) => sink.takesBytes === true);
  const elapsed = (): number => Math.round((now() - origin) * 1000) / 1000;
  const stamp = (): { n: number; t: number } => ({ n: ++count, t: elapsed() });

  emit({
    kind: 'header',
    format: TRACE_FORMAT,
    version: TRACE_VERSION,
    started: startedAt.toISOString(),
    tool,
    redacted: redact,
  });

  function connection(label: string): ConnectionTrace {
    const conn = ++connections;
    // The names of private form fields are learnt from the form and needed for its answer, in the other direction.
    const privateFields = new Set<string>();
    const scanners = { in: new SecretScanner(privateFields), out: new SecretScanner(privateFields) };
    emit({ ...stamp(), kind: 'connection', conn, label });
    const finish = (): void => {
      finishers.delete(finish);
      for (const dir of ['in', 'out'] as const) {
        const rest = scanners[dir].end();
        if (rest.length > 0) emit(dataRecord(++count, elapsed(), conn, dir, rest));
      }
    };
    if (redact) finishers.add(finish);
    return {
      data(dir, bytes) {
        if (isClosed) return;
        const scanned = redact ? scanners[dir].scan(bytes) : undefined;
        const recorded = scanned?.bytes ?? bytes;
        const record: DataRecord = takesBytes
          ? { n: ++count, t: elapsed(), conn, kind: 'data', dir }
          : dataRecord(++count, elapsed(), conn, dir, recorded);
        if (scanned && scanned.redactions.length > 0) record.redacted = scanned.redactions;
        emit(record, recorded);
      },
      event(name, detail) {
        // Nothing follows it; a proxy has many connections, and must not keep what it knew of each.
        if (name === 'close') finish();
        emit({ ...stamp(), conn, kind: 'event', name, detail: redact ? redactDetail(detail) : detail });
      },
    };
  }

  return {
    connection,
    async close() {
      for (const finish of [...finishers]) finish();
      isClosed = true;
      await Promise.all(sinks.map((sink) => sink.close()));
    },
  };
}
