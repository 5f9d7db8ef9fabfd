/** The same work for many accounts: so many at a time, so many a second, and what fails for one stops no other. */
import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConnectError, FileError, InterruptedError, StreamError, XmppctlError } from '../../errors.js';

export interface PaceOptions {
  concurrency: number;
  /** Accounts a second; undefined: as fast as it goes. */
  rate: number | undefined;
  /** All accounts are reached over one connection: without it nothing goes on. */
  isConnectionShared: boolean;
  signal: AbortSignal;
}

/**
 * @param work for one account
 * @param onFailure it could not be done for this one; the others go on
 * @throws what ends everything: the stream or the journal is lost, or somebody wants it to end
 */
export async function forEachAccount<A>(
  accounts: Iterable<A> | AsyncIterable<A>,
  { concurrency, rate, isConnectionShared, signal }: PaceOptions,
  work: (account: A) => Promise<void>,
  onFailure: (account: A, error: XmppctlError) => Promise<void>,
): Promise<void> {
  // All that waits for an answer listens to it; Node would call that a leak.
  setMaxListeners(0, signal);
  const stop = new AbortController();
  const iterator = iteratorOf(accounts);
  let turn: Promise<unknown> = Promise.resolve();
  let nextAt = 0;
  /** One after the other, so that the pace is that of all together. */
  const next = (): Promise<IteratorResult<A>> => {
    const mine = turn.then(async () => {
      if (rate !== undefined) {
        const waitMs = nextAt - performance.now();
        if (waitMs > 0) await sleep(waitMs, undefined, { signal });
        nextAt = Math.max(nextAt, performance.now()) + 1000 / rate;
      }
      return iterator.next();
    });
    turn = mine.catch(() => undefined);
    return mine;
  };
  const worker = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      signal.throwIfAborted();
      const step = await next();
      if (step.done === true) return;
      try {
        await work(step.value);
      } catch (error) {
        if (signal.aborted || !concernsOneAccount(error, isConnectionShared)) throw error;
        await onFailure(step.value, error);
      }
    }
  };
  const workers = Array.from({ length: concurrency }, async () => {
    try {
      await worker();
    } catch (error) {
      stop.abort();
      throw error;
    }
  });
  // All of them, so that nothing goes on behind the back of whoever hears of the failure.
  const outcomes = await Promise.allSettled(workers);
  signal.throwIfAborted();
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed) throw failed.reason;
}

/** A bug, a journal that cannot be written or a lost stream is nothing that the next account could be spared. */
function concernsOneAccount(error: unknown, isConnectionShared: boolean): error is XmppctlError {
  if (!(error instanceof XmppctlError) || error instanceof FileError || error instanceof InterruptedError)
    return false;
  return !(isConnectionShared && (error instanceof ConnectError || error instanceof StreamError));
}

function iteratorOf<A>(accounts: Iterable<A> | AsyncIterable<A>): Iterator<A> | AsyncIterator<A> {
  return Symbol.asyncIterator in accounts ? accounts[Symbol.asyncIterator]() : accounts[Symbol.iterator]();
}
