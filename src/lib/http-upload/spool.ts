/** Something whose size nobody knows, such as a pipe, as a file of known size: a slot is for a number of bytes. */
import { constants, createReadStream } from 'node:fs';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { FileError } from '../errors.js';
import type { FileSource } from '../file-transfer/transfer.js';

export interface Spooled extends AsyncDisposable {
  readonly source: FileSource;
  readonly sizeBytes: number;
}

/**
 * Copies it to a file in the folder for temporary ones, which nobody else can read and which goes when it is disposed.
 * @returns undefined when it is longer than `maxBytes`. @throws FileError
 */
export async function spool(
  source: FileSource,
  maxBytes: number,
  signal: AbortSignal | undefined,
): Promise<Spooled | undefined> {
  let folder: string | undefined;
  let isKept = false;
  try {
    // Its mode is 0700.
    folder = await mkdtemp(path.join(tmpdir(), 'xmppctl-upload-'));
    const file = path.join(folder, 'content');
    const sizeBytes = await copy(source, file, maxBytes, signal);
    if (sizeBytes === undefined) return undefined;
    isKept = true;
    const spooled = folder;
    return {
      sizeBytes,
      source: {
        facts: { ...source.facts, sizeBytes },
        isSeekable: true,
        open: (offset) =>
          Promise.resolve(createReadStream(file, { start: offset, highWaterMark: 256 * 1024 })),
      },
      [Symbol.asyncDispose]: () => rm(spooled, { recursive: true, force: true }),
    };
  } catch (error) {
    if (error instanceof FileError || signal?.aborted === true) throw error;
    throw new FileError(
      `cannot store what is to be uploaded in ${tmpdir()}: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error, hint: 'TMPDIR says where temporary files go' },
    );
  } finally {
    if (folder !== undefined && !isKept) await rm(folder, { recursive: true, force: true });
  }
}

async function copy(
  source: FileSource,
  file: string,
  maxBytes: number,
  signal: AbortSignal | undefined,
): Promise<number | undefined> {
  const content = await source.open(0);
  const onAbort = (): void => void content.destroy(abortReason(signal));
  signal?.addEventListener('abort', onAbort);
  const handle = await open(file, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
  try {
    if (signal?.aborted === true) onAbort();
    let sizeBytes = 0;
    for await (const piece of content as AsyncIterable<Buffer>) {
      sizeBytes += piece.length;
      if (sizeBytes > maxBytes) return undefined;
      await handle.writeFile(piece);
    }
    return sizeBytes;
  } finally {
    signal?.removeEventListener('abort', onAbort);
    content.destroy();
    await handle.close();
  }
}

function abortReason(signal: AbortSignal | undefined): Error {
  const reason: unknown = signal?.reason;
  return reason instanceof Error ? reason : new Error('aborted');
}
