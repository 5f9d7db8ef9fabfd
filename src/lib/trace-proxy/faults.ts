/** Faults of a network, as a plan: which bytes leave when, in which packets, and where it ends. No clock, no sockets. */
import { UsageError } from '../errors.js';
import type { Direction } from '../trace/events.js';

export type Fault = { dir?: Direction } & (
  | { kind: 'latency'; ms: number }
  | { kind: 'bandwidth'; bytesPerSecond: number }
  /** So many bytes pass, then the connection is reset. */
  | { kind: 'cut-after'; bytes: number }
  /** So many bytes pass, then nothing does, and the connection stays. */
  | { kind: 'stall-after'; bytes: number }
  /** Packets of so many bytes. */
  | { kind: 'split'; bytes: number }
);

export type Step =
  | { kind: 'packet'; bytes: Buffer; atMs: number }
  | { kind: 'cut'; atMs: number }
  | { kind: 'stall'; atMs: number };

const unitMs: Readonly<Record<string, number>> = { '': 1, ms: 1, s: 1000 };
const unitBytes: Readonly<Record<string, number>> = { '': 1, k: 1000, m: 1_000_000 };

/**
 * Reads `latency=50ms`, `bandwidth=64k`, `cut-after=1000`, `stall-after=1000` or `split=7`, with `in:` or `out:`
 * before it for one direction.
 * @throws UsageError
 */
export function parseFault(text: string): Fault {
  const [, dir, kind = '', amount = '', unit = ''] =
    /^(?:(in|out):)?([a-z-]+)=(\d+(?:\.\d+)?)([a-z]*)$/i.exec(text) ?? [];
  const only: { dir?: Direction } =
    dir === undefined ? {} : { dir: dir.toLowerCase() === 'in' ? 'in' : 'out' };
  const units = kind === 'latency' ? unitMs : unitBytes;
  const value = Number(amount) * (units[unit.toLowerCase()] ?? Number.NaN);
  if (!(value >= 0)) throw wrong(text);
  switch (kind) {
    case 'latency':
      return { ...only, kind, ms: value };
    case 'bandwidth':
      if (value < 1) throw wrong(text);
      return { ...only, kind, bytesPerSecond: value };
    case 'split':
      if (value < 1) throw wrong(text);
      return { ...only, kind, bytes: Math.floor(value) };
    case 'cut-after':
    case 'stall-after':
      return { ...only, kind, bytes: Math.floor(value) };
    default:
      throw wrong(text);
  }
}

function wrong(text: string): UsageError {
  return new UsageError(`not a fault: ${text}`, {
    hint: 'latency=50ms, bandwidth=64k, cut-after=1000, stall-after=1000 or split=7; with in: or out: before it for one direction',
  });
}

/** With a bandwidth, what leaves at once is no more than what passes in this time. */
const sliceMs = 20;

/** The plan for one direction of one connection. */
export class FaultSchedule {
  readonly #latencyMs: number;
  readonly #bytesPerSecond: number;
  readonly #packetBytes: number;
  /** What may still pass, and what happens then. */
  #left: number;
  readonly #end: 'cut' | 'stall';
  /** When the line is free again. */
  #freeAtMs = 0;
  #hasEnded = false;

  /**
   * @param faults those of this direction
   * @param isFramed packets are messages (WebSocket), and stay whole
   */
  constructor(faults: readonly Fault[], isFramed = false) {
    let latencyMs = 0;
    let bytesPerSecond = Number.POSITIVE_INFINITY;
    let packetBytes = Number.POSITIVE_INFINITY;
    let left = Number.POSITIVE_INFINITY;
    let end: 'cut' | 'stall' = 'stall';
    for (const fault of faults) {
      if (fault.kind === 'latency') latencyMs += fault.ms;
      else if (fault.kind === 'bandwidth') bytesPerSecond = Math.min(bytesPerSecond, fault.bytesPerSecond);
      else if (fault.kind === 'split') packetBytes = Math.min(packetBytes, fault.bytes);
      else if (fault.bytes < left) {
        left = fault.bytes;
        end = fault.kind === 'cut-after' ? 'cut' : 'stall';
      }
    }
    this.#latencyMs = latencyMs;
    this.#bytesPerSecond = bytesPerSecond;
    this.#packetBytes = isFramed
      ? Number.POSITIVE_INFINITY
      : Math.min(packetBytes, Math.max(1, Math.floor((bytesPerSecond * sliceMs) / 1000)));
    this.#left = left;
    this.#end = end;
  }

  /** What becomes of bytes that came in at a time. Nothing follows a cut or a stall. */
  take(bytes: Buffer, nowMs: number): Step[] {
    if (this.#hasEnded) return [];
    const steps: Step[] = [];
    const passed = bytes.subarray(0, Math.min(bytes.length, this.#left));
    for (let at = 0; at < passed.length; at += this.#packetBytes) {
      const packet = passed.subarray(at, Math.min(passed.length, at + this.#packetBytes));
      this.#freeAtMs = Math.max(this.#freeAtMs, nowMs) + (packet.length / this.#bytesPerSecond) * 1000;
      steps.push({ kind: 'packet', bytes: packet, atMs: this.#freeAtMs + this.#latencyMs });
    }
    this.#left -= passed.length;
    if (this.#left > 0) return steps;
    this.#hasEnded = true;
    steps.push({ kind: this.#end, atMs: Math.max(this.#freeAtMs, nowMs) + this.#latencyMs });
    return steps;
  }
}
