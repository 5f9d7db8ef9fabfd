/**
 * The hash of a file that is being written: taken from the pieces as they pass, and from the disk where they did not
 * pass here: what an earlier run stored, or another algorithm.
 */
import type { FileHandle } from 'node:fs/promises';
import { createHasher, type Hasher } from '../../hashes/hasher.js';
import type { HashAlgorithm } from '../../hashes/hashes.js';

const READ_BYTES = 1 << 20;

export class PartDigest {
  readonly #handle: FileHandle;
  readonly #hasher: Hasher;
  /** Everything before this is in the hash. */
  #hashedBytes = 0;
  #catchingUp: Promise<void> | undefined;
  #isStopped = false;

  constructor(handle: FileHandle, hasher: Hasher) {
    this.#handle = handle;
    this.#hasher = hasher;
  }

  /**
   * A piece that is about to be written. Where it does not follow what is hashed, the hash runs after what is on the
   * disk, so that little is left to read at the end.
   */
  pass(piece: Buffer, position: number): void {
    if (this.#catchingUp) return;
    if (position !== this.#hashedBytes) {
      void this.catchUp(position).catch(() => undefined);
      return;
    }
    this.#hasher.update(piece);
    this.#hashedBytes += piece.length;
  }

  /** Hashes what is on the disk, up to `end`, while other things happen. */
  catchUp(end: number): Promise<void> {
    this.#catchingUp ??= this.#read(this.#hasher, this.#hashedBytes, end, (bytes) => {
      this.#hashedBytes += bytes;
    }).finally(() => (this.#catchingUp = undefined));
    // Whoever needs the hash will meet the error again.
    this.#catchingUp.catch(() => undefined);
    return this.#catchingUp;
  }

  /** Of the file up to `end`, all of which is on the disk. @throws Error of the system */
  async digest(algorithm: HashAlgorithm, end: number): Promise<Buffer> {
    await this.#catchingUp;
    if (algorithm === this.#hasher.algorithm) {
      if (this.#hashedBytes < end) await this.catchUp(end);
      return this.#hasher.digest();
    }
    const hasher = await createHasher(algorithm);
    await this.#read(hasher, 0, end, () => undefined);
    return hasher.digest();
  }

  /** Resolves when the file is not being read any more. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#catchingUp?.catch(() => undefined);
  }

  async #read(hasher: Hasher, from: number, end: number, note: (bytes: number) => void): Promise<void> {
    const buffer = Buffer.allocUnsafe(Math.min(READ_BYTES, Math.max(end - from, 1)));
    let position = from;
    while (position < end && !this.#isStopped) {
      const length = Math.min(buffer.length, end - position);
      const { bytesRead } = await this.#handle.read(buffer, 0, length, position);
      if (bytesRead === 0) throw new Error('it became shorter while it was being read');
      hasher.update(buffer.subarray(0, bytesRead));
      position += bytesRead;
      note(bytesRead);
    }
  }
}
