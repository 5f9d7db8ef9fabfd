/**
 * One direction of a proxied connection: bytes go through faults to where they belong, in order, and whoever sends
 * them is held up while the other side is slow.
 */
import type { Carrier } from '../session/transport/carrier.js';
import type { FaultSchedule, Step } from './faults.js';

/** Where bytes go; a carrier, or the socket of a session. */
export type Sink = Pick<Carrier, 'write' | 'end'>;
/** Where they come from. */
export interface Source {
  pause(): unknown;
  resume(): unknown;
}

export interface LaneOptions {
  source: Source;
  sink: Sink;
  /** Undefined: bytes pass at once. */
  faults?: FaultSchedule | undefined;
  /** Every piece is a message of its own (WebSocket), and must not be put together with another. */
  isFramed?: boolean;
  /** Told of what leaves, as it leaves. */
  onLeave?: ((bytes: Buffer) => void) | undefined;
  onFault: (kind: 'cut' | 'stall') => void;
  /** Milliseconds on a clock that never jumps. */
  now: () => number;
}

/** What may be on its way before the sender is asked to wait, and when it may go on. */
const highBytes = 1024 * 1024;
const lowBytes = 256 * 1024;
/** Less is passed on at once. */
const largeBytes = 8 * 1024;

export class Lane {
  readonly #options: LaneOptions;
  /** Taken, and not yet accepted by the operating system. */
  #waitingBytes = 0;
  #gathered: Buffer[] = [];
  #isPaused = false;
  #holds = 0;
  #steps: Step[] = [];
  #next = 0;
  #isBusy = false;
  #timer: NodeJS.Timeout | undefined;
  #isEnding = false;
  #isDestroyed = false;

  constructor(options: LaneOptions) {
    this.#options = options;
  }

  push(bytes: Buffer): void {
    if (this.#isDestroyed) return;
    this.#waitingBytes += bytes.length;
    const { faults, now } = this.#options;
    if (faults) {
      this.#steps.push(...faults.take(bytes, now()));
      this.#run();
    } else if (this.#gathersUp(bytes)) this.#gather(bytes);
    else this.#write(bytes);
    this.#throttle();
  }

  /** Nothing more is read until as many releases: a stanza is being decided on. */
  hold(): void {
    this.#holds += 1;
    this.#throttle();
  }

  release(): void {
    this.#holds -= 1;
    this.#throttle();
  }

  /** Ends the other side when everything that was taken has left. */
  end(): void {
    this.#isEnding = true;
    this.#endIfDone();
  }

  /** Forgets what waits. */
  destroy(): void {
    this.#isDestroyed = true;
    clearTimeout(this.#timer);
    this.#steps = [];
  }

  #gathersUp(bytes: Buffer): boolean {
    return this.#options.isFramed !== true && (bytes.length >= largeBytes || this.#gathered.length > 0);
  }

  /** TLS hands out 16 kB at a time; what comes in the same turn leaves in one write, which costs a third. */
  #gather(bytes: Buffer): void {
    this.#gathered.push(bytes);
    if (this.#gathered.length > 1) return;
    setImmediate(() => {
      const gathered = this.#gathered;
      this.#gathered = [];
      if (!this.#isDestroyed) this.#write(Buffer.concat(gathered));
    });
  }

  #write(bytes: Buffer, done?: () => void): void {
    this.#options.onLeave?.(bytes);
    this.#options.sink.write(bytes, () => {
      // Also after an error: the end of the connection is told in another way.
      this.#waitingBytes -= bytes.length;
      this.#throttle();
      done?.();
      this.#endIfDone();
    });
  }

  #throttle(): void {
    if (this.#isDestroyed) return;
    const { source } = this.#options;
    const isFull = this.#holds > 0 || this.#waitingBytes > (this.#isPaused ? lowBytes : highBytes);
    if (isFull === this.#isPaused) return;
    this.#isPaused = isFull;
    if (isFull) source.pause();
    else source.resume();
  }

  /** Takes the next step when its time has come; one packet after the other, or they would be put together again. */
  #run(): void {
    if (this.#isBusy || this.#isDestroyed) return;
    const step = this.#steps[this.#next];
    if (step === undefined) {
      this.#steps = [];
      this.#next = 0;
      this.#endIfDone();
      return;
    }
    const waitMs = step.atMs - this.#options.now();
    this.#isBusy = true;
    if (waitMs > 0) this.#timer = setTimeout(() => this.#take(step), waitMs);
    else this.#take(step);
  }

  #take(step: Step): void {
    this.#next += 1;
    if (step.kind !== 'packet') {
      this.#options.onFault(step.kind);
      // A cut takes everything down; after a stall nothing ever follows, and the sender finds its line full.
      this.hold();
      return;
    }
    this.#write(step.bytes, () => {
      this.#isBusy = false;
      this.#run();
    });
  }

  #endIfDone(): void {
    if (!this.#isEnding || this.#isBusy || this.#isDestroyed || this.#next < this.#steps.length) return;
    if (this.#waitingBytes > 0) return;
    this.#isEnding = false;
    this.#options.sink.end();
  }
}
