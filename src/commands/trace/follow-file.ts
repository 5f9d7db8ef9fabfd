/** A file that is still being written, as `tail -f` reads it. */
import { open } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { FileError } from '../../lib/errors.js';

const pollMs = 200;

/**
 * Yields what is in a file, and what is appended to it, until the signal is aborted.
 * @throws FileError it was cut short or written anew
 */
export async function* followFile(file: string, signal: AbortSignal): AsyncGenerator<Uint8Array, void, void> {
  const handle = await open(file);
  try {
    let position = 0;
    while (!signal.aborted) {
      // A buffer of its own for each piece: who reads it may keep it.
      const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(1 << 18), 0, 1 << 18, position);
      if (bytesRead > 0) {
        position += bytesRead;
        yield buffer.subarray(0, bytesRead);
        continue;
      }
      const { size } = await handle.stat();
      if (size < position) throw new FileError(`${file} was cut short while it was followed`);
      await wait(pollMs, undefined, { signal });
    }
  } finally {
    await handle.close();
  }
}
