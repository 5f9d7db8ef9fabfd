/**
 * Which accounts have been met, in 16 bytes for each: a million of them must not fill the memory.
 */
import { createHash } from 'node:crypto';

export class SeenAccounts {
  /** Halves of the digests, two beside each other; both 0 where a place is free. */
  #places = new Uint32Array(2 * 4096);
  #count = 0;

  /** Returns whether it is new. */
  add(account: string): boolean {
    // Chance finds two equal ones among a million in one of 30 million inputs.
    const digest = createHash('sha1').update(account).digest();
    const isNew = this.#put(digest.readUInt32LE(0) | 1, digest.readUInt32LE(4));
    if (isNew) this.#count += 1;
    if (this.#count * 3 > this.#places.length) this.#grow();
    return isNew;
  }

  #put(first: number, second: number): boolean {
    const low = first >>> 0;
    const size = this.#places.length / 2;
    for (let index = second % size; ; index = (index + 1) % size) {
      const at = index * 2;
      if (this.#places[at] === 0) {
        this.#places[at] = low;
        this.#places[at + 1] = second;
        return true;
      }
      if (this.#places[at] === low && this.#places[at + 1] === second) return false;
    }
  }

  #grow(): void {
    const before = this.#places;
    this.#places = new Uint32Array(before.length * 2);
    for (let at = 0; at < before.length; at += 2) {
      if (before[at] !== 0) this.#put(before[at] ?? 0, before[at + 1] ?? 0);
    }
  }
}
