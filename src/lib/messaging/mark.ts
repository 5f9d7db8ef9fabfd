/**
 * Where reading an archive has got to, kept in a file between runs.
 */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { FileError } from '../errors.js';

/** How often a moving mark is written, at most. */
const intervalMs = 1000;

export class MarkFile {
  readonly #path: string;
  readonly #now: () => number;
  #saved: string | undefined;
  #savedAt = 0;

  constructor(path: string, now: () => number) {
    this.#path = path;
    this.#now = now;
  }

  /** @returns undefined when there is no file yet. @throws FileError */
  async load(): Promise<string | undefined> {
    try {
      const text = (await readFile(this.#path, 'utf8')).trim();
      this.#saved = text === '' ? undefined : text;
      return this.#saved;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw new FileError(`cannot read the mark ${this.#path}: ${(error as Error).message}`, {
        cause: error,
      });
    }
  }

  /** Once a second at most; `save` writes the last one. */
  async move(mark: string | undefined): Promise<void> {
    if (this.#now() - this.#savedAt >= intervalMs) await this.save(mark);
  }

  /** The file is replaced whole, so that it is never half written. @throws FileError */
  async save(mark: string | undefined): Promise<void> {
    if (mark === undefined || mark === this.#saved) return;
    try {
      await writeFile(`${this.#path}.new`, `${mark}\n`, { mode: 0o600 });
      await rename(`${this.#path}.new`, this.#path);
    } catch (error) {
      throw new FileError(`cannot write the mark ${this.#path}: ${(error as Error).message}`, {
        cause: error,
      });
    }
    this.#saved = mark;
    this.#savedAt = this.#now();
  }
}
