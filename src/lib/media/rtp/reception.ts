/** What is received of one source: sequence, loss, jitter (RFC 3550 §6.4.1, Appendices A.1, A.3 and A.8); no clock. */
import { middleOfNtpTime, type ReportBlock } from './rtcp.js';

/** RFC 3550 Appendix A.1. */
const MAX_DROPOUT = 3000;
const MAX_MISORDER = 100;

export interface Arrival {
  /** The sequence number with its rollovers, which never goes back by a rollover. */
  sequence: number;
  isDuplicate: boolean;
}

/** How many of the last packets are remembered to tell duplicates. */
const WINDOW = 256;

export class Reception {
  packets = 0;
  bytes = 0;
  #base = 0;
  #highest = 0;
  #badSequence: number | undefined;
  #jitter = 0;
  #transit: number | undefined;
  #expectedBefore = 0;
  #receivedBefore = 0;
  #lastReport = 0;
  #lastReportAtMs = 0;
  readonly #seen = new Int32Array(WINDOW).fill(-1);

  constructor(
    readonly ssrc: number,
    private readonly clockRate: number,
  ) {}

  /**
   * @param nowMs of a clock that never goes back
   * @returns undefined for a packet whose sequence number makes a jump: the second of such is believed
   */
  receive(sequence: number, timestamp: number, sizeBytes: number, nowMs: number): Arrival | undefined {
    const extended = this.#extend(sequence);
    if (extended === undefined) return undefined;
    const slot = extended % WINDOW;
    const isDuplicate = this.#seen[slot] === extended || extended <= this.#highest - WINDOW;
    if (isDuplicate) return { sequence: extended, isDuplicate };
    this.#seen[slot] = extended;
    this.#highest = Math.max(this.#highest, extended);
    this.packets += 1;
    this.bytes += sizeBytes;
    this.#measureJitter(timestamp, nowMs);
    return { sequence: extended, isDuplicate };
  }

  /** RFC 3550 §6.4.1: the difference of what was expected; duplicates are not counted here, so it is never negative. */
  get lost(): number {
    return this.packets === 0 ? 0 : Math.max(0, this.#expected - this.packets);
  }

  get jitterMs(): number {
    return (this.#jitter / this.clockRate) * 1000;
  }

  /** A report of the sender came: ours name it (RFC 3550 §6.4.1). */
  noteSenderReport(middle: number, nowMs: number): void {
    this.#lastReport = middle;
    this.#lastReportAtMs = nowMs;
  }

  /** For the next report; begins a new interval. */
  report(nowMs: number): ReportBlock {
    const expected = this.#expected - this.#expectedBefore;
    const lost = expected - (this.packets - this.#receivedBefore);
    this.#expectedBefore = this.#expected;
    this.#receivedBefore = this.packets;
    return {
      ssrc: this.ssrc,
      fractionLost: expected <= 0 || lost <= 0 ? 0 : Math.floor((lost * 256) / expected),
      lost: this.lost,
      highestSequence: (this.#highest - 0x10000) >>> 0,
      jitter: Math.round(this.#jitter),
      lastReport: this.#lastReport,
      delay: this.#lastReport === 0 ? 0 : Math.round((nowMs - this.#lastReportAtMs) * 65.536),
    };
  }

  get #expected(): number {
    return this.#highest - this.#base + 1;
  }

  #extend(sequence: number): number | undefined {
    if (this.packets === 0) {
      this.#begin(sequence);
      return this.#base;
    }
    const step = (sequence - (this.#highest & 0xffff)) & 0xffff;
    if (step < MAX_DROPOUT) {
      this.#badSequence = undefined;
      return this.#highest + step;
    }
    if (step > 0x10000 - MAX_MISORDER) return this.#highest + step - 0x10000;
    if (this.#badSequence !== sequence) {
      this.#badSequence = (sequence + 1) & 0xffff;
      return undefined;
    }
    // Two in a row: the sender began anew. What was lost before is forgotten with it.
    this.#begin(sequence);
    this.packets = 0;
    this.#expectedBefore = 0;
    this.#receivedBefore = 0;
    return this.#base;
  }

  #begin(sequence: number): void {
    // The first cycle is 1, so that no sequence before the first packet is negative.
    const cycle = Math.floor(this.#highest / 0x10000) + 1;
    this.#base = cycle * 0x10000 + sequence;
    this.#highest = this.#base;
    this.#badSequence = undefined;
    this.#transit = undefined;
  }

  #measureJitter(timestamp: number, nowMs: number): void {
    const transit = Math.round((nowMs / 1000) * this.clockRate) - timestamp;
    if (this.#transit !== undefined) {
      // The difference of 32-bit timestamps, which roll over.
      const difference = Math.abs((transit - this.#transit) | 0);
      this.#jitter += (difference - this.#jitter) / 16;
    }
    this.#transit = transit;
  }
}

/** RFC 3550 §6.4.1: from a report block about what we send. @returns undefined when it names no report of ours */
export function roundTripOf(block: ReportBlock, timeMs: number): number | undefined {
  if (block.lastReport === 0) return undefined;
  const units = (middleOfNtpTime(timeMs) - block.lastReport - block.delay) | 0;
  return units < 0 ? 0 : (units / 65536) * 1000;
}
