/** ejabberd's commands, called by the administrator of a sandbox: its first account. */
import { EjabberdApi } from '../../src/lib/privilege/ejabberd-api.js';
import type { Sandbox } from '../../src/lib/sandbox/sandbox.js';

export function openCommands(sandbox: Sandbox): EjabberdApi {
  const [administrator] = Object.values(sandbox.accounts);
  if (!administrator || sandbox.services.api === undefined) throw new Error('this sandbox has no commands');
  return new EjabberdApi({
    url: new URL(sandbox.services.api),
    credentials: { kind: 'password', account: administrator.jid, password: administrator.password },
    trust: { ca: sandbox.ca },
    timeoutMs: 20_000,
  });
}
