/** A file that is kept as the document, in both directions, whatever program edits it. */
import { ProtocolError } from '../../errors.js';
import { mergeWorkingCopy, type MergedText } from '../merge-working-copy.js';
import type { EditingSession } from './editing-session.js';
import { WatchedFile, type SavedText } from './watched-file.js';

export type LiveFileEvent =
  /** What somebody saved has been sent. */
  | { kind: 'sent'; edits: number }
  /** The file has been brought up to date. */
  | { kind: 'written' }
  /** Not sent: the file says something that is no document, or not what the document has to be. It stays as it is. */
  | { kind: 'refused'; reason: string }
  /** Both have changed the same words: both are in the file, between marks, until somebody decides. */
  | { kind: 'conflict'; lines: number[] };

/** So often the document may change while a text is judged, before the next save or edit is waited for. */
const MAX_JUDGEMENTS = 5;

export class LiveFile implements Disposable {
  /** What the file said when file and document were last the same. */
  #base: string;
  /** What was not sent, and why; it is said once. */
  #refused: { text: string; reason: string } | undefined;
  #isMissing = false;
  #next: Promise<void> | undefined;
  #work: Promise<void> = Promise.resolve();

  private constructor(
    private readonly file: WatchedFile,
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
    const watched = await WatchedFile.at(file);
    const live = new LiveFile(watched, session, tell, text);
    await watched.write(text);
    watched.watch(() => live.#syncLater());
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
    await this.file.write(text);
    this.#base = this.session.text;
    this.tell({ kind: 'conflict', lines: conflicts.map(({ line }) => line) });
  }

  /** Why what the file says was not sent, if it was not. */
  get unsent(): string | undefined {
    return this.#isMissing ? 'the file is empty, or gone' : this.#refused?.reason;
  }

  [Symbol.dispose](): void {
    this.file[Symbol.dispose]();
  }

  #syncLater(): void {
    this.sync().catch((error: unknown) => this.tell({ kind: 'refused', reason: (error as Error).message }));
  }

  async #sync(): Promise<void> {
    const mine = await this.file.read();
    this.#isMissing = mine === undefined;
    if (!mine) return;
    if (mine.hasMarks) {
      this.#refused = { text: mine.text, reason: 'both have changed the same words, and nobody has decided' };
      return;
    }
    for (let tries = 0; tries < MAX_JUDGEMENTS; tries++) if (await this.#bringTogether(mine)) return;
    this.#syncLater();
  }

  /** @returns false: the document has changed in the middle of it */
  async #bringTogether(mine: SavedText): Promise<boolean> {
    const theirs = this.session.text;
    if (mine.text === theirs) {
      this.#base = this.file.known = theirs;
      this.#refused = undefined;
      return true;
    }
    if (mine.text !== this.file.known && 'fault' in mine.document) {
      this.#refuse(mine.text, mine.document.fault);
      return true;
    }
    const { text, conflicts } = mergeWorkingCopy(this.#base, mine.text, theirs, {
      mine: 'this file',
      theirs: 'the others',
    });
    if (conflicts.length > 0) {
      if (!(await this.file.write(text, mine.text))) return true;
      this.#base = theirs;
      this.tell({ kind: 'conflict', lines: conflicts.map(({ line }) => line) });
      return true;
    }
    if (text !== theirs) {
      const reason = await this.#judge(mine.text, text);
      if (this.session.hasSchema && this.session.text !== theirs) return false;
      if (reason !== undefined) {
        this.#refuse(mine.text, reason);
        return true;
      }
      if (!this.#send(mine, text)) return true;
    }
    await this.#bringUpToDate(mine.text);
    return true;
  }

  /** Why what the document would become is not valid. */
  async #judge(mine: string, merged: string): Promise<string | undefined> {
    if (!this.session.hasSchema) return undefined;
    const own = await this.session.judge(mine);
    if (own !== undefined || mine === merged) return own && `not valid: ${own}`;
    const together = await this.session.judge(merged);
    return together && `not valid together with what others have changed: ${together}`;
  }

  #send(mine: SavedText, text: string): boolean {
    try {
      const { document } = mine;
      const saved = text !== mine.text || 'fault' in document ? text : document;
      const edits = this.session.apply(saved).length;
      if (edits > 0) this.tell({ kind: 'sent', edits });
      return true;
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#refuse(mine.text, error.message);
      return false;
    }
  }

  #refuse(text: string, reason: string): void {
    if (text === this.#refused?.text) return;
    this.#refused = { text, reason };
    this.tell({ kind: 'refused', reason });
  }

  async #bringUpToDate(mine: string): Promise<void> {
    const now = this.session.text;
    this.#refused = undefined;
    if (now === mine) {
      this.#base = this.file.known = now;
      return;
    }
    if (await this.file.write(now, mine)) {
      this.#base = now;
      this.tell({ kind: 'written' });
    } else {
      // Somebody has saved it again in the meantime: the next round takes care of it.
      this.#base = mine;
      this.#syncLater();
    }
  }
}
