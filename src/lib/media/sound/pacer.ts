/** Calls back every 20 ms of a clock that never goes back: late calls do not shift those after them. */
import { FRAME_MS } from './pcm.js';

export interface PacerClock {
  /** Milliseconds. */
  now(): number;
  /** @returns what ends it */
  after(delayMs: number, call: () => void): () => void;
}

/** After a stall of more than this many frames (200 ms), what was missed is left out: nobody wants it in a burst. */
const MAX_BEHIND = 10;

export const systemClock: PacerClock = {
  now: () => performance.now(),
  after: (delayMs, call) => {
    const timer = setTimeout(call, delayMs);
    return () => clearTimeout(timer);
  },
};

/**
 * @param tick is given the number of the frame, which makes a jump after a stall
 * @returns what ends it
 */
export function startPacer(tick: (frame: number) => void, clock: PacerClock = systemClock): () => void {
  const startMs = clock.now();
  let frame = 0;
  let cancel: () => void = () => undefined;
  let isStopped = false;
  const run = (): void => {
    const due = Math.floor((clock.now() - startMs) / FRAME_MS);
    if (due - frame > MAX_BEHIND) frame = due;
    while (frame <= due && !isStopped) {
      tick(frame);
      frame += 1;
    }
    if (!isStopped) cancel = clock.after(Math.max(0, startMs + frame * FRAME_MS - clock.now()), run);
  };
  cancel = clock.after(0, run);
  return () => {
    isStopped = true;
    cancel();
  };
}
