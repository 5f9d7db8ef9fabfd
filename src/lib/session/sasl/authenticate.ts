/**
 * The login: which profile, which mechanism, and what has to be true before it counts.
 */
import { randomUUID } from 'node:crypto';
import { AuthError } from '../../errors.js';
import { JID } from '../../jid/jid.js';
import type { Element } from '../../xml/element.js';
import type { AuthenticationOptions, AuthenticationResult, SaslStream } from './authentication.js';
import { chooseMechanisms } from './choose-mechanism.js';
import { exchange, type ExchangeOutcome } from './exchange.js';
import { authErrorFrom, isBindingRefused } from './failure.js';
import { Fast } from './fast.js';
import { authorizationIdentifier, receiveInline, requestInline, userAgent } from './inline.js';
import type { SaslMechanism } from './mechanism.js';
import { readOffer, type Offer } from './offer.js';
import { refuseDowngrade, strongerPin, warnOfDowngrade } from './pin.js';

/**
 * Authenticates: SASL2 (XEP-0388) where it is offered, else SASL (RFC 6120 §6). On success the server has proved that it
 * knows the password too, where the mechanism can do that.
 *
 * After `profile: 'sasl'` the caller opens a new stream; after `sasl2` the next element is the new features.
 * After an error the stream is of no use any more.
 *
 * @throws AuthError refused, nothing in common, or the server could not prove that it knows the password
 * @throws ProtocolError something else than SASL was answered
 */
export async function authenticate(
  stream: SaslStream,
  features: Element,
  options: AuthenticationOptions,
): Promise<AuthenticationResult> {
  return new Login(stream, features, options).run();
}

class Login {
  readonly #stream: SaslStream;
  readonly #options: AuthenticationOptions;
  readonly #offer: Offer;
  readonly #fast: Fast | undefined;
  /** Known once a mechanism has asked for it; kept only to keep it out of errors. */
  #password: string | undefined;

  constructor(stream: SaslStream, features: Element, options: AuthenticationOptions) {
    const { jid, allowPlain, tls, credentials } = options.options;
    if (!options.isSecure && !allowPlain) {
      throw new AuthError(`the connection to ${jid.domain} is not encrypted: nothing is sent to log in`, {
        hint: 'only allow_plain in the account’s configuration permits that',
      });
    }
    const offer = readOffer(features, options.isSecure);
    if (offer === undefined) throw new AuthError(`${jid.domain} offers no way to log in on this connection`);
    this.#stream = stream;
    this.#options = options;
    this.#offer = offer;
    // XEP-0484 §7: only over TLS with a verified certificate.
    if (credentials.fast && offer.profile === 'sasl2' && !tls?.isInsecure && jid.local !== undefined) {
      this.#fast = new Fast(credentials.fast, offer, options.channelBinding);
    }
  }

  async run(): Promise<AuthenticationResult> {
    return (await this.#runWithToken()) ?? (await this.#runWithCredentials());
  }

  async #runWithToken(): Promise<AuthenticationResult | undefined> {
    const { jid } = this.#options.options;
    const use = await this.#fast?.useToken(jid.local ?? '', Date.now());
    if (use === undefined) return undefined;
    const { mechanism, userAgentId, extra } = use;
    // No Bind 2 here: it ends the other sessions under the same identifier (XEP-0386 §4.2), and the token's is shared by
    // every process of this account.
    const { inline } = this.#options;
    const extras = [
      userAgent(userAgentId),
      ...requestInline(this.#offer, { ...(inline && { inline }) }),
      extra,
    ];
    let outcome: ExchangeOutcome;
    try {
      outcome = await this.#exchange(mechanism, extras);
    } catch (error) {
      // Whoever could not prove to know the token has now seen what it takes to use it (HT-…-NONE).
      if (error instanceof AuthError) await this.#fast?.discard();
      throw error;
    }
    if ('success' in outcome) return this.#conclude(mechanism, outcome.success, true);
    await this.#fast?.discard();
    return undefined;
  }

  async #runWithCredentials(): Promise<AuthenticationResult> {
    const { options, channelBinding, pins } = this.#options;
    const pin = await pins?.load();
    const mechanisms = chooseMechanisms(this.#offer, this.#rememberingPassword(), channelBinding);
    for (const [index, mechanism] of mechanisms.entries()) {
      refuseDowngrade(pin, mechanism);
      const outcome = await this.#exchange(mechanism, this.#extras());
      if ('success' in outcome) {
        const result = await this.#conclude(mechanism, outcome.success, false);
        const warning = warnOfDowngrade(pin, mechanism);
        if (warning !== undefined) options.warn?.(warning);
        const stronger = strongerPin(pin, mechanism);
        if (stronger) await pins?.save(stronger);
        return result;
      }
      const { failure, wasChallenged } = outcome;
      const hasNext = index + 1 < mechanisms.length;
      if (!hasNext || wasChallenged || !isBindingRefused(failure)) {
        const who = options.credentials.isAnonymous ? 'an anonymous user' : options.jid.bare.toString();
        throw authErrorFrom(failure, { who, mechanism: mechanism.name, secret: this.#password });
      }
    }
    throw new AuthError(`${options.jid.domain} offers no way to log in on this connection`);
  }

  #rememberingPassword(): AuthenticationOptions['options'] {
    const { options } = this.#options;
    const { password } = options.credentials;
    if (!password) return options;
    const remember = async (): Promise<string> => (this.#password ??= await password());
    return { ...options, credentials: { ...options.credentials, password: remember } };
  }

  #extras(): Element[] {
    if (this.#offer.profile === 'sasl') return [];
    const userAgentId = randomUUID();
    const request = this.#fast?.request(userAgentId);
    return [
      userAgent(userAgentId),
      ...requestInline(this.#offer, this.#options),
      ...(request ? [request] : []),
    ];
  }

  async #exchange(mechanism: SaslMechanism, extras: readonly Element[]): Promise<ExchangeOutcome> {
    const facts = {
      profile: this.#offer.profile,
      mechanism: mechanism.name,
      ...(mechanism.channelBinding !== undefined && { channelBinding: mechanism.channelBinding }),
    };
    try {
      const outcome = await exchange(this.#stream, this.#offer.profile, mechanism, extras);
      this.#options.trace?.(
        'success' in outcome
          ? { ...facts, outcome: 'success', downgradeProtected: mechanism.isDowngradeProtected }
          : { ...facts, outcome: 'failure', condition: outcome.failure.condition },
      );
      return outcome;
    } catch (error) {
      this.#options.trace?.({ ...facts, outcome: 'aborted' });
      throw error;
    }
  }

  async #conclude(
    mechanism: SaslMechanism,
    success: Element,
    isToken: boolean,
  ): Promise<AuthenticationResult> {
    const { options } = this.#options;
    const isSasl2 = this.#offer.profile === 'sasl2';
    const identifier = isSasl2 ? authorizationIdentifier(success) : undefined;
    if (identifier !== undefined) this.#checkIdentity(identifier);
    const isBound = isSasl2 && receiveInline(success, this.#options);
    try {
      await this.#fast?.keep(success);
    } catch (error) {
      // We are in; the next login takes the password.
      options.warn?.(error instanceof Error ? error.message : 'the FAST token could not be saved');
    }
    return {
      mechanism: mechanism.name,
      channelBinding: mechanism.channelBinding,
      profile: this.#offer.profile,
      isServerProven: mechanism.isMutual,
      isDowngradeProtected: mechanism.isDowngradeProtected,
      isToken,
      authorizationIdentifier: identifier,
      isBound,
    };
  }

  /** XEP-0388 §2.6.1: the server says who we are now. */
  #checkIdentity(identifier: string): void {
    const { jid, credentials } = this.#options.options;
    let actual: JID | undefined;
    try {
      actual = JID.parse(identifier);
    } catch {
      // Told below.
    }
    const isOurs = credentials.isAnonymous
      ? actual?.domain === jid.domain
      : actual?.bare.equals(jid.bare) === true;
    if (isOurs) return;
    throw new AuthError(`${jid.domain} logged us in as somebody else than ${jid.bare.toString()}`, {
      ...(actual && { details: { as: actual.toString() } }),
    });
  }
}
