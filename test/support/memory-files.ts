/** Files to send and to receive that are in memory. */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { FileFacts, FileSink, FileSource } from '../../src/lib/file-transfer/transfer.js';
import type { HashAlgorithm } from '../../src/lib/hashes/hashes.js';

export function memorySource(
  content: Buffer,
  facts: Partial<FileFacts> = {},
  { isSeekable = true, chunkBytes = 16 * 1024 } = {},
): FileSource {
  return {
    facts: {
      name: 'file.bin',
      sizeBytes: isSeekable ? content.length : undefined,
      mediaType: undefined,
      date: undefined,
      description: undefined,
      hashes: [],
      promisedHashes: [],
      ...facts,
    },
    isSeekable,
    open: (offset) => {
      function* chunks(): Generator<Buffer> {
        for (let at = offset; at < content.length; at += chunkBytes)
          yield content.subarray(at, Math.min(at + chunkBytes, content.length));
      }
      return Promise.resolve(Readable.from(chunks(), { objectMode: false }));
    },
  };
}

export class MemorySink implements FileSink {
  #content: Buffer[];
  #offset: number;
  state: 'open' | 'committed' | 'suspended' | 'discarded' = 'open';

  constructor(kept: Buffer = Buffer.alloc(0)) {
    this.#content = [kept];
    this.#offset = kept.length;
  }

  get offset(): number {
    return this.#offset;
  }

  get content(): Buffer {
    return Buffer.concat(this.#content);
  }

  write(chunk: Buffer): Promise<void> {
    if (this.isClosed) throw new Error(`written to while ${this.state}`);
    this.#content.push(Buffer.from(chunk));
    this.#offset += chunk.length;
    return Promise.resolve();
  }

  digest(algorithm: HashAlgorithm): Promise<Buffer | undefined> {
    const names: Record<string, string | undefined> = { 'sha-256': 'sha256', 'sha-512': 'sha512' };
    const name = names[algorithm];
    if (name === undefined) return Promise.resolve(undefined);
    return Promise.resolve(createHash(name).update(this.content).digest());
  }

  commit(): Promise<string | undefined> {
    this.#leave('committed');
    return Promise.resolve('/stored/file.bin');
  }

  suspend(): Promise<void> {
    this.#leave('suspended');
    return Promise.resolve();
  }

  discard(): Promise<void> {
    this.#leave('discarded');
    return Promise.resolve();
  }

  get isClosed(): boolean {
    return this.state !== 'open';
  }

  #leave(state: MemorySink['state']): void {
    if (this.isClosed) throw new Error(`${state} while ${this.state}`);
    this.state = state;
  }
}
