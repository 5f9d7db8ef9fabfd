/** Sessions of the sandbox's accounts. */
import { JID } from '../../src/lib/jid/jid.js';
import type { Sandbox } from '../../src/lib/sandbox/sandbox.js';
import { connect } from '../../src/lib/session/connect.js';
import type { ConnectOptions } from '../../src/lib/session/options.js';
import type { Session } from '../../src/lib/session/session.js';
import type { SessionTuning } from '../../src/lib/session/tuning.js';
import { traceOfTest } from './trace-on-failure.js';

export type Carriage = keyof Omit<Sandbox['services'], 'bosh'>;

/** How an account of the sandbox connects. TLS is verified against the sandbox's own authority. */
export function accountOptions(
  sandbox: Sandbox,
  name: string,
  overrides: Partial<ConnectOptions> = {},
  carriage: Carriage = 'starttls',
): ConnectOptions {
  const account = sandbox.accounts[name];
  if (!account) throw new Error(`the sandbox has no account ${name}`);
  return {
    jid: JID.parse(account.jid),
    credentials: { password: () => Promise.resolve(account.password) },
    service: sandbox.services[carriage],
    tls: { ca: sandbox.ca },
    timeoutMs: 20_000,
    tracer: traceOfTest(),
    ...overrides,
  };
}

export function connectAccount(
  sandbox: Sandbox,
  name: string,
  overrides?: Partial<ConnectOptions>,
  tuning?: Partial<SessionTuning>,
): Promise<Session> {
  return connect(accountOptions(sandbox, name, overrides), tuning);
}
