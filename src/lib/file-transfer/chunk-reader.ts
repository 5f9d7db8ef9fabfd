/**
 * The chunks of a stream, one after the other, while reading goes on, up to a limit. Large ones come as they were read;
 * small ones that wait are joined: a copy in memory costs less than one more piece of a write to the disk.
 */
import type { Readable } from 'node:stream';
import { RemoteError } from '../errors.js';

const HIGH_BYTES = 1 << 20;
const SMALL_BYTES = 16 * 1024;

export class ChunkReader {
  readonly #stream: Readable;
  #chunks: Buffer[] = [];
  #waitingBytes = 0;
  #end: { error: Error | undefined } | undefined;
  #isDetached = false;
  #wake: (() => void) | undefined;

  constructor(stream: Readable) {
    this.#stream = stream;
    stream.on('data', this.#onData);
    stream.once('end', this.#onEnd);
    stream.once('error', this.#onError);
    stream.once('close', this.#onClose);
    if (stream.destroyed) this.#onClose();
  }

  /** @returns undefined at the end @throws whatever broke the stream */
  async next(): Promise<Buffer | undefined> {
    for (;;) {
      const chunk = this.#take();
      if (chunk) {
        this.#waitingBytes -= chunk.length;
        if (this.#waitingBytes < HIGH_BYTES && this.#stream.isPaused()) this.#stream.resume();
        return chunk;
      }
      if (this.#isDetached) throw new RemoteError('nobody reads any more');
      if (this.#end?.error) throw this.#end.error;
      if (this.#end) return undefined;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  #take(): Buffer | undefined {
    const [first, ...others] = this.#chunks;
    if (!first || others.length === 0 || first.length >= SMALL_BYTES) return this.#chunks.shift();
    const all = Buffer.concat(this.#chunks, this.#waitingBytes);
    this.#chunks = [];
    return all;
  }

  /** What was read stays lost; errors of the stream are somebody else's again. */
  detach(): void {
    this.#stream.off('data', this.#onData);
    this.#stream.off('end', this.#onEnd);
    this.#stream.off('close', this.#onClose);
    this.#chunks = [];
    this.#isDetached = true;
    this.#notify();
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#chunks.push(chunk);
    this.#waitingBytes += chunk.length;
    if (this.#waitingBytes >= HIGH_BYTES) this.#stream.pause();
    this.#notify();
  };
  readonly #onEnd = (): void => this.#finish(undefined);
  readonly #onError = (error: Error): void => this.#finish(error);
  readonly #onClose = (): void => this.#finish(new RemoteError('the stream was closed in the middle'));

  #finish(error: Error | undefined): void {
    this.#end ??= { error };
    this.#notify();
  }

  #notify(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}
