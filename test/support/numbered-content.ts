/** Content of any length of which each piece shows where it belongs: every eight bytes are their own number. */
import { createHash } from 'node:crypto';
import type { FileFacts } from '../../src/lib/file-transfer/transfer.js';

export function contentAt(offset: number, bytes: number): Buffer {
  const first = Math.floor(offset / 8);
  const count = Math.ceil((offset + bytes) / 8) - first;
  const buffer = Buffer.alloc(count * 8);
  for (let index = 0; index < count; index += 1) buffer.writeDoubleBE(first + index, index * 8);
  return buffer.subarray(offset - first * 8, offset - first * 8 + bytes);
}

export function sha256Of(bytes: number): Buffer {
  return createHash('sha256').update(contentAt(0, bytes)).digest();
}

export function factsOf(
  name: string | undefined,
  sizeBytes: number | undefined,
  more: Partial<FileFacts> = {},
): FileFacts {
  return {
    name,
    sizeBytes,
    mediaType: undefined,
    date: undefined,
    description: undefined,
    hashes: [],
    promisedHashes: ['sha-256'],
    ...more,
  };
}
