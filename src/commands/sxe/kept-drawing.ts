/** The file that is kept as the drawing: not for every movement of a pen, but soon. */
import type { EditingSession } from '../../lib/sxe/session/editing-session.js';
import type { LiveFile } from '../../lib/sxe/session/live-file.js';
import type { MergedText } from '../../lib/sxe/merge-working-copy.js';
import { openLiveFile } from './keep-alive.js';

export interface KeptDrawingHandlers {
  /** Somebody else has saved the file. */
  onSaved: () => void;
  warn: (text: string) => void;
}

const SAVE_MS = 250;
/** A large drawing is saved less often: it is not to be all that is done. */
const SAVE_PART = 0.1;

export class KeptDrawing implements Disposable {
  #timer: NodeJS.Timeout | undefined;
  #waitMs = SAVE_MS;
  #changes = 0;
  #isOver = false;

  private constructor(
    private readonly live: LiveFile | undefined,
    private readonly warn: (text: string) => void,
  ) {}

  /** @param file undefined: there is none, and nothing is kept @throws FileError */
  static async open(
    editing: EditingSession,
    file: string | undefined,
    { onSaved, warn }: KeptDrawingHandlers,
  ): Promise<KeptDrawing> {
    const tell = (): Promise<void> => {
      onSaved();
      return Promise.resolve();
    };
    const live = file === undefined ? undefined : await openLiveFile(editing, file, { tell, warn });
    return new KeptDrawing(live, warn);
  }

  saveSoon(): void {
    if (!this.live) return;
    this.#changes += 1;
    this.#timer ??= setTimeout(() => void this.#saveNow(), this.#waitMs);
  }

  async #saveNow(): Promise<void> {
    const started = performance.now();
    const changes = this.#changes;
    try {
      await this.save();
    } catch (error) {
      this.warn((error as Error).message);
    }
    this.#waitMs = Math.max(SAVE_MS, (performance.now() - started) / SAVE_PART);
    this.#timer = undefined;
    // Something has come while it was written.
    if (this.#changes !== changes && !this.#isOver) this.saveSoon();
  }

  /** @throws FileError */
  async save(): Promise<void> {
    await this.live?.sync();
  }

  /** Both sides have changed the same while nobody could hear the other. */
  async showConflict(merged: MergedText): Promise<void> {
    if (this.live) await this.live.showConflict(merged);
    else this.warn('the others have changed the same meanwhile: what they have is shown');
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.live?.[Symbol.dispose]();
  }
}
