/**
 * A file that other programs write as well: read when nobody is in the middle of writing it, and replaced without losing
 * what was saved in the meantime.
 */
import { watch, type FSWatcher } from 'node:fs';
import { link, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { FileError, ProtocolError } from '../../errors.js';
import { hasConflictMarks } from '../merge-working-copy.js';
import { parseDocument } from '../parse-document.js';
import type { Tree } from '../tree.js';

/** What a file says, and what that is as a document, if it is one. */
export interface SavedText {
  text: string;
  document: Tree | { fault: string };
  hasMarks: boolean;
}

/** Programs write into a file in several steps: so long a text has to stay the same before it counts. */
const STABLE_MS = 30;
/** The same for one that is no document: that is most often half of one. */
const BROKEN_STABLE_MS = 300;
const MAX_READS = 40;

export class WatchedFile implements Disposable {
  /** What the file is known to say: what was written here, or was taken from it. */
  known = '';
  /** Which file on the disk said so: another under the same name was put there as a whole. */
  #inode: number | undefined;
  /** The last text that was looked at. */
  #last: SavedText | undefined;
  #watcher: FSWatcher | undefined;

  private constructor(private readonly file: string) {}

  /** A link stays one. */
  static async at(file: string): Promise<WatchedFile> {
    return new WatchedFile(await realpath(file).catch(() => file));
  }

  /** The folder: programs save by writing another file and renaming it. */
  watch(onChange: () => void): void {
    this.#watcher = watch(path.dirname(this.file), (_event, name) => {
      if (name === null || name === path.basename(this.file)) onChange();
    });
  }

  [Symbol.dispose](): void {
    this.#watcher?.close();
  }

  /** Undefined while it is not there, or is being written. @throws FileError */
  async read(): Promise<SavedText | undefined> {
    let inode = await this.#readInode();
    let text = await this.#readText();
    for (let reads = 0; text !== undefined && text !== this.known && reads < MAX_READS; reads++) {
      const saved = this.#look(text);
      const isBroken = 'fault' in saved.document && !saved.hasMarks;
      if (isBroken || inode === this.#inode) await wait(isBroken ? BROKEN_STABLE_MS : STABLE_MS);
      const inodeNow = await this.#readInode();
      const again = await this.#readText();
      if (again === text && inodeNow === inode) {
        this.#inode = inode;
        return saved;
      }
      [text, inode] = [again, inodeNow];
    }
    return text === undefined || text !== this.known ? undefined : this.#look(text);
  }

  /**
   * @param expected not if it says something else by now
   * @returns whether it was written, and nothing else has been meanwhile
   * @throws FileError
   */
  async write(text: string, expected?: string): Promise<boolean> {
    const unfinished = `${this.file}.xmppctl-new`;
    const replaced = `${this.file}.xmppctl-old`;
    try {
      const mode = await stat(this.file).then(
        (stats) => stats.mode & 0o777,
        () => 0o666,
      );
      await writeFile(unfinished, text, { mode });
      if (expected !== undefined) {
        await this.#keep(replaced);
        if ((await this.#readText()) !== expected) {
          await rm(unfinished, { force: true });
          return false;
        }
      }
      await rename(unfinished, this.file);
      // A program that has opened the file before writes into what was replaced.
      if (expected !== undefined && !(await this.#stillSays(replaced, expected))) {
        await rename(replaced, this.file);
        return false;
      }
      this.known = text;
      this.#inode = await this.#readInode();
      return true;
    } catch (error) {
      if (error instanceof FileError) throw error;
      throw new FileError(`cannot write ${this.file}: ${(error as Error).message}`, { cause: error });
    } finally {
      if (expected !== undefined) await rm(replaced, { force: true });
    }
  }

  /** Not every file system has links; then it is as if nobody had written. */
  async #keep(name: string): Promise<void> {
    await rm(name, { force: true });
    await link(this.file, name).catch(() => undefined);
  }

  async #stillSays(file: string, expected: string): Promise<boolean> {
    return readFile(file, 'utf8').then(
      (text) => text === expected,
      () => true,
    );
  }

  /** Each text is parsed once. */
  #look(text: string): SavedText {
    if (this.#last?.text !== text)
      this.#last = { text, document: parseSaved(text), hasMarks: hasConflictMarks(text) };
    return this.#last;
  }

  async #readInode(): Promise<number | undefined> {
    return stat(this.file).then(
      ({ ino }) => ino,
      () => undefined,
    );
  }

  /** Undefined while it is not there: programs may remove it, or empty it, before they write it. */
  async #readText(): Promise<string | undefined> {
    try {
      const text = await readFile(this.file, 'utf8');
      return text === '' ? undefined : text;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw new FileError(`cannot read ${this.file}: ${(error as Error).message}`, { cause: error });
    }
  }
}

function parseSaved(text: string): Tree | { fault: string } {
  try {
    return parseDocument(text);
  } catch (error) {
    if (error instanceof ProtocolError) return { fault: error.message };
    throw error;
  }
}
