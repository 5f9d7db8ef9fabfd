/** Several streams as one: whatever comes first. */

/**
 * Ends when all have ended, or one fails; then the others are ended.
 *
 * @param start given the signal at which a stream has to end, also while it waits for what comes next
 */
export async function* merge<T>(
  starts: readonly ((signal: AbortSignal) => AsyncGenerator<T, void, undefined>)[],
  signal: AbortSignal,
): AsyncGenerator<T, void, undefined> {
  const over = new AbortController();
  const either = AbortSignal.any([signal, over.signal]);
  const sources = starts.map((start) => start(either));
  const ready: Next<T>[] = [];
  let wake: (() => void) | undefined;
  const read = (source: Source<T>): void => {
    const tell = (next: Next<T>): void => {
      ready.push(next);
      wake?.();
    };
    source.next().then(
      (result) => tell({ source, result }),
      (error: unknown) => tell({ source, error }),
    );
  };
  sources.forEach(read);
  let open = sources.length;
  try {
    while (open > 0) {
      const next = ready.shift();
      if (!next) {
        await new Promise<void>((resolve) => (wake = resolve));
      } else if (next.result === undefined) {
        throw next.error;
      } else if (next.result.done === true) {
        open -= 1;
      } else {
        read(next.source);
        yield next.result.value;
      }
    }
  } finally {
    over.abort();
    await Promise.allSettled(sources.map((source) => source.return()));
  }
}

type Source<T> = AsyncGenerator<T, void, undefined>;

type Next<T> = { source: Source<T> } & (
  { result: IteratorResult<T, void>; error?: undefined } | { result?: undefined; error: unknown }
);
