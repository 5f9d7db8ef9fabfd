/**
 * The numbers of blocks (XEP-0047 §2.2): 16 bits, from 0, for each direction by itself.
 */

const COUNT = 65_536;

export function nextNumber(number: number): number {
  return (number + 1) % COUNT;
}

/** `duplicate`: a number that was used before. `gap`: one from further on, so that something between is lost. */
export type Placement = 'next' | 'duplicate' | 'gap';

/** What a receiver makes of the numbers that come. */
export class BlockOrder {
  #expected = 0;
  /** Before that, a number below the expected one has not been used. */
  #count = 0;

  get expected(): number {
    return this.#expected;
  }

  /** Counts the block when it is the next one. */
  place(number: number): Placement {
    // COMPAT(Libervia 0.9): its numbers begin again after 65534.
    const isShortRound = this.#expected === COUNT - 1 && number === 0;
    if (number === this.#expected || isShortRound) {
      this.#expected = nextNumber(number);
      this.#count += 1;
      return 'next';
    }
    const back = (this.#expected - number + COUNT) % COUNT;
    return back <= Math.min(this.#count, COUNT / 2) ? 'duplicate' : 'gap';
  }
}
