/** Sound at another rate: a windowed sinc for each position between samples, in pieces, without clicks between them. */

/** Zero crossings on each side: enough that what is folded back is below −80 dB. */
const CROSSINGS = 16;
/** Positions between two samples that the kernel is computed for; between those it is interpolated. */
const PHASES = 256;

export class Resampler {
  readonly #step: number;
  readonly #reach: number;
  readonly #kernel: Float32Array;
  #history: Float32Array;
  /** Where the next sample lies, counted from the start of the history. */
  #position: number;

  constructor(fromRate: number, toRate: number) {
    this.#step = fromRate / toRate;
    // Going down, everything above the new limit is cut off first (a wider and lower kernel).
    const cutoff = Math.min(1, toRate / fromRate) * 0.97;
    this.#reach = Math.ceil(CROSSINGS / cutoff);
    this.#kernel = kernelOf(this.#reach, cutoff);
    this.#history = new Float32Array(this.#reach);
    this.#position = this.#reach;
  }

  push(input: Float32Array): Float32Array {
    const all = new Float32Array(this.#history.length + input.length);
    all.set(this.#history);
    all.set(input, this.#history.length);
    const output: number[] = [];
    while (this.#position + this.#reach < all.length) {
      output.push(this.#at(all, this.#position));
      this.#position += this.#step;
    }
    const kept = Math.max(0, Math.floor(this.#position) - this.#reach);
    this.#history = all.slice(kept);
    this.#position -= kept;
    return Float32Array.from(output);
  }

  /** What is still inside. */
  end(): Float32Array {
    return this.push(new Float32Array(this.#reach));
  }

  #at(samples: Float32Array, position: number): number {
    const base = Math.floor(position);
    const fraction = position - base;
    let sum = 0;
    for (let offset = 1 - this.#reach; offset <= this.#reach; offset += 1) {
      const distance = Math.abs(offset - fraction) * PHASES;
      const index = Math.floor(distance);
      const low = this.#kernel[index] ?? 0;
      const high = this.#kernel[index + 1] ?? 0;
      sum += (samples[base + offset] ?? 0) * (low + (high - low) * (distance - index));
    }
    return sum;
  }
}

/** One half, as it is the same on both sides. */
function kernelOf(reach: number, cutoff: number): Float32Array {
  return Float32Array.from({ length: reach * PHASES + 2 }, (_, index) => {
    const distance = index / PHASES;
    if (distance >= reach) return 0;
    const angle = Math.PI * distance * cutoff;
    const sinc = distance === 0 ? 1 : Math.sin(angle) / angle;
    const turn = (Math.PI * distance) / reach;
    // Blackman.
    const window = 0.42 + 0.5 * Math.cos(turn) + 0.08 * Math.cos(2 * turn);
    return cutoff * sinc * window;
  });
}
