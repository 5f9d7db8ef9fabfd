/**
 * The bytes of one file on their way in, from one path into the sink, and never more than were announced.
 */
import type { Duplex } from 'node:stream';
import { ChunkReader } from '../chunk-reader.js';
import { WrongContentError } from '../reasons.js';
import type { FileSink } from '../transfer.js';

export type Arrival =
  /** As many bytes as were announced are in the sink. */
  | { kind: 'complete' }
  /** The stream ended before that, or nobody said how many there are. */
  | { kind: 'ended' }
  | { kind: 'broken'; error: Error };

export interface Extent {
  /** Where in the file this path begins. */
  startBytes: number;
  /** What the sink has already. */
  keptBytes: number;
  /** Of the whole; undefined while unknown. */
  sizeBytes: number | undefined;
}

export class IncomingBytes {
  readonly #chunks: ChunkReader;
  readonly #sink: FileSink;
  readonly #sizeBytes: number | undefined;
  readonly #keptBytes: number;
  /** Of the next byte on this path, in the file. */
  #position: number;

  constructor(stream: Duplex, sink: FileSink, { startBytes, keptBytes, sizeBytes }: Extent) {
    this.#chunks = new ChunkReader(stream);
    this.#sink = sink;
    this.#position = startBytes;
    this.#keptBytes = keptBytes;
    this.#sizeBytes = sizeBytes;
  }

  /** Everything before this is in the sink. */
  get receivedBytes(): number {
    return this.#position;
  }

  /**
   * @throws FileError the sink cannot take it
   * @throws WrongContentError there is more than was announced
   */
  async run(): Promise<Arrival> {
    const keptBytes = this.#keptBytes;
    for (;;) {
      if (this.#sizeBytes !== undefined && this.#position >= this.#sizeBytes) return { kind: 'complete' };
      let chunk: Buffer | undefined;
      try {
        chunk = await this.#chunks.next();
      } catch (error) {
        return { kind: 'broken', error: error instanceof Error ? error : new Error(String(error)) };
      }
      if (!chunk) return { kind: 'ended' };
      const end = this.#position + chunk.length;
      if (this.#sizeBytes !== undefined && end > this.#sizeBytes) throw tooLong(this.#sizeBytes);
      // A sender that does not know ranges begins at 0; what is here already is passed over.
      if (end > keptBytes)
        await this.#sink.write(
          this.#position >= keptBytes ? chunk : chunk.subarray(keptBytes - this.#position),
        );
      this.#position = end;
    }
  }

  /**
   * After the last announced byte: waits for the end of the stream.
   * @throws WrongContentError more came
   */
  async expectEnd(): Promise<void> {
    let surplus: Buffer | undefined;
    try {
      surplus = await this.#chunks.next();
    } catch {
      return;
    }
    if (surplus && this.#sizeBytes !== undefined) throw tooLong(this.#sizeBytes);
  }

  detach(): void {
    this.#chunks.detach();
  }
}

function tooLong(sizeBytes: number): WrongContentError {
  return new WrongContentError(`more came than the ${sizeBytes} bytes that were announced`);
}
