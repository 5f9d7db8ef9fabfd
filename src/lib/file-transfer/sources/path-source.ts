/**
 * A file of this machine as a source: a regular file, which can be begun anywhere, or a pipe or device, which is read once.
 */
import { constants, createReadStream, type Stats } from 'node:fs';
import { open, stat, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { FileError } from '../../errors.js';
import { mediaTypeOf } from './media-type.js';
import { storageError } from '../storing/storage-error.js';
import type { FileFacts, FileSource } from '../transfer.js';

/** What the sender says about a file, instead of what the file says itself. */
export interface ToldFacts {
  name?: string | undefined;
  mediaType?: string | undefined;
  description?: string | undefined;
  /** `none`: no date is sent. */
  date?: Date | 'none' | undefined;
  /** The folder it belongs in on the other side, with `/` between the names. */
  folder?: string | undefined;
}

/** @throws FileError it cannot be sent */
export async function pathSource(file: string, told: ToldFacts = {}): Promise<FileSource> {
  let facts: Stats;
  try {
    facts = await stat(file);
  } catch (error) {
    throw storageError(`read ${file}`, error);
  }
  if (facts.isDirectory()) throw new FileError(`cannot read ${file}: it is a folder`);
  if (facts.isSocket()) throw new FileError(`cannot read ${file}: it is a socket`);
  const name = told.name ?? path.basename(file);
  if (facts.isFile() && (facts.size > 0 || (await isEmpty(file)))) {
    return {
      facts: await factsOf(name, facts.size, told, facts.mtime),
      isSeekable: true,
      open: async (offset) => new FileReader(await openUnchanged(file, facts), facts, file, offset),
    };
  }
  return {
    facts: await factsOf(name, undefined, told, undefined),
    isSeekable: false,
    open: () => Promise.resolve(failingWell(createReadStream(file), file)),
  };
}

/** What the kernel makes up, such as /proc/meminfo, has no size, and content nevertheless; it is read like a pipe. */
async function isEmpty(file: string): Promise<boolean> {
  try {
    const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      return (await handle.read(Buffer.alloc(1), 0, 1, 0)).bytesRead === 0;
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw storageError(`read ${file}`, error);
  }
}

/** What is piped in. Its size is not known before its end. */
export async function pipeSource(input: Readable, told: ToldFacts): Promise<FileSource> {
  return {
    facts: await factsOf(told.name ?? 'stdin', undefined, told, undefined),
    isSeekable: false,
    open: () => Promise.resolve(failingWell(input, 'standard input')),
  };
}

export async function factsOf(
  name: string,
  sizeBytes: number | undefined,
  { mediaType, description, date, folder }: ToldFacts,
  ownDate: Date | undefined,
): Promise<FileFacts> {
  return {
    name,
    sizeBytes,
    mediaType: mediaType ?? (await mediaTypeOf(name)),
    date: date === 'none' ? undefined : (date ?? ownDate),
    description,
    hashes: [],
    promisedHashes: [],
    ...(folder !== undefined && { folder }),
  };
}

/** Errors of the system become ours. */
function failingWell(stream: Readable, what: string): Readable {
  const readable = Readable.from(chunksOf(stream, what), { objectMode: false });
  // Given up in the middle: whoever writes into the pipe has to learn of it.
  readable.once('close', () => stream.destroy());
  return readable;
}

async function* chunksOf(stream: Readable, what: string): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) yield chunk;
  } catch (error) {
    throw storageError(`read ${what}`, error);
  }
}

/**
 * A transfer may open a file several times, to go on after a break: two versions of it must not be mixed.
 * @throws FileError
 */
async function openUnchanged(file: string, before: Stats): Promise<FileHandle> {
  let handle: FileHandle;
  try {
    // NONBLOCK: what was a file may be a pipe by now, and nobody may write into it.
    handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    throw storageError(`read ${file}`, error);
  }
  const change = changeBetween(before, await handle.stat());
  if (change === undefined) return handle;
  await handle.close();
  throw new FileError(`${file} ${change} while it was being sent`);
}

function changeBetween(before: Stats, now: Stats): string | undefined {
  if (before.ino !== now.ino || before.dev !== now.dev) return 'was replaced';
  if (now.size > before.size) return 'grew';
  if (now.size < before.size) return 'shrank';
  return now.mtimeMs === before.mtimeMs ? undefined : 'changed';
}

const CHUNK_BYTES = 256 * 1024;

/** Reads to the end that the file had, and then looks whether it is still the same. */
class FileReader extends Readable {
  #position: number;

  constructor(
    private readonly handle: FileHandle,
    private readonly before: Stats,
    private readonly file: string,
    offset: number,
  ) {
    super({ highWaterMark: 4 * CHUNK_BYTES });
    this.#position = offset;
  }

  override _read(): void {
    this.#readOn().then(
      (chunk) => this.push(chunk),
      (error: unknown) => this.destroy(storageError(`read ${this.file}`, error)),
    );
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.handle.close().then(
      () => done(error),
      () => done(error),
    );
  }

  async #readOn(): Promise<Buffer | null> {
    const left = this.before.size - this.#position;
    if (left > 0) {
      const buffer = Buffer.allocUnsafeSlow(Math.min(CHUNK_BYTES, left));
      const { bytesRead } = await this.handle.read(buffer, 0, buffer.length, this.#position);
      this.#position += bytesRead;
      if (bytesRead > 0) return buffer.subarray(0, bytesRead);
    }
    const now = await this.handle.stat();
    const change = changeBetween(this.before, now);
    if (change !== undefined) throw new FileError(`${this.file} ${change} while it was being sent`);
    return null;
  }
}
