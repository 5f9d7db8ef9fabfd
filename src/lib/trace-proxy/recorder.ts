/** Where the connections of a proxy are recorded: a common trace, a file for each, and whoever watches. */
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { FileError } from '../errors.js';
import type { ConnectionTrace, Tracer } from '../trace/events.js';
import { FileSink } from '../trace/file-sink.js';
import { openTraceFile } from '../trace/open-trace-file.js';
import { recordingTool } from '../trace/open-tracer.js';
import { systemReason } from '../trace/system-reason.js';
import { createTracer, type TraceSink } from '../trace/tracer.js';

export interface RecorderOptions {
  /** The trace of the whole run (`--trace`). */
  tracer?: Tracer | undefined;
  /** Whoever watches. */
  view?: TraceSink | undefined;
  /** Gets a file for each connection. */
  folder?: string | undefined;
  redact: boolean;
  /** Told on one line when something cannot be recorded; what is proxied goes on. */
  warn: (message: string) => void;
  startedAt: Date;
}

export interface Recorder {
  record(label: string): Promise<{ trace: ConnectionTrace; close: () => Promise<void> }>;
  close(): Promise<void>;
}

/** @throws FileError the folder cannot be made */
export async function openRecorder(options: RecorderOptions): Promise<Recorder> {
  const { tracer, view, folder, redact, warn, startedAt } = options;
  if (folder !== undefined) await makeFolder(folder);
  const watched = view && createTracer({ sinks: [view], redact, tool: recordingTool(), startedAt });
  const prefix = startedAt.toISOString().slice(0, 19).replaceAll(':', '-');
  let count = 0;

  async function openOwn(): Promise<Tracer | undefined> {
    if (folder === undefined) return undefined;
    count += 1;
    const file = path.join(folder, `${prefix}-${String(count).padStart(4, '0')}.trace`);
    try {
      const sink = new FileSink({ ...(await openTraceFile(file)), warn });
      return createTracer({ sinks: [sink], redact, tool: recordingTool() });
    } catch (error) {
      warn(`a connection is not recorded: ${error instanceof Error ? error.message : String(error)}`);
      return undefined;
    }
  }

  return {
    async record(label) {
      const own = await openOwn();
      const traces = [tracer, watched, own].flatMap((each) => each?.connection(label) ?? []);
      const [only] = traces;
      return {
        trace: traces.length === 1 && only ? only : together(traces),
        close: async () => own?.close(),
      };
    },
    close: async () => watched?.close(),
  };
}

function together(traces: readonly ConnectionTrace[]): ConnectionTrace {
  return {
    data: (dir, bytes) => {
      for (const trace of traces) trace.data(dir, bytes);
    },
    event: (name, detail) => {
      for (const trace of traces) trace.event(name, detail);
    },
  };
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new FileError(`cannot record into ${folder}: ${systemReason(cause)}`, { cause });
  }
}
