/**
 * Getting a new stream for a session that has lost its own: again and again, more and more slowly, until it works or
 * cannot work.
 */
import { AuthError, StreamError, UsageError, XmppctlError } from '../errors.js';
import type { ConnectionTrace } from '../trace/events.js';
import { backOffMs } from './back-off.js';
import { establish, type Established } from './establish.js';
import type { ConnectOptions } from './options.js';
import type { StreamManagement } from './stream-management.js';
import type { SessionTuning } from './tuning.js';

/** Stream errors after which a new attempt can only end the same way (RFC 6120 §4.9.3). */
const FATAL_CONDITIONS: ReadonlySet<string> = new Set([
  'conflict',
  'host-gone',
  'host-unknown',
  'improper-addressing',
  'invalid-namespace',
  'not-authorized',
  'policy-violation',
  'unsupported-version',
]);

/** Whether trying again would end the same way. What is no error of ours is a bug, which trying again would only hide. */
export function isFatal(error: unknown): boolean {
  if (error instanceof StreamError) return FATAL_CONDITIONS.has(error.condition);
  return error instanceof AuthError || error instanceof UsageError || !(error instanceof XmppctlError);
}

export interface ReconnectOptions {
  /** As the session was connected; with its `signal` ending the attempts. */
  connect: ConnectOptions & { signal: AbortSignal };
  tuning: SessionTuning;
  /** The managed stream to go on with, if the server allows it. */
  resumable: StreamManagement | undefined;
  trace: ConnectionTrace | undefined;
}

/**
 * @throws whatever is fatal, or the reason of the signal
 */
export async function reconnect(options: ReconnectOptions): Promise<Established> {
  const { connect, tuning, resumable, trace } = options;
  const { signal } = connect;
  for (let attempt = 1; ; attempt += 1) {
    const delayMs = backOffMs(attempt, tuning.random(), tuning.backOff);
    trace?.event('reconnect', { attempt, delayMs });
    await tuning.sleep(delayMs, signal);
    signal.throwIfAborted();
    // XEP-0198 §5: the server may name a better place; every other time the usual way, in case it is not.
    const location = attempt % 2 === 1 ? resumable?.location : undefined;
    try {
      return await establish({ ...connect, service: location ?? connect.service }, resumable);
    } catch (error) {
      signal.throwIfAborted();
      if (isFatal(error)) throw error;
    }
  }
}
