/** How far a transfer is, told from time to time rather than for each chunk, and whether it still moves. */

export interface Watch {
  /** Bytes so far. */
  read: () => number;
  /** Called when there are more, at most every `PROGRESS_MS`. */
  report: (bytes: number) => void;
  /** Nothing has moved for so long. */
  stallMs: number;
  /** Called once for each time that nothing has moved for `stallMs`. */
  onStall: () => void;
}

const PROGRESS_MS = 200;

export function watchProgress({ read, report, stallMs, onStall }: Watch): Disposable {
  let last = read();
  let stillMs = 0;
  const everyMs = Math.min(PROGRESS_MS, Math.max(1, stallMs / 4));
  const timer = setInterval(() => {
    const bytes = read();
    if (bytes !== last) {
      last = bytes;
      stillMs = 0;
      report(bytes);
      return;
    }
    stillMs += everyMs;
    if (stillMs < stallMs) return;
    stillMs = 0;
    onStall();
  }, everyMs);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
