/** Time that passes only when it is told to. */
import type { Clock } from '../../../src/lib/sxe/session/clock.js';

export class VirtualClock implements Clock {
  nowMs = 0;
  #count = 0;
  readonly #due = new Map<number, { atMs: number; act: () => void }>();

  after(ms: number, act: () => void): () => void {
    const number = ++this.#count;
    this.#due.set(number, { atMs: this.nowMs + ms, act });
    return () => this.#due.delete(number);
  }

  /** Lets everything happen that is due until then; what promises do comes in between. */
  async pass(ms: number): Promise<void> {
    const endMs = this.nowMs + ms;
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      let next: [number, { atMs: number; act: () => void }] | undefined;
      for (const entry of this.#due) if (!next || entry[1].atMs < next[1].atMs) next = entry;
      if (!next || next[1].atMs > endMs) break;
      this.#due.delete(next[0]);
      this.nowMs = next[1].atMs;
      next[1].act();
    }
    this.nowMs = endMs;
  }
}
