/** How numbers are spread, in memory that does not grow with how many there are. */

/** Two numbers that differ by less than this factor may fall together. */
const step = Math.log(1.01);

export class Histogram {
  readonly #buckets = new Map<number, { count: number; sum: number }>();
  #count = 0;
  #max = 0;

  get count(): number {
    return this.#count;
  }

  get max(): number {
    return this.#max;
  }

  add(value: number): void {
    const key = value <= 0 ? Number.NEGATIVE_INFINITY : Math.floor(Math.log(value) / step);
    const bucket = this.#buckets.get(key);
    if (bucket) {
      bucket.count += 1;
      bucket.sum += value;
    } else this.#buckets.set(key, { count: 1, sum: value });
    this.#count += 1;
    this.#max = Math.max(this.#max, value);
  }

  /** The number that a share of all does not exceed, to within a hundredth; 0 when there is none. */
  percentile(share: number): number {
    let left = Math.ceil(this.#count * share);
    for (const [, { count, sum }] of [...this.#buckets].sort(([a], [b]) => a - b)) {
      left -= count;
      if (left <= 0) return Math.round((sum / count) * 1000) / 1000;
    }
    return 0;
  }
}
