import type { Element } from '../../xml/element.js';
import type { AuthenticationOptions, AuthenticationResult, SaslStream } from './authentication.js';

/** True where the features offer something to authenticate with. */
export function offersAuthentication(features: Element): boolean {
  void features;
  throw new Error('being written');
}

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
export function authenticate(
  stream: SaslStream,
  features: Element,
  options: AuthenticationOptions,
): Promise<AuthenticationResult> {
  void stream;
  void features;
  void options;
  return Promise.reject(new Error('being written'));
}
