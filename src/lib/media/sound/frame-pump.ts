/** Reads a source ahead of the clock, a little, and no faster than it is taken. */
import type { FrameSource, SourceFrame } from './frame-source.js';

/** Half a second: enough for a slow disk, little enough that a live source is not late. */
const READ_AHEAD = 25;

interface PumpOptions {
  loops: boolean;
  /** Files are there or not; what comes by a pipe may take its time to begin. */
  isFile: boolean;
  /** Nothing is opened before the first frame is wanted: what is heard of a microphone is of that moment. */
  isLive?: boolean;
}

/** @param open called again for each round of a source that loops */
export function pumpFrames(open: () => AsyncGenerator<SourceFrame>, options: PumpOptions): FrameSource {
  return new FramePump(open, options);
}

class FramePump implements FrameSource {
  readonly ended: Promise<void>;
  readonly ready: Promise<void>;
  readonly #loops: boolean;
  #begin: () => void = () => undefined;
  #want: () => void = () => undefined;
  readonly #frames: SourceFrame[] = [];
  #isDone = false;
  #isClosed = false;
  #hasRoom: (() => void) | undefined;
  #current: AsyncGenerator<SourceFrame> | undefined;

  constructor(
    private readonly open: () => AsyncGenerator<SourceFrame>,
    options: PumpOptions,
  ) {
    this.#loops = options.loops;
    const wanted =
      options.isLive === true ? new Promise<void>((resolve) => (this.#want = resolve)) : Promise.resolve();
    this.ended = wanted.then(() => this.#run()).finally(() => (this.#isDone = true));
    // Whoever asks is told; nobody has to.
    this.ended.catch(() => undefined);
    const begun = new Promise<void>((resolve) => (this.#begin = resolve));
    this.ready = options.isFile ? Promise.race([begun, this.ended]) : Promise.resolve();
    this.ready.catch(() => undefined);
  }

  next(): SourceFrame | 'wait' | 'end' {
    this.#want();
    const frame = this.#frames.shift();
    this.#hasRoom?.();
    if (frame) return frame;
    return this.#isDone ? 'end' : 'wait';
  }

  close(): void {
    this.#isClosed = true;
    this.#hasRoom?.();
    void this.#current?.return(undefined).catch(() => undefined);
  }

  async #run(): Promise<void> {
    let count: number;
    do {
      count = 0;
      this.#current = this.open();
      for await (const frame of this.#current) {
        if (this.#isClosed) return;
        count += 1;
        this.#frames.push(frame);
        this.#begin();
        while (this.#isFull()) await this.#room();
      }
      // A source without a single frame must not be looped for ever.
    } while (this.#loops && count > 0 && !this.#isClosed);
    while (this.#frames.length > 0 && !this.#isClosed) await this.#room();
  }

  #isFull(): boolean {
    return this.#frames.length >= READ_AHEAD && !this.#isClosed;
  }

  #room(): Promise<void> {
    return new Promise((resolve) => {
      this.#hasRoom = () => {
        this.#hasRoom = undefined;
        resolve();
      };
    });
  }
}
