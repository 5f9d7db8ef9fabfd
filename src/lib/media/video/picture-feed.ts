/**
 * What one peer is sent of the pictures of a file. These are sent as they are, so a key frame cannot be made when somebody
 * comes late or has lost something: instead the last one of the file is sent again, with all that came after it, as fast as
 * the path may be expected to take it, until the peer has caught up with the others.
 */
import type { FilePicture } from './read-pictures.js';

/** Of the file between two key frames: half a minute, or the largest that is kept. */
const MAX_PICTURES = 900;
const MAX_BYTES = 8 * 1024 * 1024;
/** What is sent at once to who catches up: some 25 Mbit/s, and less than a socket holds. */
const BYTES_AT_ONCE = 64 * 1024;
/** How often a peer may have the last key frame again. */
const AGAIN_EVERY_MS = 500;
/** Between pictures that are sent again, whose own time is over. */
const STEP_MS = 1;

/** The pictures from the last key frame on. Shared by all peers. */
export class PictureHistory {
  #pictures: FilePicture[] = [];
  #sizeBytes = 0;

  /** Empty when there was none, or it was too long ago. */
  get pictures(): readonly FilePicture[] {
    return this.#pictures;
  }

  push(picture: FilePicture): void {
    if (picture.isKey) this.#clear();
    else if (this.#pictures.length === 0) return;
    this.#pictures.push(picture);
    this.#sizeBytes += picture.data.length;
    if (this.#pictures.length > MAX_PICTURES || this.#sizeBytes > MAX_BYTES) this.#clear();
  }

  #clear(): void {
    this.#pictures = [];
    this.#sizeBytes = 0;
  }
}

export class PictureFeed {
  #queue: FilePicture[] = [];
  #needsKey = true;
  #lastMs: number | undefined;
  #begunMs = -Infinity;

  /** The peer has no picture to build upon. */
  requestKeyFrame(nowMs: number): void {
    // It is on its way.
    if (this.#queue.length > 0 || nowMs - this.#begunMs < AGAIN_EVERY_MS) return;
    this.#needsKey = true;
  }

  /**
   * What is sent now.
   * @param due what all are sent now, and what the history has already
   * @returns times that never go back, and are later than those of before
   */
  next(due: readonly FilePicture[], history: PictureHistory, nowMs: number): FilePicture[] {
    if (this.#needsKey) this.#begin(due, history, nowMs);
    else this.#queue.push(...due);
    const sent: FilePicture[] = [];
    let sizeBytes = 0;
    while (this.#queue.length > 0 && sizeBytes < BYTES_AT_ONCE) {
      const picture = this.#queue.shift();
      if (!picture) break;
      sizeBytes += picture.data.length;
      const { timeMs } = picture;
      this.#lastMs = this.#lastMs === undefined || timeMs > this.#lastMs ? timeMs : this.#lastMs + STEP_MS;
      sent.push({ ...picture, timeMs: this.#lastMs });
    }
    // A path that takes less than the file wants would never catch up.
    if (this.#queue.length > MAX_PICTURES) {
      this.#queue = [];
      this.#needsKey = true;
    }
    return sent;
  }

  #begin(due: readonly FilePicture[], history: PictureHistory, nowMs: number): void {
    const key = due.findIndex(({ isKey }) => isKey);
    // One that comes just now needs nothing of what was before it.
    const from = key >= 0 ? due.slice(key) : history.pictures;
    if (from.length === 0) return;
    this.#queue = [...from];
    this.#needsKey = false;
    this.#begunMs = nowMs;
  }
}
