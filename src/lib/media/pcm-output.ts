/** Sound for a program that reads it. Who reads too slowly misses some: nothing is kept for later. */
import { toBytes } from './sound/pcm.js';

export class PcmOutput {
  #isFull = false;
  #isBroken = false;
  #hasWarned = false;

  constructor(
    private readonly stream: NodeJS.WritableStream,
    onWarning: (text: string) => void,
  ) {
    stream.on('drain', () => (this.#isFull = false));
    stream.on('error', () => (this.#isBroken = true));
    this.#warn = () => {
      if (!this.#hasWarned) onWarning('what is heard is read too slowly: parts of it are left out');
      this.#hasWarned = true;
    };
  }

  readonly #warn: () => void;

  write(frame: Int16Array): void {
    if (this.#isBroken) return;
    if (this.#isFull) this.#warn();
    else this.#isFull = !this.stream.write(toBytes(frame));
  }
}
