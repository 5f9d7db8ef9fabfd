import { establish } from './establish.js';
import { LiveSession } from './live-session.js';
import type { ConnectOptions } from './options.js';
import type { Session } from './session.js';
import { defaultTuning, type SessionTuning } from './tuning.js';

/**
 * Connects, authenticates and binds: the session is online when the promise resolves.
 *
 * TLS is required and verified against the domain of `options.jid`, and nothing secret crosses a plain stream, unless the
 * options say otherwise. Only a session that has been online reconnects (`options.resume`): a first attempt that fails
 * says so.
 *
 * @throws UsageError @throws DnsError @throws ConnectError @throws TlsError @throws AuthError @throws StreamError
 * @throws StanzaError the server refuses to bind the resource
 * @throws ProtocolError @throws TimeoutError @throws InterruptedError
 */
export async function connect(
  options: ConnectOptions,
  tuning: Partial<SessionTuning> = {},
): Promise<Session> {
  return new LiveSession(await establish(options), options, { ...defaultTuning, ...tuning });
}
