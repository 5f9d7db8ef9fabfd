/** The pictures of a file, when their time has come. Read ahead a little. */
import { readPictures, type FilePicture } from './read-pictures.js';

const READ_AHEAD = 30;
/** Between the last picture of a round and the first of the next, when there was only one. */
const DEFAULT_STEP_MS = 40;

export class PictureSource {
  /** Rejects with FileError when the file cannot be read. */
  readonly ready: Promise<void>;
  /** Resolves when the last picture was due, or the rest cannot be read. */
  readonly ended: Promise<void>;
  readonly #waiting: FilePicture[] = [];
  #isClosed = false;
  #hasRoom: () => void = () => undefined;

  constructor(
    private readonly path: string,
    private readonly loops: boolean,
    onError: (error: unknown) => void,
  ) {
    let begin: () => void = () => undefined;
    const begun = new Promise<void>((resolve) => (begin = resolve));
    const running = this.#run(begin);
    let hasBegun = false;
    void begun.then(() => (hasBegun = true));
    // Before the first picture it is a file that cannot be used; after it, pictures that end too early.
    running.catch((error: unknown) => {
      if (hasBegun) onError(error);
    });
    this.ended = running.catch(() => undefined);
    this.ready = Promise.race([begun, running]);
    this.ready.catch(() => undefined);
  }

  /** @param timeMs from the beginning of the call */
  due(timeMs: number): FilePicture[] {
    const pictures: FilePicture[] = [];
    for (let next = this.#waiting[0]; next && next.timeMs <= timeMs; next = this.#waiting[0]) {
      pictures.push(next);
      this.#waiting.shift();
    }
    if (pictures.length > 0) this.#hasRoom();
    return pictures;
  }

  close(): void {
    this.#isClosed = true;
    this.#hasRoom();
  }

  async #run(begin: () => void): Promise<void> {
    let offsetMs = 0;
    let count: number;
    do {
      count = 0;
      let lastMs = 0;
      let stepMs = DEFAULT_STEP_MS;
      for await (const picture of readPictures(this.path)) {
        if (this.#isClosed) return;
        if (count > 0 && picture.timeMs > lastMs) stepMs = picture.timeMs - lastMs;
        lastMs = Math.max(lastMs, picture.timeMs);
        count += 1;
        this.#waiting.push({ ...picture, timeMs: offsetMs + lastMs });
        begin();
        while (this.#isFull()) await this.#room();
      }
      offsetMs += lastMs + stepMs;
    } while (this.loops && count > 0 && !this.#isClosed);
    while (this.#waiting.length > 0 && !this.#isClosed) await this.#room();
  }

  #room(): Promise<void> {
    return new Promise((resolve) => (this.#hasRoom = resolve));
  }

  #isFull(): boolean {
    return this.#waiting.length >= READ_AHEAD && !this.#isClosed;
  }
}
