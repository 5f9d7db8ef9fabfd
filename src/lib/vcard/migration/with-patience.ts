/** What a server refuses for now only. */
import { setTimeout as sleep } from 'node:timers/promises';
import { StanzaError } from '../../errors.js';

/** Half a minute in all: limits of servers are counted by seconds. */
const PAUSES_MS = [500, 1000, 2000, 4000, 8000, 15_000];

/**
 * Does it again, after longer and longer pauses, as long as the server says that it may be tried later (RFC 6120
 * §8.3.2: errors of the type `wait`): it has had too much, or something it needs is not there.
 * @param work can be done again from its beginning
 * @throws what `work` throws at last
 */
export async function withPatience<T>(
  work: () => Promise<T>,
  { signal, pausesMs = PAUSES_MS }: { signal: AbortSignal; pausesMs?: readonly number[] },
): Promise<T> {
  for (const pauseMs of pausesMs) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof StanzaError) || error.type !== 'wait' || signal.aborted) throw error;
    }
    await sleep(pauseMs, undefined, { signal });
  }
  return work();
}
