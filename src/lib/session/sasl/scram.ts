/**
 * SCRAM (RFC 5802; SHA-256: RFC 7677) with channel binding, and with downgrade protection (XEP-0474) where the server has it.
 *
 * Not here: authorization as somebody else (`a=`), caching of derived keys, mandatory extensions (none exist).
 */
import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { AuthError } from '../../errors.js';
import { verifyOfferedLists, type OfferedLists } from './downgrade-protection.js';
import type { SaslMechanism } from './mechanism.js';
import { saslprep } from './saslprep.js';
import { escapeSaslName, readServerFinal, readServerFirst } from './scram-message.js';

const deriveKey = promisify(pbkdf2);

export type ScramHash = 'sha1' | 'sha256' | 'sha512';

/** RFC 5802 §6. */
export type ScramBinding =
  /** `n`: this connection has no channel binding. */
  | { flag: 'n' }
  /** `y`: it has, but the server seems to have none. A server that did offer it knows then that the offer was removed. */
  | { flag: 'y' }
  | { flag: 'p'; type: string; data: Buffer };

export interface ScramOptions {
  hash: ScramHash;
  username: string;
  password: () => Promise<string>;
  binding: ScramBinding;
  lists: OfferedLists;
  /** Go on only if the server confirms `lists` (XEP-0474 §6, the new rule 6). */
  isHashRequired?: boolean;
  /** For the test vectors. */
  nonce?: string;
}

const hashNames: Readonly<Record<ScramHash, string>> = {
  sha1: 'SHA-1',
  sha256: 'SHA-256',
  sha512: 'SHA-512',
};

export class Scram implements SaslMechanism {
  readonly name: string;
  readonly channelBinding: string | undefined;
  readonly isMutual = true;
  #isDowngradeProtected = false;
  readonly #options: ScramOptions;
  readonly #nonce: string;
  readonly #gs2Header: string;
  #clientFirstBare = '';
  #password: Promise<string> | undefined;
  #expectedSignature: Buffer | undefined;
  #isVerified = false;

  constructor(options: ScramOptions) {
    const { binding } = options;
    this.#options = options;
    this.name = `SCRAM-${hashNames[options.hash]}${binding.flag === 'p' ? '-PLUS' : ''}`;
    this.channelBinding = binding.flag === 'p' ? binding.type : undefined;
    this.#gs2Header = binding.flag === 'p' ? `p=${binding.type},,` : `${binding.flag},,`;
    this.#nonce = options.nonce ?? randomBytes(24).toString('base64');
  }

  get isDowngradeProtected(): boolean {
    return this.#isDowngradeProtected;
  }

  async start(): Promise<Buffer> {
    const username = await saslprep(this.#options.username, 'the user name');
    this.#clientFirstBare = `n=${escapeSaslName(username)},r=${this.#nonce}`;
    // Fetched while the server answers: it may come from a keyring or a command.
    this.#password = this.#options.password();
    this.#password.catch(() => undefined);
    return Buffer.from(this.#gs2Header + this.#clientFirstBare);
  }

  async respond(challenge: Buffer): Promise<Buffer> {
    if (this.#expectedSignature !== undefined) {
      // RFC 4422 §5: a server whose protocol has no room for data in its success sends it as one more challenge.
      this.#verify(challenge);
      return Buffer.alloc(0);
    }
    if (this.#password === undefined)
      throw new AuthError('the server sent a challenge before it was asked for one');
    const { hash, binding } = this.#options;
    const { nonce, salt, iterations, extensions } = readServerFirst(challenge, this.#nonce);
    this.#checkLists(extensions.get('h'));
    const channel = Buffer.concat([
      Buffer.from(this.#gs2Header),
      binding.flag === 'p' ? binding.data : Buffer.alloc(0),
    ]);
    const withoutProof = `c=${channel.toString('base64')},r=${nonce}`;
    const authMessage = `${this.#clientFirstBare},${challenge.toString('utf8')},${withoutProof}`;

    const password = await saslprep(await this.#password, 'the password');
    const keyLength = createHash(hash).digest().length;
    const saltedPassword = await deriveKey(password, salt, iterations, keyLength, hash);
    const clientKey = hmac(hash, saltedPassword, 'Client Key');
    const storedKey = createHash(hash).update(clientKey).digest();
    const proof = xor(clientKey, hmac(hash, storedKey, authMessage));
    this.#expectedSignature = hmac(hash, hmac(hash, saltedPassword, 'Server Key'), authMessage);
    return Buffer.from(`${withoutProof},p=${proof.toString('base64')}`);
  }

  #checkLists(attribute: string | undefined): void {
    const { lists, hash, isHashRequired } = this.#options;
    if (attribute !== undefined) {
      verifyOfferedLists(attribute, lists, hash);
      this.#isDowngradeProtected = true;
    } else if (isHashRequired) {
      throw new AuthError(
        'the server offers channel binding of no kind that we have, and does not confirm its offer (XEP-0474)',
        {
          hint: 'somebody between us and the server may have changed the offer',
        },
      );
    }
  }

  finish(data: Buffer | undefined): void {
    if (data !== undefined && data.length > 0 && !this.#isVerified) this.#verify(data);
    if (this.#isVerified) return;
    throw new AuthError('the server accepted the login without proving that it knows the password', {
      hint: 'this is not the server that the account is on, or the server is broken',
    });
  }

  #verify(message: Buffer): void {
    const signature = readServerFinal(message);
    const expected = this.#expectedSignature;
    if (expected?.length !== signature.length || !timingSafeEqual(expected, signature)) {
      throw new AuthError('the server could not prove that it knows the password', {
        hint: 'this is not the server that the account is on',
      });
    }
    this.#isVerified = true;
  }
}

function hmac(hash: ScramHash, key: Buffer, text: string): Buffer {
  return createHmac(hash, key).update(text).digest();
}

function xor(a: Buffer, b: Buffer): Buffer {
  return Buffer.from(a.map((byte, index) => byte ^ (b[index] ?? 0)));
}
