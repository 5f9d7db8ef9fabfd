/** How far a transfer is, told from time to time rather than for each chunk, and whether it still moves. */

export interface Watch {
  /** Bytes so far. */
  read: () => number;
  /** Called when there are more, at most every `PROGRESS_MS`. */
  report: (bytes: number) => void;
  /** Nothing has to move now; what it waits for then is not a stall. */
  isIdle?: () => boolean;
  stallMs: number;
  /** Called each time that nothing has moved for another `stallMs`, with how long it has been all together. */
  onStall: (stillMs: number) => void;
}

const PROGRESS_MS = 200;

export function watchProgress({ read, report, isIdle, stallMs, onStall }: Watch): Disposable {
  let last = read();
  let stillMs = 0;
  let toldMs = 0;
  const everyMs = Math.min(PROGRESS_MS, Math.max(1, stallMs / 4));
  const timer = setInterval(() => {
    const bytes = read();
    const hasMoved = bytes !== last;
    if (hasMoved || isIdle?.() === true) stillMs = toldMs = 0;
    else stillMs += everyMs;
    if (hasMoved) report((last = bytes));
    if (stillMs < toldMs + stallMs) return;
    toldMs = stillMs;
    onStall(stillMs);
  }, everyMs);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
