/** A `NAME.part` that is open and locked (see `partial-file.ts`). */
import { rm, type FileHandle } from 'node:fs/promises';
import type { Hasher } from '../../hashes/hasher.js';
import type { HashAlgorithm } from '../../hashes/hashes.js';
import { BlockWriter } from './block-writer.js';
import { PartDigest } from './part-digest.js';
import { placeFile, setDate, syncFolder } from './place-file.js';
import { storageError } from './storage-error.js';
import type { FileSink } from '../transfer.js';

export interface OpenPartOptions {
  handle: FileHandle;
  /** What is there already. */
  offset: number;
  paths: { part: string; state: string };
  lock: AsyncDisposable;
  folder: string;
  /** The name it wants. */
  name: string;
  hasher: Hasher;
  date: Date | undefined;
  isDurable: boolean;
}

export class OpenPart implements FileSink {
  readonly #options: OpenPartOptions;
  readonly #writer: BlockWriter;
  readonly #digest: PartDigest;
  #offset: number;
  #isClosed = false;

  constructor(options: OpenPartOptions) {
    this.#options = options;
    const { handle, offset, paths, hasher } = options;
    this.#offset = offset;
    this.#digest = new PartDigest(handle, hasher);
    if (offset > 0) void this.#digest.catchUp(offset).catch(() => undefined);
    this.#writer = new BlockWriter(handle, paths.part, offset, (piece, position) =>
      this.#digest.pass(piece, position),
    );
  }

  get offset(): number {
    return this.#offset;
  }

  get partPath(): string {
    return this.#options.paths.part;
  }

  async write(chunk: Buffer): Promise<void> {
    this.#offset += chunk.length;
    await this.#writer.write(chunk);
  }

  async digest(algorithm: HashAlgorithm): Promise<Buffer> {
    await this.#writer.flush();
    try {
      return await this.#digest.digest(algorithm, this.#writer.writtenBytes);
    } catch (error) {
      throw storageError(`read ${this.#options.paths.part}`, error);
    }
  }

  async commit(): Promise<string> {
    const { handle, paths, folder, name, date, isDurable } = this.#options;
    await this.#writer.flush();
    await this.#digest.stop();
    try {
      await setDate(handle, date);
      if (isDurable) await handle.sync();
    } catch (error) {
      throw storageError(`write ${paths.part}`, error);
    }
    const storedAs = await placeFile(paths.part, folder, name);
    if (isDurable) await syncFolder(folder);
    await this.#close(() => rm(paths.state, { force: true }));
    return storedAs;
  }

  async suspend(): Promise<void> {
    await this.#writer.settle();
    // Nothing of it has come yet, so there is nothing to go on with.
    await this.#close(this.#writer.writtenBytes === 0 ? () => this.#remove() : undefined);
  }

  async discard(): Promise<void> {
    await this.#writer.settle();
    await this.#close(() => this.#remove());
  }

  async #remove(): Promise<void> {
    const { part, state } = this.#options.paths;
    await rm(part, { force: true });
    await rm(state, { force: true });
  }

  /** @param clean what is done before the names are another writer's */
  async #close(clean?: () => Promise<void>): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#digest.stop();
    await this.#options.handle.close();
    try {
      await clean?.();
    } finally {
      await this.#options.lock[Symbol.asyncDispose]();
    }
  }
}
