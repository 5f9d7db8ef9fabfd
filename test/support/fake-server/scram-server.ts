/** The server's side of SCRAM (RFC 5802), written on its own so that it can catch the client's mistakes; and its lies. */
import { createHash, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from 'node:crypto';

export interface ScramLies {
  iterations?: number;
  salt?: Buffer;
  /** Part of the nonce that the server adds. */
  serverNonce?: string;
  /** Changes the first message: the client, and so the proof, sees only the result. */
  first?: (honest: string) => string;
  /** Changes the last message; undefined leaves it out. */
  final?: (honest: string) => string | undefined;
  /** Lets everybody in, and signs with a key that it made up. */
  isIgnorant?: boolean;
  /** The last message comes as a challenge of its own, the success without data. */
  isFinalInChallenge?: boolean;
}

export interface ScramServerOptions {
  /** `SCRAM-SHA-256-PLUS` */
  mechanism: string;
  /** The names that the server offered, for the check of `y`. */
  hasPlus: boolean;
  passwordOf: (username: string) => string | undefined;
  /** Undefined where the type is not supported. */
  channelBinding: (type: string) => Buffer | undefined;
  /** The value of `h` (XEP-0474). */
  listHash?: (algorithm: string) => string;
  lies?: ScramLies;
}

export type ScramResult = { final: string | undefined; username: string } | { error: string; text: string };

export class ScramServer {
  readonly #options: ScramServerOptions;
  readonly #hash: string;
  #username = '';
  #gs2 = '';
  #bare = '';
  #first = '';
  #nonce = '';
  #salted = Buffer.alloc(0);

  constructor(options: ScramServerOptions) {
    this.#options = options;
    this.#hash = options.mechanism.replace(/^SCRAM-SHA-(\d+)(-PLUS)?$/, 'sha$1');
  }

  /** @returns the server's first message, or a refusal */
  first(message: string): string | { error: string; text: string } {
    const { mechanism, hasPlus, passwordOf, channelBinding, listHash, lies = {} } = this.#options;
    const match = /^((?:n|y|p=([^,]+)),(?:a=[^,]*)?,)(n=([^,]*),r=([^,]+).*)$/su.exec(message);
    if (!match) return { error: 'malformed-request', text: 'this is no SCRAM message' };
    const [, gs2 = '', type, bare = '', name = '', clientNonce = ''] = match;
    if (mechanism.endsWith('-PLUS') !== (type !== undefined))
      return { error: 'malformed-request', text: 'flag and mechanism differ' };
    if (type !== undefined && !channelBinding(type))
      return { error: 'malformed-request', text: "Proposed channel binding type isn't supported." };
    if (gs2.startsWith('y') && hasPlus)
      return { error: 'malformed-request', text: 'channel binding was on offer' };
    this.#gs2 = gs2;
    this.#bare = bare;
    this.#username = name.replaceAll('=2C', ',').replaceAll('=3D', '=');
    const password = lies.isIgnorant ? randomBytes(9).toString('hex') : passwordOf(this.#username);
    if (password === undefined) return { error: 'not-authorized', text: 'unknown user' };
    const salt = lies.salt ?? randomBytes(16);
    const iterations = lies.iterations ?? 4096;
    const length = createHash(this.#hash).digest().length;
    // The honest count bounds what a lie may cost the tests.
    this.#salted = pbkdf2Sync(password, salt, Math.min(iterations, 20_000), length, this.#hash);
    this.#nonce = clientNonce + (lies.serverNonce ?? randomBytes(12).toString('base64'));
    const honest = `r=${this.#nonce},s=${salt.toString('base64')},i=${iterations}`;
    const withHash = listHash ? `${honest},h=${listHash(this.#hash)}` : honest;
    this.#first = lies.first?.(withHash) ?? withHash;
    return this.#first;
  }

  /** @returns the server's last message (undefined: left out), or a refusal */
  final(message: string): ScramResult {
    const { channelBinding, lies = {} } = this.#options;
    const match = /^(c=([^,]*),r=([^,]*)),p=(.*)$/su.exec(message);
    if (!match) return { error: 'malformed-request', text: 'this is no SCRAM message' };
    const [, withoutProof = '', channel = '', nonce, proof = ''] = match;
    const type = /^p=([^,]+)/.exec(this.#gs2)?.[1];
    const bound = type === undefined ? Buffer.alloc(0) : (channelBinding(type) ?? Buffer.alloc(0));
    const expected = Buffer.concat([Buffer.from(this.#gs2), bound]).toString('base64');
    if (channel !== expected) return { error: 'not-authorized', text: 'Invalid channel binding' };
    if (nonce !== this.#nonce) return { error: 'not-authorized', text: 'Nonce mismatch' };

    const authMessage = `${this.#bare},${this.#first},${withoutProof}`;
    const storedKey = this.#digest(this.#hmac(this.#salted, 'Client Key'));
    const signature = this.#hmac(storedKey, authMessage);
    const given = Buffer.from(proof, 'base64');
    const clientKey = Buffer.from(given.map((byte, index) => byte ^ (signature[index] ?? 0)));
    const isRight = timingSafeEqual(this.#digest(clientKey), storedKey);
    if (!isRight && !lies.isIgnorant) return { error: 'not-authorized', text: 'the proof is wrong' };
    const honest = `v=${this.#hmac(this.#hmac(this.#salted, 'Server Key'), authMessage).toString('base64')}`;
    return { final: lies.final ? lies.final(honest) : honest, username: this.#username };
  }

  #hmac(key: Buffer, text: string): Buffer {
    return createHmac(this.#hash, key).update(text).digest();
  }

  #digest(data: Buffer): Buffer {
    return createHash(this.#hash).update(data).digest();
  }
}
