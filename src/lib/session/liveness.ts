/**
 * Notices that the network is gone although nobody said so: something was asked, and not one byte came back in time.
 */
export interface LivenessOptions {
  /** How long nothing may arrive before the server is asked for a sign of life. */
  idleMs: number;
  /** How long the sign may take. */
  replyMs: number;
  /** Bytes received so far. */
  bytesReceived: () => number;
  /** Asks the server for anything. */
  probe: () => void;
  onSilence: (afterMs: number) => void;
}

export class Liveness {
  readonly #options: LivenessOptions;
  #bytesSeen = 0;
  #idleTimer: ReturnType<typeof setInterval> | undefined;
  #replyTimer: ReturnType<typeof setTimeout> | undefined;
  /** We do not read at the moment, so silence means nothing. */
  #isSuspended = false;

  constructor(options: LivenessOptions) {
    this.#options = options;
  }

  start(): void {
    this.stop();
    this.#bytesSeen = this.#options.bytesReceived();
    this.#idleTimer = setInterval(() => this.#onIdleTimer(), this.#options.idleMs);
  }

  stop(): void {
    clearInterval(this.#idleTimer);
    clearTimeout(this.#replyTimer);
    this.#replyTimer = undefined;
  }

  suspend(isSuspended: boolean): void {
    this.#isSuspended = isSuspended;
    if (!isSuspended) return;
    clearTimeout(this.#replyTimer);
    this.#replyTimer = undefined;
  }

  #onIdleTimer(): void {
    const bytes = this.#options.bytesReceived();
    if (bytes !== this.#bytesSeen || this.#isSuspended) {
      this.#bytesSeen = bytes;
      return;
    }
    this.#options.probe();
    this.expectReply();
  }

  /** Something was asked that has to be answered. */
  expectReply(): void {
    if (this.#isSuspended || this.#replyTimer !== undefined) return;
    const bytesBefore = this.#options.bytesReceived();
    this.#replyTimer = setTimeout(() => {
      this.#replyTimer = undefined;
      if (this.#options.bytesReceived() === bytesBefore) this.#options.onSilence(this.#options.replyMs);
    }, this.#options.replyMs);
  }
}
