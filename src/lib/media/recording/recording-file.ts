/** A file that grows while a call lasts, and is of use whatever happens to the program meanwhile. */
import { mkdir, open, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { FileError } from '../../errors.js';
import { candidateNames } from '../../file-transfer/storing/file-name.js';

/** What waits to be written; a disk that is slower than this for long is not waited for. */
const MAX_WAITING_BYTES = 32 * 1024 * 1024;

export class RecordingFile {
  #work: Promise<void> = Promise.resolve();
  #waitingBytes = 0;
  #error: unknown;
  #size = 0;

  private constructor(
    readonly path: string,
    private readonly handle: FileHandle,
    private readonly onError: (error: unknown) => void,
  ) {}

  /**
   * Never one that is there: `name (1).ogg` is next.
   *
   * @param name safe already (`safeFileName`)
   * @param onError told once; what comes later is not written
   * @throws FileError
   */
  static async create(
    folder: string,
    name: string,
    onError: (error: unknown) => void,
  ): Promise<RecordingFile> {
    try {
      await mkdir(folder, { recursive: true });
      for (const candidate of candidateNames(name)) {
        const file = path.join(folder, candidate);
        const handle = await open(file, 'wx').catch((error: unknown) => {
          if (isTaken(error)) return undefined;
          throw error;
        });
        if (handle) return new RecordingFile(file, handle, onError);
      }
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new FileError(`cannot record to ${folder}: ${reason}`, { cause: error });
    }
    throw new FileError(`there are too many recordings named ${name} in ${folder}`);
  }

  /** In order; does not wait. */
  append(bytes: Buffer): void {
    if (bytes.length === 0 || this.#error !== undefined) return;
    if (this.#waitingBytes + bytes.length > MAX_WAITING_BYTES) {
      this.#fail(new Error('the disk is too slow'));
      return;
    }
    this.#waitingBytes += bytes.length;
    this.#size += bytes.length;
    this.#next(async () => {
      await this.handle.write(bytes);
      this.#waitingBytes -= bytes.length;
    });
  }

  /** Changes what was written before, for heads that tell a length. */
  overwrite(bytes: Buffer, position: number): void {
    this.#next(async () => {
      await this.handle.write(bytes, 0, bytes.length, position);
    });
  }

  get sizeBytes(): number {
    return this.#size;
  }

  /** On the disk when it resolves. */
  async close(): Promise<void> {
    this.#next(() => this.handle.datasync());
    await this.#work;
    await this.handle.close().catch(() => undefined);
  }

  #next(step: () => Promise<unknown>): void {
    this.#work = this.#work
      .then(async () => {
        if (this.#error === undefined) await step();
      })
      .catch((error: unknown) => this.#fail(error));
  }

  #fail(error: unknown): void {
    if (this.#error !== undefined) return;
    this.#error = error;
    this.onError(error);
  }
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EEXIST';
}
