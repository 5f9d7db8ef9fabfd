/**
 * A small file is read before it is offered: what cannot be read troubles nobody, and the hash can go with the offer,
 * which is one message less for each of ten thousand files.
 */
import { Readable } from 'node:stream';
import { createHasher } from '../../hashes/hasher.js';
import type { Hash, HashAlgorithm } from '../../hashes/hashes.js';
import { OutgoingBytes } from './outgoing-bytes.js';
import type { FileSource } from '../transfer.js';

const SMALL_BYTES = 64 * 1024;

/** @throws FileError it cannot be read, or is not as long as announced */
export async function preloadSmall(source: FileSource, algorithm: HashAlgorithm): Promise<FileSource> {
  const { facts, isSeekable } = source;
  if (!isSeekable || facts.sizeBytes === undefined || facts.sizeBytes > SMALL_BYTES) return source;
  const content = await new OutgoingBytes(source, undefined).readAll();
  const hashes = facts.hashes.length > 0 ? facts.hashes : [await hashOf(content, algorithm)];
  return {
    facts: { ...facts, hashes },
    isSeekable: true,
    open: (offset) =>
      Promise.resolve(Readable.from(offset < content.length ? [content.subarray(offset)] : [])),
  };
}

async function hashOf(content: Buffer, algorithm: HashAlgorithm): Promise<Hash> {
  const hasher = await createHasher(algorithm);
  hasher.update(content);
  return { algorithm, value: hasher.digest() };
}
