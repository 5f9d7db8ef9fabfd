/** The trace of a test's connections: kept in a file while the test runs, shown when it fails. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { plainStyle } from '../../src/lib/output/style.js';
import type { Tracer } from '../../src/lib/trace/events.js';
import { openTracer } from '../../src/lib/trace/open-tracer.js';

/**
 * A file for `XMPPCTL_TRACE` or `--trace=FILE` of the programs that a test runs. To be called inside the test; when
 * the test fails, what the file then contains is printed.
 */
export function traceFileForTest(): Promise<string> {
  return keepTrace(() => undefined);
}

/** A tracer for the sessions that a test opens itself, with the same effect. */
export async function tracerForTest(): Promise<Tracer> {
  const opened: { tracer?: Tracer } = {};
  const target = await keepTrace(() => opened.tracer?.close());
  opened.tracer = await openTracer({
    target,
    redact: true,
    stderr: process.stderr,
    style: plainStyle,
    warn: (message) => void process.stderr.write(`${message}\n`),
  });
  return opened.tracer;
}

async function keepTrace(flush: () => Promise<void> | undefined): Promise<string> {
  const dir = await mkdtemp(path.join(tmpdir(), 'xmppctl-trace-'));
  const file = path.join(dir, 'trace.ndjson');
  onTestFinished(async ({ task }) => {
    await flush();
    if (task.result?.state === 'fail') {
      const trace = await readFile(file, 'utf8').catch(() => '');
      process.stderr.write(`--- trace of "${task.name}"\n${trace || 'nothing was recorded\n'}---\n`);
    }
    await rm(dir, { recursive: true, force: true });
  });
  return file;
}
