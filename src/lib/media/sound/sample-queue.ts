/** Samples on their way to the mix: put in as packets come, taken out by the clock. */
import { FRAME_SAMPLES, SAMPLE_RATE } from './pcm.js';

export class SampleQueue {
  readonly #chunks: Int16Array[] = [];
  #offset = 0;
  #size = 0;
  #isFilling = true;

  /**
   * @param startSamples what must be there before the first is taken, and again after it ran dry
   * @param limitSamples what is more than this is thrown away, the oldest first: sound must not come later and later
   */
  constructor(
    private readonly startSamples = FRAME_SAMPLES,
    private readonly limitSamples = SAMPLE_RATE / 4,
  ) {}

  get size(): number {
    return this.#size;
  }

  push(samples: Int16Array): void {
    this.#chunks.push(samples);
    this.#size += samples.length;
    if (this.#size > this.limitSamples) this.#drop(this.#size - this.startSamples - samples.length);
    if (this.#size >= this.startSamples) this.#isFilling = false;
  }

  /** @returns undefined when there is not enough yet; what is there at the end is filled up with silence */
  take(count: number): Int16Array | undefined {
    if (this.#isFilling) return undefined;
    const result = new Int16Array(count);
    let filled = 0;
    while (filled < count && this.#chunks.length > 0) {
      const part = this.#shift(count - filled);
      result.set(part, filled);
      filled += part.length;
    }
    if (this.#size === 0) this.#isFilling = filled < count;
    return filled === 0 ? undefined : result;
  }

  #drop(count: number): void {
    for (let left = count; left > 0 && this.#chunks.length > 0;) left -= this.#shift(left).length;
  }

  #shift(most: number): Int16Array {
    const [chunk] = this.#chunks;
    if (!chunk) return new Int16Array(0);
    const part = chunk.subarray(this.#offset, this.#offset + most);
    this.#offset += part.length;
    this.#size -= part.length;
    if (this.#offset >= chunk.length) {
      this.#chunks.shift();
      this.#offset = 0;
    }
    return part;
  }
}
