/** A file that is kept as the document, in both directions, whatever program edits it. */
import { watch, type FSWatcher } from 'node:fs';
import { readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { FileError, ProtocolError } from '../../errors.js';
import { hasConflictMarks, mergeWorkingCopy, type MergedText } from '../merge-working-copy.js';
import { parseDocument } from '../parse-document.js';
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

/** Programs write into a file in several steps: so long a text has to stay the same before it counts. */
const STABLE_MS = 30;
/** The same for one that is no document: that is most often half of one. */
const BROKEN_STABLE_MS = 300;
const MAX_READS = 40;

export class LiveFile implements Disposable {
  /** What the file said when file and document were last the same. */
  #base: string;
  /** What the file is known to say: what was written here, or was taken from it. */
  #known: string;
  /** Which file on the disk said so: another under the same name was put there as a whole. */
  #inode: number | undefined;
  /** What was said to be no document, to say it once. */
  #refused: string | undefined;
  #watcher: FSWatcher | undefined;
  #next: Promise<void> | undefined;
  #work: Promise<void> = Promise.resolve();

  private constructor(
    private readonly file: string,
    private readonly session: EditingSession,
    private readonly tell: (event: LiveFileEvent) => void,
    base: string,
  ) {
    this.#base = this.#known = base;
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
    // A link stays one.
    const target = await realpath(file).catch(() => file);
    const live = new LiveFile(target, session, tell, text);
    await live.#write(text);
    // The folder: programs save by writing another file and renaming it.
    live.#watcher = watch(path.dirname(target), (_event, name) => {
      if (name === null || name === path.basename(target)) live.#syncLater();
    });
    // What was saved before the watching began.
    live.#syncLater();
    return live;
  }

  /** Brings file and document together: after a change of either. */
  sync(): Promise<void> {
    // One that has not begun yet sees what there is to see.
    this.#next ??= this.#work = this.#work.then(() => {
      this.#next = undefined;
      return this.#sync();
    });
    return this.#next;
  }

  /** Both sides have changed the same words while nobody could hear the other: somebody has to decide. */
  async showConflict({ text, conflicts }: MergedText): Promise<void> {
    await this.#work;
    await this.#write(text);
    this.#base = this.session.text;
    this.tell({ kind: 'conflict', lines: conflicts.map(({ line }) => line) });
  }

  [Symbol.dispose](): void {
    this.#watcher?.close();
  }

  #syncLater(): void {
    this.sync().catch((error: unknown) => this.tell({ kind: 'refused', reason: (error as Error).message }));
  }

  async #sync(): Promise<void> {
    const mine = await this.#readWhole();
    if (mine === undefined || hasConflictMarks(mine)) return;
    const theirs = this.session.text;
    if (mine === theirs) {
      this.#base = this.#known = theirs;
      return;
    }
    const fault = mine === this.#known ? undefined : faultOf(mine);
    if (fault !== undefined) {
      this.#refuse(mine, fault);
      return;
    }
    const { text, conflicts } = mergeWorkingCopy(this.#base, mine, theirs, {
      mine: 'this file',
      theirs: 'the others',
    });
    if (conflicts.length > 0) {
      if (!(await this.#write(text, mine))) return;
      this.#base = theirs;
      this.tell({ kind: 'conflict', lines: conflicts.map(({ line }) => line) });
      return;
    }
    try {
      const edits = text === theirs ? 0 : this.session.apply(text).length;
      if (edits > 0) this.tell({ kind: 'sent', edits });
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#refuse(mine, error.message);
      return;
    }
    await this.#bringUpToDate(mine);
  }

  #refuse(text: string, reason: string): void {
    if (text === this.#refused) return;
    this.#refused = text;
    this.tell({ kind: 'refused', reason });
  }

  async #bringUpToDate(mine: string): Promise<void> {
    const now = this.session.text;
    this.#refused = undefined;
    if (now === mine) {
      this.#base = this.#known = now;
      return;
    }
    if (await this.#write(now, mine)) {
      this.#base = now;
      this.tell({ kind: 'written' });
    } else {
      // Somebody has saved it again in the meantime: the next round takes care of it.
      this.#base = mine;
      this.#syncLater();
    }
  }

  /** Undefined while it is not there, or is being written. */
  async #readWhole(): Promise<string | undefined> {
    let inode = await this.#readInode();
    let text = await this.#read();
    for (let reads = 0; text !== undefined && text !== this.#known && reads < MAX_READS; reads++) {
      const isBroken = faultOf(text) !== undefined && !hasConflictMarks(text);
      if (isBroken || inode === this.#inode) await wait(isBroken ? BROKEN_STABLE_MS : STABLE_MS);
      const inodeNow = await this.#readInode();
      const again = await this.#read();
      if (again === text && inodeNow === inode) {
        this.#inode = inode;
        return text;
      }
      [text, inode] = [again, inodeNow];
    }
    return text === this.#known ? text : undefined;
  }

  async #readInode(): Promise<number | undefined> {
    return stat(this.file).then(
      ({ ino }) => ino,
      () => undefined,
    );
  }

  /** Undefined while it is not there: programs may remove it, or empty it, before they write it. */
  async #read(): Promise<string | undefined> {
    try {
      const text = await readFile(this.file, 'utf8');
      return text === '' ? undefined : text;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw new FileError(`cannot read ${this.file}: ${(error as Error).message}`, { cause: error });
    }
  }

  /**
   * @param expected not if it says something else by now
   * @returns whether it was written
   */
  async #write(text: string, expected?: string): Promise<boolean> {
    const unfinished = `${this.file}.xmppctl-new`;
    try {
      const mode = await stat(this.file).then(
        (stats) => stats.mode & 0o777,
        () => 0o666,
      );
      await writeFile(unfinished, text, { mode });
      if (expected !== undefined && (await this.#read()) !== expected) {
        await rm(unfinished, { force: true });
        return false;
      }
      await rename(unfinished, this.file);
      this.#known = text;
      this.#inode = await this.#readInode();
      return true;
    } catch (error) {
      if (error instanceof FileError) throw error;
      throw new FileError(`cannot write ${this.file}: ${(error as Error).message}`, { cause: error });
    }
  }
}

/** Why a text is no document, if it is none. */
function faultOf(text: string): string | undefined {
  try {
    parseDocument(text);
    return undefined;
  } catch (error) {
    if (error instanceof ProtocolError) return error.message;
    throw error;
  }
}
