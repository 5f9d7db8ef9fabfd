/** Files in memory: something to send, and somewhere to receive. */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { FileFacts, FileSink, FileSource } from '../../src/lib/file-transfer/transfer.js';
import { factsOf } from './numbered-content.js';

export function sourceOf(content: Buffer, facts: Partial<FileFacts> = {}, isSeekable = true): FileSource {
  const pieceBytes = 50_000;
  return {
    facts: factsOf('content.bin', content.length, { promisedHashes: [], ...facts }),
    isSeekable,
    open: (offset) => {
      const pieces = [];
      for (let start = offset; start < content.length; start += pieceBytes)
        pieces.push(content.subarray(start, start + pieceBytes));
      return Promise.resolve(Readable.from(pieces));
    },
  };
}

export class MemorySink implements FileSink {
  state: 'open' | 'committed' | 'suspended' | 'discarded' = 'open';
  #pieces: Buffer[];

  /** @param kept from an earlier run */
  constructor(kept: Buffer = Buffer.alloc(0)) {
    this.#pieces = [kept];
  }

  get content(): Buffer {
    return Buffer.concat(this.#pieces);
  }

  get offset(): number {
    return this.content.length;
  }

  write(chunk: Buffer): Promise<void> {
    this.#pieces = [this.content, chunk];
    return Promise.resolve();
  }

  digest(algorithm: string): Promise<Buffer | undefined> {
    return Promise.resolve(
      algorithm === 'sha-256' ? createHash('sha256').update(this.content).digest() : undefined,
    );
  }

  commit(): Promise<string | undefined> {
    this.state = 'committed';
    return Promise.resolve('/stored');
  }

  suspend(): Promise<void> {
    this.state = 'suspended';
    return Promise.resolve();
  }

  discard(): Promise<void> {
    this.state = 'discarded';
    return Promise.resolve();
  }
}
