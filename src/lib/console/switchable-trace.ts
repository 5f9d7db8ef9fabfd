/** A tracer that a recording can be switched on and off behind, while the stream goes on. */
import type { ConnectionTrace, Tracer } from '../trace/events.js';
import { FileSink } from '../trace/file-sink.js';
import { openTraceFile } from '../trace/open-trace-file.js';
import { recordingTool } from '../trace/open-tracer.js';
import { createTracer } from '../trace/tracer.js';

interface Recording {
  file: string;
  tracer: Tracer;
  connection: ConnectionTrace;
}

export class SwitchableTrace implements Tracer {
  readonly #always: Tracer | undefined;
  readonly #redact: boolean;
  readonly #warn: (message: string) => void;
  #label = 'console';
  #recording: Recording | undefined;

  /** @param always what `--trace` asked for */
  constructor(always: Tracer | undefined, redact: boolean, warn: (message: string) => void) {
    this.#always = always;
    this.#redact = redact;
    this.#warn = warn;
  }

  /** The file that is being written. */
  get file(): string | undefined {
    return this.#recording?.file;
  }

  connection(label: string): ConnectionTrace {
    this.#label = label;
    const always = this.#always?.connection(label);
    return {
      data: (dir, bytes) => {
        always?.data(dir, bytes);
        this.#recording?.connection.data(dir, bytes);
      },
      event: (name, detail) => {
        always?.event(name, detail);
        this.#recording?.connection.event(name, detail);
      },
    };
  }

  /** Records from here on. @throws FileError the file cannot be written, or is no trace */
  async start(file: string): Promise<void> {
    await this.stop();
    const sink = new FileSink({ ...(await openTraceFile(file)), warn: this.#warn });
    const tracer = createTracer({ sinks: [sink], redact: this.#redact, tool: recordingTool() });
    this.#recording = { file, tracer, connection: tracer.connection(this.#label) };
  }

  /** Ends the recording, if there is one, and waits until it is written. */
  async stop(): Promise<void> {
    const recording = this.#recording;
    this.#recording = undefined;
    await recording?.tracer.close();
  }

  /** The one of `--trace` belongs to whoever opened it. */
  async close(): Promise<void> {
    await this.stop();
  }
}
