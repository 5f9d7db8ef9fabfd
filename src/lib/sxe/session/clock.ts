/** Time and chance, so that a test can have its own. */
import { randomBytes } from 'node:crypto';

export interface Clock {
  /** @returns calls it off */
  after(ms: number, act: () => void): () => void;
}

const systemClock: Clock = {
  after: (ms, act) => {
    const timer = setTimeout(act, ms);
    return () => clearTimeout(timer);
  },
};

export interface Surroundings {
  clock: Clock;
  /** A name for one stay in a session (CLARIFICATIONS 14). */
  newSite: () => string;
}

export const realSurroundings: Surroundings = {
  clock: systemClock,
  newSite: () => randomBytes(8).toString('hex'),
};

/** One thing that is to happen later, or not. */
export class Alarm {
  #cancel: (() => void) | undefined;

  constructor(private readonly clock: Clock) {}

  get isSet(): boolean {
    return this.#cancel !== undefined;
  }

  /** Instead of what it was set to before. */
  set(ms: number, act: () => void): void {
    this.cancel();
    this.#cancel = this.clock.after(ms, () => {
      this.#cancel = undefined;
      act();
    });
  }

  cancel(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}
