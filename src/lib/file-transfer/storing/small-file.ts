/**
 * A file of no more than one block: it waits in memory until it is complete, and is then written at once. Nothing of
 * it is kept for another run, so thousands of them cost few system calls each.
 */
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import path from 'node:path';
import { createHasher, type Hasher } from '../../hashes/hasher.js';
import type { HashAlgorithm } from '../../hashes/hashes.js';
import { placeFile, setDate, syncFolder } from './place-file.js';
import { storageError } from './storage-error.js';
import type { FileFacts, FileSink } from '../transfer.js';

export const SMALL_BYTES = 256 * 1024;

export interface SmallFileOptions {
  folder: string;
  /** The name it wants. */
  name: string;
  facts: Pick<FileFacts, 'date'>;
  hasher: Hasher;
  isDurable?: boolean | undefined;
}

export class SmallFile implements FileSink {
  readonly #options: SmallFileOptions;
  #pieces: Buffer[] = [];
  #bytes = 0;

  constructor(options: SmallFileOptions) {
    this.#options = options;
  }

  get offset(): number {
    return this.#bytes;
  }

  write(chunk: Buffer): Promise<void> {
    this.#pieces.push(chunk);
    this.#bytes += chunk.length;
    this.#options.hasher.update(chunk);
    return Promise.resolve();
  }

  async digest(algorithm: HashAlgorithm): Promise<Buffer> {
    const { hasher } = this.#options;
    if (algorithm === hasher.algorithm) return hasher.digest();
    const other = await createHasher(algorithm);
    for (const piece of this.#pieces) other.update(piece);
    return other.digest();
  }

  async commit(): Promise<string> {
    const { folder, name, facts, isDurable } = this.#options;
    const temporary = path.join(folder, `${name}.${randomBytes(6).toString('hex')}.part`);
    try {
      const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;
      const handle = await open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW);
      try {
        if (this.#bytes > 0) await handle.writeFile(Buffer.concat(this.#pieces, this.#bytes));
        await setDate(handle, facts.date);
        if (isDurable === true) await handle.sync();
      } finally {
        await handle.close();
      }
      const storedAs = await placeFile(temporary, folder, name);
      if (isDurable === true) await syncFolder(folder);
      return storedAs;
    } catch (error) {
      await rm(temporary, { force: true });
      throw storageError(`store ${path.join(folder, name)}`, error);
    } finally {
      this.#pieces = [];
    }
  }

  suspend(): Promise<void> {
    return this.discard();
  }

  discard(): Promise<void> {
    this.#pieces = [];
    return Promise.resolve();
  }
}
