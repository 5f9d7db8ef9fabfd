/** Sleeps that are ended early by what happens meanwhile. */
import { interruption } from '../session/wait.js';

export class Waker {
  readonly #signal: AbortSignal;
  #wake: ((isOver: boolean) => void) | undefined;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  /** Something came; `isOver` when nothing will come any more. */
  wake(isOver: boolean): void {
    this.#wake?.(isOver);
  }

  /** @param isWoken ends early when something comes, and not only at the end @throws InterruptedError */
  async sleep(ms: number, isWoken: boolean): Promise<void> {
    const signal = this.#signal;
    await new Promise<void>((resolve, reject) => {
      const finish = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', onAbort);
        this.#wake = undefined;
      };
      const onAbort = (): void => {
        finish();
        reject(interruption(signal, 'replaying'));
      };
      const timer = setTimeout(() => {
        finish();
        resolve();
      }, ms);
      this.#wake = (isOver) => {
        if (!isWoken && !isOver) return;
        finish();
        resolve();
      };
      if (signal.aborted) onAbort();
      else signal.addEventListener('abort', onAbort);
    });
  }
}
