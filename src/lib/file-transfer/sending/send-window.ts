/**
 * How many files are under way at a time: many small ones, whose negotiation would otherwise cost more than their
 * bytes, but only one large one.
 */
export interface WindowLimits {
  maxFiles: number;
  /** Of the files under way, together; one file may be larger. */
  maxBytes: number;
}

export class SendWindow {
  readonly #limits: WindowLimits;
  #files = 0;
  #bytes = 0;
  #waiting: { sizeBytes: number; enter: () => void } | undefined;

  constructor(limits: WindowLimits) {
    this.#limits = limits;
  }

  /** Resolves when there is room; one waits at a time. The result makes room again. */
  async enter(sizeBytes: number | undefined): Promise<Disposable> {
    // Nobody knows how long a pipe is: it counts as a large one.
    const size = Math.min(sizeBytes ?? this.#limits.maxBytes, this.#limits.maxBytes);
    if (!this.#hasRoom(size)) {
      await new Promise<void>((enter) => (this.#waiting = { sizeBytes: size, enter }));
      this.#waiting = undefined;
    }
    this.#files += 1;
    this.#bytes += size;
    let isIn = true;
    return {
      [Symbol.dispose]: () => {
        if (!isIn) return;
        isIn = false;
        this.#files -= 1;
        this.#bytes -= size;
        if (this.#waiting && this.#hasRoom(this.#waiting.sizeBytes)) this.#waiting.enter();
      },
    };
  }

  #hasRoom(sizeBytes: number): boolean {
    return this.#files < this.#limits.maxFiles && this.#bytes + sizeBytes <= this.#limits.maxBytes;
  }
}
