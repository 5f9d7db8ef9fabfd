/**
 * Puts packets in order again before they are written or played (no clock of its own).
 *
 * It waits for a missing packet as long as is told and no longer; what comes after that is late and dropped. How much is
 * held back is bounded by time and by number, whatever a sender does.
 */

import type { ReceivedMedia } from './rtp-session.js';

export interface BufferedPacket {
  /** Extended: it only grows. */
  sequence: number;
  timestamp: number;
  isMarked: boolean;
  /** Its timestamp has nothing to do with those before. */
  isNewSource: boolean;
  payload: Buffer;
  arrivedMs: number;
}

export interface JitterBufferOptions {
  /** How long a packet waits for those before it. */
  waitMs: number;
  /** As many are held at most; then the missing ones are given up. */
  limit: number;
}

/** @param nowMs when it came */
export function toBuffered({ packet, sequence, isNewSource }: ReceivedMedia, nowMs: number): BufferedPacket {
  const { timestamp, isMarked, payload } = packet;
  // A copy: the payload is a view of a datagram, which is larger.
  return { sequence, timestamp, isMarked, isNewSource, payload: Buffer.from(payload), arrivedMs: nowMs };
}

export class JitterBuffer {
  readonly #waiting = new Map<number, BufferedPacket>();
  #next: number | undefined;
  late = 0;

  constructor(private readonly options: JitterBufferOptions = { waitMs: 60, limit: 64 }) {}

  get size(): number {
    return this.#waiting.size;
  }

  push(packet: BufferedPacket): void {
    this.#next ??= packet.sequence;
    if (packet.sequence < this.#next) {
      this.late += 1;
      return;
    }
    this.#waiting.set(packet.sequence, packet);
  }

  /** All whose turn it is. @param isLast nothing more will come: nothing is waited for */
  take(nowMs: number, isLast = false): BufferedPacket[] {
    const taken: BufferedPacket[] = [];
    while (this.#waiting.size > 0 && this.#next !== undefined) {
      const packet = this.#waiting.get(this.#next);
      if (packet) {
        this.#waiting.delete(this.#next);
        this.#next += 1;
        taken.push(packet);
        continue;
      }
      const first = this.#first();
      const isDue =
        isLast || this.#waiting.size > this.options.limit || nowMs - first.arrivedMs >= this.options.waitMs;
      if (!isDue) break;
      this.#next = first.sequence;
    }
    return taken;
  }

  /** The one with the lowest number; only called when there is one. */
  #first(): BufferedPacket {
    let first: BufferedPacket | undefined;
    for (const packet of this.#waiting.values()) {
      if (!first || packet.sequence < first.sequence) first = packet;
    }
    if (!first) throw new RangeError('nothing is waiting');
    return first;
  }
}
