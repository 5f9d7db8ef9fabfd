/**
 * Where reading an archive has got to, kept in a file between runs.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { codeOf, reasonOf, replaceFile } from '../config/private-file.js';
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
      if (codeOf(error) === 'ENOENT') return undefined;
      throw new FileError(`cannot read the mark ${this.#path}: ${reasonOf(error)}`, { cause: error });
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
      await replaceFile(this.#path, (place) => writeFile(place, `${mark}\n`, { mode: 0o600 }));
    } catch (error) {
      // The folder, that is: the file itself is made.
      const reason = codeOf(error) === 'ENOENT' ? 'its folder does not exist' : reasonOf(error);
      throw new FileError(`cannot write the mark ${this.#path}: ${reason}`, { cause: error });
    }
    this.#saved = mark;
    this.#savedAt = this.#now();
  }
}
