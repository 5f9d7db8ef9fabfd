/**
 * XEP-0454: OMEMO Media sharing, version 0.1.0: a link with the key to what is behind it, AES-256 in GCM.
 *
 * Not there: sending, and thumbnails.
 */
import { createDecipheriv, type DecipherGCM } from 'node:crypto';
import { ProtocolError } from '../errors.js';

/** At the end of what is downloaded (§3). */
const TAG_BYTES = 16;
const KEY_DIGITS = 64;

export class Decryption {
  readonly #decipher: DecipherGCM;
  /** The last bytes, which may be the tag. */
  #tail: Buffer = Buffer.alloc(0);

  constructor(key: Buffer, iv: Buffer) {
    this.#decipher = createDecipheriv('aes-256-gcm', key, iv);
  }

  /** Nothing of it may be trusted before `finish`. */
  update(piece: Buffer): Buffer {
    const all = Buffer.concat([this.#tail, piece]);
    const end = Math.max(all.length - TAG_BYTES, 0);
    this.#tail = all.subarray(end);
    return this.#decipher.update(all.subarray(0, end));
  }

  /** @throws ProtocolError it is not what was encrypted with this key */
  finish(): void {
    try {
      this.#decipher.setAuthTag(this.#tail);
      this.#decipher.final();
    } catch (cause) {
      throw new ProtocolError('what was downloaded is not what was encrypted: it cannot be decrypted', {
        cause,
      });
    }
  }
}

/** @returns undefined for any other link. @throws ProtocolError it has no key */
export function readEncryptedLink(url: string): { url: string; begin: () => Decryption } | undefined {
  if (!/^aesgcm:\/\//i.test(url)) return undefined;
  const mark = url.indexOf('#');
  const secret = mark < 0 ? '' : url.slice(mark + 1);
  // §3: an IV of 12 bytes; clients before 2020 took 16.
  if (!/^([0-9a-f]{88}|[0-9a-f]{96})$/i.test(secret))
    throw new ProtocolError('the encrypted link has no key, or a broken one');
  const iv = Buffer.from(secret.slice(0, -KEY_DIGITS), 'hex');
  const key = Buffer.from(secret.slice(-KEY_DIGITS), 'hex');
  return { url: `https://${url.slice('aesgcm://'.length, mark)}`, begin: () => new Decryption(key, iv) };
}
