/** A thread that converts batches of accounts: the build makes a file of its own of it. */
import { parentPort, workerData } from 'node:worker_threads';
import type { AccountPlan } from './convert-account.js';
import { convertBatch, type ConvertedBatch } from './convert-batch.js';
import type { AccountBatch } from './read-export.js';

/** Buffers are not known as such on the other side; their memory is handed over, not copied. */
export interface WorkerRequest extends Omit<AccountBatch, 'bytes'> {
  memory: ArrayBuffer;
  /** For the output, where there is some. */
  spare: ArrayBuffer | undefined;
}

export interface WorkerReply extends Omit<ConvertedBatch, 'output'> {
  memory: ArrayBuffer;
  length: number;
  /** What the request was in. */
  spent: ArrayBuffer;
}

const plan = workerData as AccountPlan;

parentPort?.on('message', ({ memory, length, accounts, spare }: WorkerRequest) => {
  const bytes = Buffer.from(memory);
  const { output, ...rest } = convertBatch({ bytes, length, accounts }, plan, spare);
  const reply: WorkerReply = { ...rest, memory: output.buffer, length: output.length, spent: memory };
  parentPort?.postMessage(reply, [output.buffer, memory]);
});
