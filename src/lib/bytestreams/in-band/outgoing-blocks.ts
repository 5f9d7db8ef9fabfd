/**
 * The writing half of an in-band bytestream: cuts what is written into blocks and keeps a window of them under way.
 */
import { performance } from 'node:perf_hooks';
import type { BlockCarrier } from './block-carrier.js';
import { nextNumber } from './block-order.js';
import type { BlockPace } from './block-pace.js';
import { Data } from './stanzas.js';

export interface OutgoingOptions {
  sid: string;
  carrier: BlockCarrier;
  pace: BlockPace;
  /** Something of what was sent has arrived. */
  onProgress: () => void;
  onFailure: (error: Error) => void;
}

type Done = () => void;

export class OutgoingBlocks {
  readonly #options: OutgoingOptions;
  /** What is not in a block yet. */
  #pending: Buffer = Buffer.alloc(0);
  #number = 0;
  #underWay = 0;
  #confirmedBytes = 0;
  /** Wants to know when there is room for the next chunk. */
  #onRoom: Done | undefined;
  /** Wants to know when everything has arrived; nothing is written after it. */
  #onArrived: Done | undefined;
  #isStopped = false;

  constructor(options: OutgoingOptions) {
    this.#options = options;
  }

  get confirmedBytes(): number {
    return this.#confirmedBytes;
  }

  /** Everything that was written has arrived. */
  get isEmpty(): boolean {
    return this.#underWay === 0 && this.#pending.length === 0;
  }

  get hasUnderWay(): boolean {
    return this.#underWay > 0;
  }

  write(chunk: Buffer, onRoom: Done): void {
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    this.#onRoom = onRoom;
    this.#pump();
  }

  finish(onArrived: Done): void {
    this.#onArrived = onArrived;
    this.#pump();
  }

  stop(): void {
    this.#isStopped = true;
  }

  #pump(): void {
    const { pace } = this.#options;
    while (!this.#isStopped && this.#underWay < pace.window && this.#pending.length > 0) {
      // A block that is not full waits for more, or for the path to be idle: many small ones would be slow.
      const isWorthSending =
        this.#pending.length >= pace.blockBytes || this.#underWay === 0 || this.#onArrived !== undefined;
      if (!isWorthSending) break;
      const bytes = this.#pending.subarray(0, pace.blockBytes);
      this.#pending = this.#pending.subarray(bytes.length);
      void this.#send(bytes, pace.blockBytes);
    }
    if (this.#pending.length < pace.blockBytes) {
      const onRoom = this.#onRoom;
      this.#onRoom = undefined;
      onRoom?.();
    }
    if (this.#onArrived && this.#pending.length === 0 && this.#underWay === 0) {
      const onArrived = this.#onArrived;
      this.#onArrived = undefined;
      onArrived();
    }
  }

  async #send(bytes: Buffer, aimedBytes: number): Promise<void> {
    const { sid, carrier, pace, onProgress, onFailure } = this.#options;
    const data = Data.encode({ sid, seq: this.#number, bytes });
    this.#number = nextNumber(this.#number);
    this.#underWay += 1;
    const sentAtMs = performance.now();
    try {
      await carrier.carry(data);
    } catch (error) {
      this.#isStopped = true;
      onFailure(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    this.#underWay -= 1;
    this.#confirmedBytes += bytes.length;
    pace.acknowledge(aimedBytes, bytes.length, sentAtMs, performance.now());
    onProgress();
    if (!this.#isStopped) this.#pump();
  }
}
