/**
 * How many blocks may be under way at once.
 *
 * The window follows the round trip, as TCP Vegas does: what the round trip takes longer than the shortest one seen is
 * time spent in queues, so the window grows while few blocks are queued and shrinks when many are. More than the path
 * needs gains nothing, and delays every other stanza of the connection.
 */

export interface WindowLimits {
  min: number;
  max: number;
}

/** Queued blocks below which the window grows … */
const FEW_QUEUED = 12;
/** … and above which it shrinks. */
const MANY_QUEUED = 36;

export class SendWindow {
  readonly #limits: WindowLimits;
  #size: number;
  #shortestMs = Number.POSITIVE_INFINITY;
  /** Of the blocks acknowledged since the window was looked at last: one window's worth is one round trip. */
  #acknowledged = 0;
  #sumMs = 0;

  constructor(limits: WindowLimits) {
    this.#limits = limits;
    this.#size = limits.min;
  }

  get size(): number {
    return this.#size;
  }

  /** @param roundTripMs from the sending of a block to its acknowledgement */
  acknowledge(roundTripMs: number): void {
    // Clocks are coarse, and nothing arrives before it was sent.
    const ms = Math.max(roundTripMs, 0.1);
    this.#shortestMs = Math.min(this.#shortestMs, ms);
    this.#acknowledged += 1;
    this.#sumMs += ms;
    if (this.#acknowledged < this.#size) return;
    const queued = this.#size * (1 - this.#shortestMs / (this.#sumMs / this.#acknowledged));
    if (queued < FEW_QUEUED) this.#size += Math.max(1, Math.floor(this.#size / 4));
    else if (queued > MANY_QUEUED) this.#size -= 1;
    this.#size = Math.min(this.#limits.max, Math.max(this.#limits.min, this.#size));
    this.#acknowledged = 0;
    this.#sumMs = 0;
  }
}
