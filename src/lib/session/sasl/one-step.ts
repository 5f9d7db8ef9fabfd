/**
 * The mechanisms of one message, which prove nothing of the server: PLAIN (RFC 4616), EXTERNAL (RFC 4422 appendix A) and
 * ANONYMOUS (RFC 4505).
 *
 * XEP-0178: Best Practices for Use of SASL EXTERNAL with Certificates, version 1.2.
 * XEP-0175: Best Practices for Use of SASL ANONYMOUS, version 1.2.
 */
import { AuthError } from '../../errors.js';
import type { SaslMechanism } from './mechanism.js';

abstract class OneStep implements SaslMechanism {
  abstract readonly name: string;
  readonly channelBinding = undefined;
  readonly isMutual = false;
  readonly isDowngradeProtected = false;

  abstract start(): Promise<Buffer>;

  respond(): Promise<Buffer> {
    return Promise.reject(new AuthError(`the server sent a challenge, which ${this.name} does not have`));
  }

  finish(): void {
    // Nothing to verify.
  }
}

export class Plain extends OneStep {
  readonly name = 'PLAIN';

  constructor(
    private readonly username: string,
    private readonly password: () => Promise<string>,
  ) {
    super();
  }

  async start(): Promise<Buffer> {
    // RFC 4616 §2: it is the server that prepares what it compares; a directory behind it may want the password as typed.
    const password = await this.password();
    if (password === '') throw new AuthError('the password is empty');
    if (password.includes('\0')) throw new AuthError('the password contains a NUL character');
    return Buffer.from(`\0${this.username}\0${password}`);
  }
}

export class External extends OneStep {
  readonly name = 'EXTERNAL';

  /**
   * @param authorizationIdentity our bare address: a certificate may hold several, and a server need not guess (XEP-0178 §2).
   */
  constructor(private readonly authorizationIdentity: string) {
    super();
  }

  start(): Promise<Buffer> {
    return Promise.resolve(Buffer.from(this.authorizationIdentity));
  }
}

export class Anonymous extends OneStep {
  readonly name = 'ANONYMOUS';

  start(): Promise<Buffer> {
    // RFC 4505 allows a trace of who we are; XEP-0175 has no use for it.
    return Promise.resolve(Buffer.alloc(0));
  }
}
