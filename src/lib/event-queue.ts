/**
 * Events for one reader, in order, kept until they are read. Each party sends only a few per session, and one that
 * floods is cut off by `limit`.
 */
export class EventQueue<T> implements AsyncIterableIterator<T> {
  readonly #waiting: T[] = [];
  #reader: { resolve: (result: IteratorResult<T>) => void; reject: (error: unknown) => void } | undefined;
  #end: { error: unknown } | 'done' | undefined;

  constructor(private readonly limit = 1000) {}

  get isEnded(): boolean {
    return this.#end !== undefined;
  }

  get isFull(): boolean {
    return this.#end !== undefined || this.#waiting.length >= this.limit;
  }

  /** @returns false when the queue has ended or is full: the event is dropped */
  push(event: T): boolean {
    if (this.isFull) return false;
    const reader = this.#reader;
    this.#reader = undefined;
    if (reader) reader.resolve({ value: event, done: false });
    else this.#waiting.push(event);
    return true;
  }

  /** What is waiting is still read; then the iteration ends, or throws `error`. */
  end(error?: unknown): void {
    if (this.#end !== undefined) return;
    this.#end = error === undefined ? 'done' : { error };
    const reader = this.#reader;
    this.#reader = undefined;
    if (error === undefined) reader?.resolve({ value: undefined, done: true });
    else reader?.reject(error);
  }

  next(): Promise<IteratorResult<T>> {
    const [event] = this.#waiting;
    if (event !== undefined) {
      this.#waiting.shift();
      return Promise.resolve({ value: event, done: false });
    }
    if (this.#end === 'done') return Promise.resolve({ value: undefined, done: true });
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- whatever ended the queue is passed on as it is
    if (this.#end !== undefined) return Promise.reject(this.#end.error);
    return new Promise((resolve, reject) => (this.#reader = { resolve, reject }));
  }

  return(): Promise<IteratorResult<T>> {
    this.end();
    this.#waiting.length = 0;
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
