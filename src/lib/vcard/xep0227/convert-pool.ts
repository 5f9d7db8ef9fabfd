/**
 * Threads that convert batches, so that all processors are used; without them (a small input, a program that is not the
 * built one) the same work is done here.
 */
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import type { WorkerReply, WorkerRequest } from './account-worker.js';
import type { AccountPlan } from './convert-account.js';
import { convertBatch, sizeOfOutput, type ConvertedBatch } from './convert-batch.js';
import type { AccountBatch } from './read-export.js';

export interface ConvertPool {
  /** How many batches may be under way. */
  readonly capacity: number;
  convert(batch: AccountBatch): Promise<ConvertedBatch>;
  /** Memory for so many bytes. It goes round, as waiting for it to be collected would pile it up. */
  take(bytes: number): Buffer<ArrayBuffer>;
  /** It is not needed any more. */
  giveBack(memory: ArrayBuffer): void;
  close(): Promise<void>;
}

/** Below this much input a thread takes longer to start than the work. */
const SMALL_BYTES = 4 * 1024 * 1024;
/** The thread that reads and writes keeps so many busy; each needs some 40 MB. */
const MAX_THREADS = 3;
const MAX_SPARE_BYTES = 12 * 1024 * 1024;
/** A thread has a heap of its own, and would let it grow for long before it cleans up. */
const resourceLimits = { maxOldGenerationSizeMb: 192, maxYoungGenerationSizeMb: 16 };

/** @param inputBytes undefined when it is not known */
export function createConvertPool(plan: AccountPlan, inputBytes: number | undefined): ConvertPool {
  const program = path.join(__dirname, 'account-worker.js');
  const count = existsSync(program) ? Math.min(MAX_THREADS, availableParallelism()) : 0;
  const spare = new SpareMemory();
  let threads: ConvertThread[] = [];
  let convertedBytes = 0;
  const isLarge = (): boolean => (inputBytes ?? convertedBytes) >= SMALL_BYTES;
  return {
    capacity: Math.max(1, count * 2),
    convert: (batch) => {
      if (count === 0 || !isLarge()) {
        convertedBytes += batch.length;
        const converted = convertBatch(batch, plan, spare.take(sizeOfOutput(batch)));
        spare.put(batch.bytes.buffer);
        return Promise.resolve(converted);
      }
      if (threads.length === 0)
        threads = Array.from({ length: count }, () => new ConvertThread(program, plan, spare));
      return threads.reduce((least, each) => (each.load < least.load ? each : least)).convert(batch);
    },
    take: (bytes) => Buffer.from(spare.take(bytes) ?? Buffer.allocUnsafeSlow(bytes).buffer),
    giveBack: (memory) => spare.put(memory),
    close: async () => {
      await Promise.all(threads.map((thread) => thread.close()));
    },
  };
}

/** Memory of which nobody has use at the moment, and not much of it. */
class SpareMemory {
  readonly #pieces: ArrayBuffer[] = [];
  #bytes = 0;

  /** The smallest piece that is large enough. */
  take(bytes: number): ArrayBuffer | undefined {
    let best = -1;
    for (const [index, { byteLength }] of this.#pieces.entries()) {
      if (byteLength >= bytes && byteLength < (this.#pieces[best]?.byteLength ?? Infinity)) best = index;
    }
    if (best < 0) return undefined;
    const [piece] = this.#pieces.splice(best, 1);
    this.#bytes -= piece?.byteLength ?? 0;
    return piece;
  }

  put(piece: ArrayBuffer): void {
    if (piece.byteLength === 0 || this.#bytes + piece.byteLength > MAX_SPARE_BYTES) return;
    this.#pieces.push(piece);
    this.#bytes += piece.byteLength;
  }
}

interface Waiting {
  resolve: (batch: ConvertedBatch) => void;
  reject: (error: Error) => void;
}

class ConvertThread {
  readonly #worker: Worker;
  readonly #waiting: Waiting[] = [];
  #failure: Error | undefined;

  constructor(
    program: string,
    plan: AccountPlan,
    private readonly spare: SpareMemory,
  ) {
    this.#worker = new Worker(program, { workerData: plan, resourceLimits });
    this.#worker.on('message', ({ memory, length, accounts, results, spent }: WorkerReply) => {
      this.spare.put(spent);
      this.#waiting.shift()?.resolve({ output: Buffer.from(memory, 0, length), accounts, results });
    });
    this.#worker.on('error', (error: Error) => {
      this.#failure = error;
      for (const { reject } of this.#waiting.splice(0)) reject(error);
    });
  }

  get load(): number {
    return this.#waiting.length;
  }

  convert({ bytes, length, accounts }: AccountBatch): Promise<ConvertedBatch> {
    if (this.#failure) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      const spare = this.spare.take(sizeOfOutput({ length, accounts }));
      const request: WorkerRequest = { memory: bytes.buffer, length, accounts, spare };
      this.#worker.postMessage(request, spare ? [bytes.buffer, spare] : [bytes.buffer]);
    });
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }
}
