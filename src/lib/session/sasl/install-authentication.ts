import type { AuthenticationOptions, SaslStream, StreamFeatureRegistry } from './authentication.js';

/**
 * Registers authentication as stream features: SASL2 (XEP-0388) where it is offered, else SASL (RFC 6120 §6).
 *
 * Call it after STARTTLS was registered and before resource binding: features are handled in the order of registration.
 * It replaces the handlers of `client()` from @xmpp/client, which believe a server that proves nothing.
 * What goes wrong is thrown by the handler, so it arrives as the connection's `error` event.
 *
 * SASL: `onAuthenticated`, then the stream is restarted. SASL2: inline features receive their answers, then `onAuthenticated`;
 * the server sends features again, with no restart.
 *
 * @throws AuthError refused, or the server could not prove that it knows the password
 * @throws TimeoutError a step took longer than `options.timeoutMs`
 * @throws ConnectionLostError the stream ended meanwhile
 */
export function installAuthentication(
  stream: SaslStream,
  streamFeatures: StreamFeatureRegistry,
  options: AuthenticationOptions,
): void {
  void stream;
  void streamFeatures;
  void options;
  throw new Error('being written');
}
