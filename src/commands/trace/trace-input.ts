/** How the commands of this group read and write their files. */
import { createReadStream, createWriteStream } from 'node:fs';
import { addAbortSignal, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { replaceFile } from '../../lib/config/private-file.js';
import type { Context } from '../../lib/context.js';
import { safeJson, safeText } from '../../lib/output/safe-text.js';
import { FileError, UsageError, XmppctlError } from '../../lib/errors.js';
import { readTrace, type ReadTraceOptions } from '../../lib/trace/read-trace.js';
import type { TraceRecord } from '../../lib/trace/record.js';
import { followFile } from './follow-file.js';
import { systemReason } from '../../lib/trace/system-reason.js';

/** For every command that reads a trace. */
export const repairOption = [
  '--repair',
  'read what can be read of a damaged trace, and say what is missing',
] as const;

/** What a trace is called in messages. */
export function nameOf(file: string): string {
  return file === '-' ? 'stdin' : file;
}

/** @throws UsageError stdin is read twice */
export function checkFiles(files: readonly string[]): readonly string[] {
  if (files.filter((file) => file === '-').length > 1)
    throw new UsageError('stdin can be read only once', { hint: 'name the other trace' });
  return files;
}

/**
 * The records of a trace in a file, or on stdin for `-`, in batches.
 * @throws UsageError it is no trace
 * @throws FileError it cannot be read, or is damaged
 */
export async function* readRecords(
  file: string,
  context: Context,
  options: Partial<ReadTraceOptions> & { isFollowing?: boolean } = {},
): AsyncGenerator<TraceRecord[], void, void> {
  const name = nameOf(file);
  const { signal } = context;
  const source = (): AsyncIterable<Uint8Array> => {
    if (options.isFollowing) return followFile(file, signal);
    return addAbortSignal(
      signal,
      file === '-' ? context.stdin : createReadStream(file, { highWaterMark: 1 << 18 }),
    );
  };
  try {
    yield* readTrace(source(), {
      name,
      warn: (message) => context.output.warn(message),
      ...options,
    });
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (isSystemError(error))
      throw new FileError(`cannot read the trace ${name}: ${systemReason(error)}`, { cause: error });
    throw error;
  }
}

function isSystemError(error: unknown): boolean {
  return error instanceof Error && typeof (error as NodeJS.ErrnoException).syscall === 'string';
}

/**
 * Writes text to a file, which is there only when all of it is, or to stdout. A terminal is shown it without what it
 * would obey.
 * @throws FileError it cannot be written
 */
export async function writeText(
  file: string | undefined,
  pieces: AsyncIterable<string | Uint8Array>,
  context: Context,
  { isJson = false }: { isJson?: boolean } = {},
): Promise<void> {
  if (file === undefined || file === '-') {
    const { output } = context;
    const neutralise = isJson ? safeJson : (text: string) => safeText(text);
    const shown = (text: string): string => (output.isTerminal ? neutralise(text) : text);
    for await (const piece of pieces)
      await output.bytes(typeof piece === 'string' ? Buffer.from(shown(piece)) : piece);
    await output.flush();
    return;
  }
  try {
    // What was recorded is nobody else's business, as with the recording itself.
    await replaceFile(file, (place, isNew) =>
      pipeline(Readable.from(pieces), createWriteStream(place, { mode: 0o600, flags: isNew ? 'wx' : 'w' }), {
        signal: context.signal,
      }),
    );
  } catch (error) {
    if (context.signal.aborted) throw context.signal.reason;
    if (error instanceof XmppctlError || !isSystemError(error)) throw error;
    throw new FileError(`cannot write ${file}: ${systemReason(error)}`, { cause: error });
  }
}
