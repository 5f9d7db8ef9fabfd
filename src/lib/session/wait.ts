/**
 * Bounded waits: nothing in a session waits without a time-out and an AbortSignal.
 */
import { InterruptedError, TimeoutError, XmppctlError } from '../errors.js';

export interface Bounds {
  /** What is being waited for, as it ends the sentence "timed out …" and "interrupted …". */
  doing: string;
  /** Milliseconds; no limit when left out. */
  timeoutMs?: number | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * The outcome of `work`, if it comes in time. What the work itself comes to later is ignored.
 *
 * @throws TimeoutError @throws InterruptedError
 */
export function within<T>(work: Promise<T>, { doing, timeoutMs, signal }: Bounds): Promise<T> {
  if (timeoutMs === undefined && signal === undefined) return work;
  return new Promise<T>((resolve, reject) => {
    const timer =
      timeoutMs === undefined
        ? undefined
        : setTimeout(() => {
            end();
            reject(timedOut(doing, timeoutMs));
          }, timeoutMs);
    const onAbort = (): void => {
      end();
      reject(interruption(signal, doing));
    };
    const end = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    };
    work.then(
      (value) => {
        end();
        resolve(value);
      },
      (error: unknown) => {
        end();
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- passed on as it came
        reject(error);
      },
    );
    if (signal?.aborted) onAbort();
    else signal?.addEventListener('abort', onAbort);
  });
}

export function timedOut(doing: string, timeoutMs: number): TimeoutError {
  return new TimeoutError(`timed out after ${timeoutMs / 1000} s ${doing}`, {
    hint: 'a longer --timeout may help',
    details: { timeoutMs },
  });
}

/** The error that an aborted signal ends a wait with: its own reason where that is one of ours. */
export function interruption(signal: AbortSignal | undefined, doing: string): XmppctlError {
  const reason: unknown = signal?.reason;
  return reason instanceof XmppctlError
    ? reason
    : new InterruptedError(`interrupted ${doing}`, { cause: reason });
}

/** A promise with its ends in hand. A rejection that nobody awaits is not an unhandled one. */
export class Deferred<T> {
  readonly promise: Promise<T>;
  resolve!: (value: T) => void;
  reject!: (error: Error) => void;

  constructor() {
    this.promise = new Promise<T>((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    this.promise.catch(() => undefined);
  }
}
