/**
 * The server's side of SCRAM (RFC 5802; SHA-256: RFC 7677; SHA-512), for one password that whoever comes has to know.
 *
 * Not here: channel binding, which is not offered, and authorization as somebody else (`a=`).
 */
import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto';
import { isUtf8 } from 'node:buffer';
import { promisify } from 'node:util';
import { decodeBase64 } from '../../session/sasl/base64.js';
import type { ServerMechanism, Step } from './mechanisms.js';

const deriveKey = promisify(pbkdf2);

export type ScramHash = 'sha1' | 'sha256' | 'sha512';

/** RFC 7677 §4: the least that clients accept. Nothing is stored here that more of them would guard. */
const iterations = 4096;

/** The first message of a client: `gs2-header`, then what is signed. */
const FIRST = /^((n|y|p=[^,]+),(a=[^,]*)?,)(n=([^,]+),r=([\x21-\x2b\x2d-\x7e]+)(?:,.*)?)$/su;
const FINAL = /^(c=([^,]*),r=([^,]*)(?:,.*)?),p=([^,]*)$/su;

/** What was said first, and has to be remembered. */
interface Begun {
  header: string;
  bare: string;
  name: string;
  nonce: string;
  challenge: string;
}

export class ServerScram implements ServerMechanism {
  readonly #hash: ScramHash;
  readonly #password: string;
  readonly #serverNonce: string;
  readonly #salt: Buffer;
  #begun: Begun | undefined;

  /**
   * @param password prepared by SASLprep
   * @param fixed for the test vectors
   */
  constructor(hash: ScramHash, password: string, fixed: { nonce?: string; salt?: Buffer } = {}) {
    this.#hash = hash;
    this.#password = password;
    this.#serverNonce = fixed.nonce ?? randomBytes(18).toString('base64');
    this.#salt = fixed.salt ?? randomBytes(16);
  }

  async next(message: Buffer): Promise<Step> {
    if (!isUtf8(message)) return { kind: 'failure', condition: 'malformed-request' };
    const text = message.toString('utf8');
    return this.#begun === undefined ? this.#begin(text) : await this.#verify(text, this.#begun);
  }

  #begin(text: string): Step {
    const [, header, flag, authorized, bare, saslName = '', clientNonce] = FIRST.exec(text) ?? [];
    if (header === undefined || bare === undefined || /=(?!2C|3D)/.test(saslName))
      return { kind: 'failure', condition: 'malformed-request' };
    if (flag?.startsWith('p') === true || (authorized !== undefined && authorized !== 'a='))
      return { kind: 'failure', condition: 'malformed-request' };
    const name = saslName.replaceAll('=2C', ',').replaceAll('=3D', '=');
    const nonce = `${clientNonce}${this.#serverNonce}`;
    const challenge = `r=${nonce},s=${this.#salt.toString('base64')},i=${iterations}`;
    this.#begun = { header, bare, name, nonce, challenge };
    return { kind: 'challenge', data: Buffer.from(challenge) };
  }

  async #verify(text: string, begun: Begun): Promise<Step> {
    const [, withoutProof, channel = '', nonce, proofText = ''] = FINAL.exec(text) ?? [];
    const proof = decodeBase64(proofText);
    if (withoutProof === undefined || proof === undefined)
      return { kind: 'failure', condition: 'malformed-request' };
    const salted = await deriveKey(
      this.#password,
      this.#salt,
      iterations,
      this.#digestOf('').length,
      this.#hash,
    );
    const authMessage = `${begun.bare},${begun.challenge},${withoutProof}`;
    const storedKey = this.#digestOf(this.#sign(salted, 'Client Key'));
    const signature = this.#sign(storedKey, authMessage);
    // Of another length it makes another key, which is as wrong as any.
    const clientKey = Buffer.from(proof.map((byte, index) => byte ^ (signature[index] ?? 0)));
    const isRight =
      timingSafeEqual(this.#digestOf(clientKey), storedKey) &&
      nonce === begun.nonce &&
      channel === Buffer.from(begun.header).toString('base64');
    if (!isRight) return { kind: 'failure', condition: 'not-authorized' };
    const verifier = this.#sign(this.#sign(salted, 'Server Key'), authMessage);
    return { kind: 'success', name: begun.name, data: Buffer.from(`v=${verifier.toString('base64')}`) };
  }

  #sign(key: Buffer, text: string): Buffer {
    return createHmac(this.#hash, key).update(text).digest();
  }

  #digestOf(data: string | Buffer): Buffer {
    return createHash(this.#hash).update(data).digest();
  }
}
