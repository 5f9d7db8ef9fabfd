import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { InterruptedError, UsageError } from '../../../src/lib/errors.js';
import { within } from '../../../src/lib/session/wait.js';

describe('a bounded wait', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const forever = new Promise<never>(() => undefined);

  test('passes on the outcome, good or bad, and leaves no timer', async () => {
    expect(await within(Promise.resolve(1), { doing: 'x', timeoutMs: 10 })).toBe(1);
    await expect(within(Promise.reject(new Error('no')), { doing: 'x', timeoutMs: 10 })).rejects.toThrow(
      'no',
    );
    expect(vi.getTimerCount()).toBe(0);
  });

  test('says what timed out', async () => {
    const wait = within(forever, { doing: 'waiting for tea', timeoutMs: 1500 });
    const outcome = expect(wait).rejects.toMatchObject({
      name: 'TimeoutError',
      message: 'timed out after 1.5 s waiting for tea',
    });
    await vi.advanceTimersByTimeAsync(1500);
    await outcome;
  });

  test('says what was interrupted, and leaves no listener', async () => {
    const abort = new AbortController();
    const wait = within(forever, { doing: 'waiting for tea', timeoutMs: 10, signal: abort.signal });
    abort.abort();
    await expect(wait).rejects.toThrow(new InterruptedError('interrupted waiting for tea'));
    expect(vi.getTimerCount()).toBe(0);
  });

  test('fails at once when the signal was aborted before', async () => {
    const wait = within(forever, { doing: 'x', signal: AbortSignal.abort() });
    await expect(wait).rejects.toThrow(InterruptedError);
  });

  test('keeps a reason that is one of ours', async () => {
    const signal = AbortSignal.abort(new UsageError('changed my mind'));
    await expect(within(forever, { doing: 'x', signal })).rejects.toThrow('changed my mind');
  });
});
