/** A received file that goes into a pipe (`-o -`): in order, once, and with nothing kept for another run. */
import type { Writable } from 'node:stream';
import type { FileError } from '../../errors.js';
import { createHasher, type Hasher } from '../../hashes/hasher.js';
import { strongestOf, type HashAlgorithm } from '../../hashes/hashes.js';
import { storageError } from './storage-error.js';
import type { FileFacts, FileSink } from '../transfer.js';

/**
 * @param out stays open: it may be stdout, and more files may follow
 * @param facts decide which hash is computed
 */
export async function openPipeSink(
  out: Writable,
  facts: Pick<FileFacts, 'hashes' | 'promisedHashes'>,
): Promise<FileSink> {
  const algorithm = strongestOf([...facts.hashes.map((hash) => hash.algorithm), ...facts.promisedHashes]);
  return new PipeSink(out, await createHasher(algorithm ?? 'sha-256'));
}

class PipeSink implements FileSink {
  readonly #out: Writable;
  readonly #hasher: Hasher;
  #offset = 0;
  #failure: FileError | undefined;
  #wake: (() => void) | undefined;
  readonly #onError = (error: Error): void => this.#fail(error);
  readonly #onClose = (): void => this.#fail(Object.assign(new Error('closed'), { code: 'EPIPE' }));
  readonly #onDrain = (): void => this.#wakeUp();

  constructor(out: Writable, hasher: Hasher) {
    this.#out = out;
    this.#hasher = hasher;
    out.on('error', this.#onError);
    out.on('close', this.#onClose);
    out.on('drain', this.#onDrain);
    if (out.destroyed) this.#onClose();
  }

  /** Within this run: what went into the pipe is gone, but a broken path is taken up where it was. */
  get offset(): number {
    return this.#offset;
  }

  async write(chunk: Buffer): Promise<void> {
    if (this.#failure) throw this.#failure;
    this.#hasher.update(chunk);
    this.#offset += chunk.length;
    if (this.#out.write(chunk)) return;
    await this.#change();
  }

  digest(algorithm: HashAlgorithm): Promise<Buffer | undefined> {
    return Promise.resolve(algorithm === this.#hasher.algorithm ? this.#hasher.digest() : undefined);
  }

  /** Resolves when the reader, or the operating system for it, has everything. */
  async commit(): Promise<undefined> {
    while (!this.#failure && this.#out.writableLength > 0) {
      await new Promise<void>((resolve) => this.#out.write('', () => resolve()));
    }
    this.#detach();
    if (this.#failure) throw this.#failure;
    return undefined;
  }

  suspend(): Promise<void> {
    this.#detach();
    return Promise.resolve();
  }

  discard(): Promise<void> {
    return this.suspend();
  }

  async #change(): Promise<void> {
    await new Promise<void>((resolve) => (this.#wake = resolve));
    if (this.#failure) throw this.#failure;
  }

  #wakeUp(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  #fail(error: Error): void {
    this.#failure ??= storageError('write to the pipe', error);
    this.#wakeUp();
  }

  #detach(): void {
    this.#out.off('error', this.#onError);
    this.#out.off('close', this.#onClose);
    this.#out.off('drain', this.#onDrain);
  }
}
