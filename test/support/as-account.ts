/** Runs the built program as one of the accounts of a sandbox: everything it needs is in its environment. */
import type { Sandbox } from '../../src/lib/sandbox/sandbox.js';

export function environmentOf(sandbox: Sandbox, name: string): Record<string, string> {
  const account = sandbox.accounts[name];
  if (!account) throw new Error(`the sandbox has no account ${name}`);
  return {
    XMPPCTL_JID: account.jid,
    XMPPCTL_PASSWORD: account.password,
    XMPPCTL_SERVICE: sandbox.services.starttls,
    XMPPCTL_CA: sandbox.caFile,
  };
}
