/**
 * Writing a file from wherever its bytes come in whatever pieces: while one piece is on its way to the operating
 * system the next ones gather, so that a slow sender has every byte stored at once, and a fast one large writes.
 */
import type { FileHandle } from 'node:fs/promises';
import type { FileError } from '../../errors.js';
import { storageError } from './storage-error.js';

/** What may be in memory: gathered, and on its way. A process that is killed loses no more than this. */
const BLOCK_BYTES = 1 << 20;
/** `IOV_MAX` of the systems we run on. */
const MAX_PIECES = 1024;

export class BlockWriter {
  readonly #handle: FileHandle;
  /** For errors. */
  readonly #path: string;
  readonly #beforeWrite: (piece: Buffer, position: number) => void;
  #pieces: Buffer[] = [];
  #gatheredBytes = 0;
  #writing: Promise<void> | undefined;
  #waiting: (() => void)[] = [];
  #failure: FileError | undefined;
  #position: number;

  /** @param beforeWrite sees every piece once, in order, with its place in the file; what is before the first of some is written */
  constructor(
    handle: FileHandle,
    path: string,
    position: number,
    beforeWrite: (piece: Buffer, position: number) => void,
  ) {
    this.#handle = handle;
    this.#path = path;
    this.#position = position;
    this.#beforeWrite = beforeWrite;
  }

  /** Everything before this has been handed to the operating system: it survives the end of this process. */
  get writtenBytes(): number {
    return this.#position;
  }

  /** The piece is ours from now on. Resolves when there is room for the next. @throws FileError */
  async write(piece: Buffer): Promise<void> {
    if (this.#failure) throw this.#failure;
    this.#pieces.push(piece);
    this.#gatheredBytes += piece.length;
    this.#writing ??= this.#writeGathered();
    while (this.#gatheredBytes >= BLOCK_BYTES || this.#pieces.length >= MAX_PIECES) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
      this.#throwIfFailed();
    }
  }

  /** Resolves when everything has been written. @throws FileError */
  async flush(): Promise<void> {
    await this.#writing;
    this.#throwIfFailed();
  }

  /** Resolves when nothing is being written any more, whatever became of it. */
  async settle(): Promise<void> {
    await this.#writing;
  }

  #throwIfFailed(): void {
    if (this.#failure) throw this.#failure;
  }

  async #writeGathered(): Promise<void> {
    try {
      while (this.#pieces.length > 0) {
        const pieces = this.#pieces;
        this.#pieces = [];
        this.#gatheredBytes = 0;
        this.#wake();
        let position = this.#position;
        for (const piece of pieces) {
          this.#beforeWrite(piece, position);
          position += piece.length;
        }
        await this.#writeAll(pieces);
      }
    } catch (error) {
      this.#failure = storageError(`write ${this.#path}`, error);
    } finally {
      this.#writing = undefined;
      this.#wake();
    }
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** The system may take less than it is given: a disk that is nearly full does. */
  async #writeAll(pieces: Buffer[]): Promise<void> {
    let rest = pieces;
    while (rest.length > 0) {
      const [only] = rest;
      const { bytesWritten } =
        rest.length === 1 && only
          ? await this.#handle.write(only, 0, only.length, this.#position)
          : await this.#handle.writev(rest, this.#position);
      this.#position += bytesWritten;
      rest = without(rest, bytesWritten);
    }
  }
}

function without(pieces: Buffer[], bytes: number): Buffer[] {
  let skip = bytes;
  for (const [index, piece] of pieces.entries()) {
    if (skip < piece.length) return [piece.subarray(skip), ...pieces.slice(index + 1)];
    skip -= piece.length;
  }
  return [];
}
