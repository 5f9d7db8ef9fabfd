/** The trace of the sessions that a test opens: kept while it runs, shown when it fails. */
import { Writable } from 'node:stream';
import { onTestFinished } from 'vitest';
import { plainStyle } from '../../src/lib/output/style.js';
import type { Tracer } from '../../src/lib/trace/events.js';
import { PrettySink } from '../../src/lib/trace/pretty-sink.js';
import { createTracer } from '../../src/lib/trace/tracer.js';

/** What one session may say before a test fails that concerns it. */
const MAX_SHOWN = 100_000;

/**
 * A tracer for one session of the running test; undefined in a hook, which has no test to report for.
 * Secrets are redacted as everywhere.
 */
export function traceOfTest(): Tracer | undefined {
  let shown = '';
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      if (shown.length < MAX_SHOWN) shown += chunk.toString();
      done();
    },
  });
  const tracer = createTracer({
    sinks: [new PrettySink({ stream, style: plainStyle, maxText: 2000 })],
    redact: true,
  });
  try {
    onTestFinished(async ({ task }) => {
      await tracer.close();
      if (task.result?.state === 'fail') process.stderr.write(`--- trace of "${task.name}"\n${shown}---\n`);
    });
  } catch {
    return undefined;
  }
  return tracer;
}
