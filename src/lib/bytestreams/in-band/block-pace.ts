/**
 * How large blocks are, and how many are under way: what is best depends on the servers between, and is found out on
 * the way.
 *
 * COMPAT(Prosody 0.12): it reads 4096 bytes from a socket and then turns to the next, so that large stanzas are slow:
 * 4096 bytes in a block are two to three times as fast as 16,384 or more. COMPAT(ejabberd 23.01): what a stanza costs
 * hardly depends on its size, and 48,000 are twice as fast as 4096. So a transfer begins with small blocks, tries large
 * ones when it has been going for a moment, stays with what is faster, and looks again after a while.
 */
import { SendWindow, type WindowLimits } from './send-window.js';

/** XEP-0047 §5 recommends it. */
const SMALL_BYTES = 4096;
/** In base64 it fits into the 65,536 bytes that some servers allow a stanza. */
export const LARGE_BYTES = 48_000;

/** 1 MiB at most is under way. */
const smallWindow: WindowLimits = { min: 16, max: 256 };
const largeWindow: WindowLimits = { min: 3, max: 32 };

/** What goes by before the first comparison … */
const FIRST_AFTER_BYTES = 128 * 1024;
/** … before the next one, where it was undecided, as on a busy machine … */
const AGAIN_AFTER_BYTES = 2 * 1024 * 1024;
/** … and where it was clear; twice as much each time. */
const NEXT_AFTER_BYTES = 16 * 1024 * 1024;
/** What a rate is measured over. */
const MEASURED_BYTES = 384 * 1024;
/** So much slower after so much: not worth going on. */
const ENOUGH_BYTES = 90_000;
const LOSS = 0.6;
/** What the other size has to gain. */
const GAIN = 1.15;

interface Gait {
  readonly blockBytes: number;
  readonly window: SendWindow;
}

type Phase =
  | { kind: 'steady' }
  | { kind: 'measuring'; sinceMs: number }
  | { kind: 'trying'; sinceMs: number; usual: Gait; bytesPerMs: number };

export class BlockPace {
  #current: Gait;
  #other: Gait | undefined;
  #phase: Phase = { kind: 'steady' };
  /** Acknowledged in this phase. */
  #bytes = 0;
  #lookAfterBytes = FIRST_AFTER_BYTES;
  #againAfterBytes = AGAIN_AFTER_BYTES;
  #nextLookBytes = NEXT_AFTER_BYTES;
  #lastAcknowledgedMs = 0;

  /** @param maxBlockBytes what the parties have agreed on */
  static upTo(maxBlockBytes: number): BlockPace {
    const large = Math.min(maxBlockBytes, LARGE_BYTES);
    return large < 2 * SMALL_BYTES
      ? new BlockPace({ blockBytes: large, window: new SendWindow(smallWindow) })
      : new BlockPace(
          { blockBytes: SMALL_BYTES, window: new SendWindow(smallWindow) },
          { blockBytes: large, window: new SendWindow(largeWindow) },
        );
  }

  /** Always the same. */
  static fixed(blockBytes: number, window?: number): BlockPace {
    const limits = window === undefined ? smallWindow : { min: window, max: window };
    return new BlockPace({ blockBytes, window: new SendWindow(limits) });
  }

  private constructor(current: Gait, other?: Gait) {
    this.#current = current;
    this.#other = other;
  }

  /** Of the next block. */
  get blockBytes(): number {
    return this.#current.blockBytes;
  }

  /** Blocks that may be under way. */
  get window(): number {
    return this.#current.window.size;
  }

  /**
   * A block has been acknowledged.
   * @param aimedBytes the `blockBytes` when it was sent; the last one of a transfer is smaller
   */
  acknowledge(aimedBytes: number, bytes: number, sentAtMs: number, nowMs: number): void {
    const isOfCurrent = aimedBytes === this.#current.blockBytes;
    if (isOfCurrent) this.#current.window.acknowledge(nowMs - sentAtMs);
    if (this.#other) this.#compare(isOfCurrent ? bytes : 0, nowMs);
    this.#lastAcknowledgedMs = nowMs;
  }

  #compare(bytes: number, nowMs: number): void {
    const phase = this.#phase;
    if (phase.kind === 'trying' && this.#bytes === 0) phase.sinceMs = this.#lastAcknowledgedMs;
    this.#bytes += bytes;
    switch (phase.kind) {
      case 'steady':
        if (this.#bytes >= this.#lookAfterBytes) this.#enter({ kind: 'measuring', sinceMs: nowMs });
        return;
      case 'measuring':
        if (this.#bytes < MEASURED_BYTES) return;
        this.#try(this.#bytes / Math.max(nowMs - phase.sinceMs, 1));
        return;
      case 'trying': {
        const ratio = this.#bytes / Math.max(nowMs - phase.sinceMs, 1) / phase.bytesPerMs;
        const isClearlyWorse = ratio < LOSS;
        if (this.#bytes < (isClearlyWorse ? ENOUGH_BYTES : MEASURED_BYTES)) return;
        if (ratio < GAIN) this.#return(phase.usual);
        this.#lookAfter(ratio >= GAIN || isClearlyWorse);
      }
    }
  }

  #try(bytesPerMs: number): void {
    if (!this.#other) return;
    const usual = this.#current;
    this.#current = this.#other;
    this.#other = usual;
    this.#enter({ kind: 'trying', sinceMs: this.#lastAcknowledgedMs, usual, bytesPerMs });
  }

  #return(usual: Gait): void {
    this.#other = this.#current;
    this.#current = usual;
  }

  #lookAfter(isClear: boolean): void {
    this.#lookAfterBytes = isClear ? this.#nextLookBytes : this.#againAfterBytes;
    if (isClear) this.#nextLookBytes *= 2;
    else this.#againAfterBytes *= 2;
    this.#enter({ kind: 'steady' });
  }

  #enter(phase: Phase): void {
    this.#phase = phase;
    this.#bytes = 0;
  }
}
