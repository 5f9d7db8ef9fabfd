/** A file that is kept as the document, in both directions, whatever program edits it. */
import { watch, type FSWatcher } from 'node:fs';
import { readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { FileError, ProtocolError } from '../../errors.js';
import { hasConflictMarks, mergeWorkingCopy, type MergedText } from '../merge-working-copy.js';
import type { EditingSession } from './editing-session.js';

export type LiveFileEvent =
  /** What somebody saved has been sent. */
  | { kind: 'sent'; edits: number }
  /** The file has been brought up to date. */
  | { kind: 'written' }
  /** Not sent: the file says something that is no document. It stays as it is. */
  | { kind: 'refused'; reason: string }
  /** Both have changed the same words: both are in the file, between marks, until somebody decides. */
  | { kind: 'conflict'; lines: number[] };

/** Programs write in several steps. */
const SETTLE_MS = 80;

export class LiveFile implements Disposable {
  /** What the file said when file and document were last the same. */
  #base: string;
  #watcher: FSWatcher | undefined;
  #timer: NodeJS.Timeout | undefined;
  #work: Promise<void> = Promise.resolve();

  private constructor(
    private readonly file: string,
    private readonly session: EditingSession,
    private readonly tell: (event: LiveFileEvent) => void,
    base: string,
  ) {
    this.#base = base;
  }

  /**
   * Writes the document into the file and watches it.
   * @throws FileError
   */
  static async open(
    file: string,
    session: EditingSession,
    tell: (event: LiveFileEvent) => void,
  ): Promise<LiveFile> {
    const text = session.text;
    const live = new LiveFile(file, session, tell, text);
    await live.#write(text);
    // The folder: programs save by writing another file and renaming it.
    live.#watcher = watch(path.dirname(file), (_event, name) => {
      if (name === null || name === path.basename(file)) live.#settle();
    });
    return live;
  }

  /** Brings file and document together: after a change of either. */
  sync(): Promise<void> {
    this.#work = this.#work.then(() => this.#sync());
    return this.#work;
  }

  /** Both sides have changed the same words while nobody could hear the other: somebody has to decide. */
  async showConflict({ text, conflicts }: MergedText): Promise<void> {
    await this.#work;
    await this.#write(text);
    this.#base = this.session.text;
    this.tell({ kind: 'conflict', lines: conflicts.map(({ line }) => line) });
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#watcher?.close();
  }

  #settle(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.sync().catch((error: unknown) => this.tell({ kind: 'refused', reason: (error as Error).message }));
    }, SETTLE_MS);
  }

  async #sync(): Promise<void> {
    const mine = await this.#read();
    const theirs = this.session.text;
    if (mine === undefined || mine === theirs) {
      this.#base = theirs;
      return;
    }
    if (hasConflictMarks(mine)) return;
    const { text, conflicts } = mergeWorkingCopy(this.#base, mine, theirs, {
      mine: 'this file',
      theirs: 'the others',
    });
    if (conflicts.length > 0) {
      await this.#write(text);
      this.#base = theirs;
      this.tell({ kind: 'conflict', lines: conflicts.map(({ line }) => line) });
      return;
    }
    try {
      const edits = text === theirs ? 0 : this.session.apply(text).length;
      if (edits > 0) this.tell({ kind: 'sent', edits });
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.tell({ kind: 'refused', reason: error.message });
      return;
    }
    await this.#bringUpToDate(mine);
  }

  async #bringUpToDate(mine: string): Promise<void> {
    const now = this.session.text;
    this.#base = now;
    if (now === mine) return;
    // Somebody has saved it again in the meantime: the next round takes care of it.
    if ((await this.#read()) !== mine) {
      this.#base = mine;
      this.#settle();
      return;
    }
    await this.#write(now);
    this.tell({ kind: 'written' });
  }

  /** Undefined while it is not there: programs may remove it before they write it. */
  async #read(): Promise<string | undefined> {
    try {
      return await readFile(this.file, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw new FileError(`cannot read ${this.file}: ${(error as Error).message}`, { cause: error });
    }
  }

  async #write(text: string): Promise<void> {
    const unfinished = `${this.file}.xmppctl-new`;
    try {
      await writeFile(unfinished, text);
      await rename(unfinished, this.file);
    } catch (error) {
      throw new FileError(`cannot write ${this.file}: ${(error as Error).message}`, { cause: error });
    }
  }
}
