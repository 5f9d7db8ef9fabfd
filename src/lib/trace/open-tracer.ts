/** Makes the tracer that `--trace` asks for. */
import type { Writable } from 'node:stream';
import type { Style } from '../output/output.js';
import type { Tracer } from './events.js';
import { FileSink } from './file-sink.js';
import { openTraceFile } from './open-trace-file.js';
import { PrettySink } from './pretty-sink.js';
import { createTracer } from './tracer.js';

export interface OpenTracerOptions {
  /** A file, or `-` for stderr. */
  target: string;
  redact: boolean;
  stderr: Writable & { isTTY?: boolean };
  style: Style;
  /** Told on one line when records are lost. */
  warn: (message: string) => void;
}

/** Someone who watches wants to see the next stanza too. */
const maxWatchedText = 2000;

/**
 * Opens the tracer: NDJSON into a file, or the readable view on stderr.
 * @throws FileError the file cannot be written, or is something else than a trace
 */
export async function openTracer(options: OpenTracerOptions): Promise<Tracer> {
  const { target, redact, stderr, style, warn } = options;
  const sink =
    target === '-'
      ? new PrettySink({ stream: stderr, style, maxText: maxWatchedText })
      : new FileSink({ ...(await openTraceFile(target)), warn });
  return createTracer({ sinks: [sink], redact, tool: recordingTool() });
}

/** Who records, for the header. The build fills the version in; without one the source runs as it is. */
export function recordingTool(): string {
  return `xmppctl ${typeof XMPPCTL_VERSION === 'string' ? XMPPCTL_VERSION : 'development'}`;
}
