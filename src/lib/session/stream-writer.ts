/**
 * Text on its way out: what is written in one turn of the event loop leaves in one packet, and never more is under way
 * than the socket takes.
 */

/** Above it a write is made at once: a TLS record takes 16 KiB. */
const MAX_PENDING_CHARACTERS = 16 * 1024;
/** Characters given to the socket and not yet taken by the operating system. */
const HIGH_WATER_CHARACTERS = 64 * 1024;

export interface TextSink {
  write(text: string, done: (error?: Error | null) => void): unknown;
}

export class StreamWriter {
  readonly #sink: () => TextSink | null;
  readonly #onDrain: () => void;
  #pending = '';
  #isFlushScheduled = false;
  #inFlight = 0;
  #isFull = false;

  /** @param onDrain there is room again, after `write` had returned false */
  constructor(sink: () => TextSink | null, onDrain: () => void) {
    this.#sink = sink;
    this.#onDrain = onDrain;
  }

  /**
   * @param isMessage a message of its own (a WebSocket's, RFC 7395 §3.3), not to be joined with others
   * @returns false when the socket is full: `onDrain` tells when it has room again
   */
  write(text: string, isMessage: boolean): boolean {
    if (isMessage) {
      this.#push(text);
    } else {
      this.#pending += text;
      if (this.#pending.length >= MAX_PENDING_CHARACTERS) this.flush();
      else this.#scheduleFlush();
    }
    this.#isFull ||= this.#inFlight > HIGH_WATER_CHARACTERS;
    return !this.#isFull;
  }

  #scheduleFlush(): void {
    if (this.#isFlushScheduled) return;
    this.#isFlushScheduled = true;
    setImmediate(() => {
      this.#isFlushScheduled = false;
      this.flush();
    });
  }

  flush(): void {
    if (this.#pending === '') return;
    const text = this.#pending;
    this.#pending = '';
    this.#push(text);
  }

  #push(text: string): void {
    this.#inFlight += text.length;
    this.#sink()?.write(text, (error) => {
      this.#inFlight -= text.length;
      // An error is told by the socket itself.
      if (error || !this.#isFull || this.#inFlight > HIGH_WATER_CHARACTERS / 4) return;
      this.#isFull = false;
      this.#onDrain();
    });
  }
}
