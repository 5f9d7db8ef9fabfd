/**
 * The Hashed Token mechanisms that FAST uses (draft-schmaus-kitten-sasl-ht-09, which XEP-0484 refers to).
 *
 * Not here: the key/value pairs of the later draft-ietf-kitten-sasl-ht.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { AuthError } from '../../errors.js';
import type { BindingName } from './authentication.js';
import type { SaslMechanism } from './mechanism.js';

/** Strongest first. */
export const hashedTokenSuffixes: readonly [suffix: string, binding: BindingName | undefined][] = [
  ['EXPR', 'tls-exporter'],
  ['UNIQ', 'tls-unique'],
  ['ENDP', 'tls-server-end-point'],
  ['NONE', undefined],
];

export const hashedTokenHashes = ['SHA-512', 'SHA-256'] as const;

export interface HashedTokenOptions {
  hash: (typeof hashedTokenHashes)[number];
  username: string;
  token: string;
  binding: { type: BindingName; data: Buffer } | undefined;
}

export class HashedToken implements SaslMechanism {
  readonly name: string;
  readonly channelBinding: string | undefined;
  readonly isMutual = true;
  readonly isDowngradeProtected = false;
  readonly #options: HashedTokenOptions;

  constructor(options: HashedTokenOptions) {
    const suffix =
      hashedTokenSuffixes.find(([, binding]) => binding === options.binding?.type)?.[0] ?? 'NONE';
    this.name = `HT-${options.hash}-${suffix}`;
    this.channelBinding = options.binding?.type;
    this.#options = options;
  }

  start(): Promise<Buffer> {
    return Promise.resolve(
      Buffer.concat([Buffer.from(`${this.#options.username}\0`), this.#mac('Initiator')]),
    );
  }

  respond(): Promise<Buffer> {
    return Promise.reject(new AuthError(`the server sent a challenge, which ${this.name} does not have`));
  }

  finish(data: Buffer | undefined): void {
    const expected = this.#mac('Responder');
    if (data?.length === expected.length && timingSafeEqual(data, expected)) return;
    throw new AuthError('the server could not prove that it knows the token', {
      hint: 'this is not the server that the account is on',
    });
  }

  #mac(role: 'Initiator' | 'Responder'): Buffer {
    const { hash, token, binding } = this.#options;
    const algorithm = hash === 'SHA-512' ? 'sha512' : 'sha256';
    return createHmac(algorithm, token)
      .update(role)
      .update(binding?.data ?? '')
      .digest();
  }
}
