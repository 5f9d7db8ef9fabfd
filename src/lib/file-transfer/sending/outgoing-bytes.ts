/**
 * The bytes of one file on their way out: hashed once from the first to the last, whatever is sent twice because a
 * path broke, and whatever the receiver has from an earlier run.
 */
import type { Readable, Writable } from 'node:stream';
import { FileError, RemoteError } from '../../errors.js';
import type { Hasher } from '../../hashes/hasher.js';
import { ChunkReader } from '../chunk-reader.js';
import type { FileSource } from '../transfer.js';

/** The path broke while something was on it; the file itself is all right. */
export class BrokenPathError extends RemoteError {
  override readonly name = 'BrokenPathError';
}

/** Of what can be read only once, so much is kept for the case that it has to be sent again. */
const REPLAY_BYTES = 8 << 20;

interface OpenSource {
  chunks: ChunkReader;
  stream: Readable;
  /** Of the next byte that is read. */
  position: number;
}

export class OutgoingBytes {
  readonly #source: FileSource;
  readonly #hasher: Hasher | undefined;
  /** Everything before this is in the hash. */
  #hashedBytes = 0;
  /** Reads what can be read once; stays open from one path to the next. */
  #reader: OpenSource | undefined;
  #replay: Buffer[] = [];
  #replayBytes = 0;
  #sizeBytes: number | undefined;
  #digest: Buffer | undefined;

  /** @param hasher of the hash to compute; none where it is known already */
  constructor(source: FileSource, hasher: Hasher | undefined) {
    this.#source = source;
    this.#hasher = hasher;
  }

  /** The whole size; known at the latest when everything was read. */
  get sizeBytes(): number | undefined {
    return this.#sizeBytes ?? this.#source.facts.sizeBytes;
  }

  /** Not everything has been read yet, so not everything can have arrived. */
  get isIncomplete(): boolean {
    return this.#sizeBytes === undefined;
  }

  /** Of the whole; undefined until everything was read. */
  get digest(): Buffer | undefined {
    return this.#digest;
  }

  /** Whether sending can begin at this byte. */
  canBeginAt(offset: number): boolean {
    const size = this.sizeBytes;
    if (size !== undefined && offset > size) return false;
    if (this.#source.isSeekable || !this.#reader) return true;
    return offset >= this.#reader.position - this.#replayBytes;
  }

  /**
   * Writes everything from `offset` on, and ends the stream right after the last byte.
   * @throws FileError the source cannot be read, or is not as long as was announced
   * @throws BrokenPathError the stream broke
   */
  async send(to: Writable, offset: number): Promise<void> {
    const writer = new Writer(to);
    try {
      const reader = await this.#readerAt(offset, writer);
      for (;;) {
        const chunk = await readFrom(reader.chunks);
        if (!chunk) break;
        const start = reader.position;
        reader.position += chunk.length;
        this.#checkLength(reader.position, false);
        this.#hash(chunk, start);
        if (!this.#source.isSeekable) this.#keep(chunk);
        if (reader.position <= offset) continue;
        await writer.write(start >= offset ? chunk : chunk.subarray(offset - start));
      }
      this.#checkLength(reader.position, true);
      this.#sizeBytes = reader.position;
      this.#digest ??= this.#hasher?.digest();
      await writer.end();
    } finally {
      writer.detach();
      if (this.#source.isSeekable) this.close();
    }
  }

  /** The whole content, for a small file. @throws FileError */
  async readAll(): Promise<Buffer> {
    const { chunks } = await this.#openAt(0);
    try {
      const parts: Buffer[] = [];
      let bytes = 0;
      for (let part = await readFrom(chunks); part; part = await readFrom(chunks)) {
        parts.push(part);
        bytes += part.length;
        this.#checkLength(bytes, false);
      }
      this.#checkLength(bytes, true);
      return Buffer.concat(parts, bytes);
    } finally {
      this.close();
    }
  }

  close(): void {
    this.#reader?.chunks.detach();
    this.#reader?.stream.destroy();
    this.#reader = undefined;
  }

  async #readerAt(offset: number, writer: Writer): Promise<OpenSource> {
    if (this.#reader) {
      // Something that is read once: what is needed again comes from memory.
      let position = this.#reader.position - this.#replayBytes;
      for (const chunk of this.#replay) {
        if (position + chunk.length > offset)
          await writer.write(position >= offset ? chunk : chunk.subarray(offset - position));
        position += chunk.length;
      }
      return this.#reader;
    }
    return this.#openAt(this.#startFor(offset));
  }

  async #openAt(position: number): Promise<OpenSource> {
    let stream: Readable;
    try {
      stream = await this.#source.open(position);
    } catch (error) {
      throw toFileError(error);
    }
    return (this.#reader = { chunks: new ChunkReader(stream), stream, position });
  }

  /** What the hash lacks before `offset` is read, though not sent. */
  #startFor(offset: number): number {
    if (!this.#source.isSeekable) return 0;
    return this.#hasher && !this.#digest ? Math.min(offset, this.#hashedBytes) : offset;
  }

  #hash(chunk: Buffer, start: number): void {
    if (!this.#hasher || this.#digest || start + chunk.length <= this.#hashedBytes) return;
    this.#hasher.update(start >= this.#hashedBytes ? chunk : chunk.subarray(this.#hashedBytes - start));
    this.#hashedBytes = start + chunk.length;
  }

  #keep(chunk: Buffer): void {
    this.#replay.push(chunk);
    this.#replayBytes += chunk.length;
    while (this.#replayBytes > REPLAY_BYTES && this.#replay.length > 1)
      this.#replayBytes -= this.#replay.shift()?.length ?? 0;
  }

  #checkLength(bytes: number, isAll: boolean): void {
    const size = this.#source.facts.sizeBytes;
    if (size === undefined || bytes === size || (bytes < size && !isAll)) return;
    const name = this.#source.facts.name ?? 'the file';
    throw new FileError(
      bytes > size ? `${name} grew while it was being sent` : `${name} shrank while it was being sent`,
      { details: { announcedBytes: size, readBytes: bytes } },
    );
  }
}

/** Writes with back-pressure; any failure of the stream is a `BrokenPathError`. */
class Writer {
  readonly #stream: Writable;
  #failure: BrokenPathError | undefined;
  #wake: (() => void) | undefined;
  #isFinished = false;

  constructor(stream: Writable) {
    this.#stream = stream;
    stream.on('error', this.#onError);
    stream.on('close', this.#onClose);
    stream.on('drain', this.#onReady);
    stream.on('finish', this.#onFinish);
    if (stream.destroyed) this.#fail(new BrokenPathError('the path was closed'));
  }

  async write(chunk: Buffer): Promise<void> {
    this.#throwIfBroken();
    if (this.#stream.write(chunk)) return;
    await new Promise<void>((resolve) => (this.#wake = resolve));
    this.#throwIfBroken();
  }

  async end(): Promise<void> {
    this.#throwIfBroken();
    this.#stream.end();
    while (!this.#isFinished) {
      await new Promise<void>((resolve) => (this.#wake = resolve));
      this.#throwIfBroken();
    }
  }

  /** Later errors of the stream must not be unhandled: a listener for them stays. */
  detach(): void {
    this.#stream.off('close', this.#onClose);
    this.#stream.off('drain', this.#onReady);
    this.#stream.off('finish', this.#onFinish);
  }

  readonly #onError = (error: Error): void =>
    this.#fail(new BrokenPathError(`the path broke: ${error.message}`, { cause: error }));
  readonly #onClose = (): void => {
    if (!this.#isFinished) this.#fail(new BrokenPathError('the path was closed in the middle'));
  };
  readonly #onFinish = (): void => {
    this.#isFinished = true;
    this.#onReady();
  };
  readonly #onReady = (): void => {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  };

  #throwIfBroken(): void {
    if (this.#failure) throw this.#failure;
  }

  #fail(error: BrokenPathError): void {
    this.#failure ??= error;
    this.#onReady();
  }
}

async function readFrom(chunks: ChunkReader): Promise<Buffer | undefined> {
  try {
    return await chunks.next();
  } catch (error) {
    throw toFileError(error);
  }
}

function toFileError(error: unknown): FileError {
  if (error instanceof FileError) return error;
  return new FileError(`the file cannot be read: ${error instanceof Error ? error.message : String(error)}`, {
    cause: error,
  });
}
