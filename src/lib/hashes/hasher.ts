/** Computing a digest piece by piece. */
import { createHash, type Hash as NodeHash } from 'node:crypto';
import type { HashAlgorithm } from './hashes.js';

export interface Hasher {
  readonly algorithm: HashAlgorithm;
  update(chunk: Uint8Array): void;
  /** Of everything until now; more may follow. */
  digest(): Buffer;
}

const opensslNames: Readonly<Record<Exclude<HashAlgorithm, 'blake2b-256'>, string>> = {
  'blake2b-512': 'blake2b512',
  'sha3-512': 'sha3-512',
  'sha-512': 'sha512',
  'sha3-256': 'sha3-256',
  'sha-256': 'sha256',
  'sha-1': 'sha1',
};

export async function createHasher(algorithm: HashAlgorithm): Promise<Hasher> {
  if (algorithm !== 'blake2b-256') return new OpensslHasher(algorithm, createHash(opensslNames[algorithm]));
  // The BLAKE2b of OpenSSL 3.0 has no shorter output, which is another function than a shortened one.
  const { blake2b } = await import('@noble/hashes/blake2.js');
  const hash = blake2b.create({ dkLen: 32 });
  return {
    algorithm,
    update: (chunk) => void hash.update(chunk),
    digest: () => Buffer.from(hash.clone().digest()),
  };
}

class OpensslHasher implements Hasher {
  readonly #hash: NodeHash;

  constructor(
    readonly algorithm: HashAlgorithm,
    hash: NodeHash,
  ) {
    this.#hash = hash;
  }

  update(chunk: Uint8Array): void {
    this.#hash.update(chunk);
  }

  digest(): Buffer {
    return this.#hash.copy().digest();
  }
}
