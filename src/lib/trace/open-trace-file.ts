/** Opening the file that a trace goes to. */
import { constants } from 'node:fs';
import { open, stat, type FileHandle } from 'node:fs/promises';
import { FileError } from '../errors.js';
import { TRACE_FORMAT } from './record.js';
import { systemReason } from './system-reason.js';

export interface TraceFile {
  file: FileHandle;
  isRegular: boolean;
}

/**
 * Opens `path` for a new trace, readable by its owner alone. An older trace is overwritten, as curl and tcpdump
 * do; any other file with something in it is refused, because a slip in `--trace=FILE` must not cost a file.
 * @throws FileError
 */
export async function openTraceFile(path: string): Promise<TraceFile> {
  let file: FileHandle | undefined;
  try {
    file = await openExclusively(path);
    if (file) return { file, isRegular: true };
    file = await openExisting(path);
    const facts = await file.stat();
    if (!facts.isFile()) return { file, isRegular: false };
    if (facts.size > 0 && !(await startsLikeTrace(file))) {
      throw new FileError(`will not overwrite ${path}: it is not a trace`, {
        hint: 'choose another name, or remove it first',
      });
    }
    await file.chmod(0o600);
    await file.truncate(0);
    return { file, isRegular: true };
  } catch (error) {
    await file?.close();
    if (error instanceof FileError) throw error;
    throw new FileError(`cannot record the trace in ${path}: ${systemReason(error)}`, { cause: error });
  }
}

async function openExclusively(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'wx', 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return undefined;
    throw error;
  }
}

/** Reading is for the look at what is there; a pipe may not allow it. */
async function openExisting(path: string): Promise<FileHandle> {
  return open(path, (await stat(path)).isFile() ? constants.O_RDWR : constants.O_WRONLY);
}

async function startsLikeTrace(file: FileHandle): Promise<boolean> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(256), 0, 256, 0);
  return buffer.toString('latin1', 0, bytesRead).startsWith(`{"kind":"header","format":"${TRACE_FORMAT}"`);
}
