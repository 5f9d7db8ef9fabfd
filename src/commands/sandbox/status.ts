import { defineCommand } from '../../lib/command/definition.js';
import type { Context } from '../../lib/context.js';
import { NegativeError } from '../../lib/errors.js';
import { renderTable } from '../../lib/output/table.js';

export const command = defineCommand({
  path: 'sandbox status',
  summary: 'list the throw-away servers that are running',
  description:
    'Lists what xmppctl sandbox start has started. Passwords are shown by xmppctl sandbox env only.',
  examples: [
    {
      does: 'start one unless one is running',
      line: 'xmppctl sandbox status -q >/dev/null || xmppctl sandbox start --detach',
    },
  ],
  exitCodes: { 1: 'none is running' },
  needs: 'nothing',
  build: (command) => command,
  parse: () => ({}),
  run: (_options, context) => runStatus(context),
});

export async function runStatus({ env, output }: Context): Promise<void> {
  const { readRecords } = await import('../../lib/sandbox/running-sandboxes.js');
  const running = (await readRecords(env)).map(({ name, startedAt, keeper, facts }) => ({
    name,
    server: facts.server,
    domain: facts.domain,
    host: facts.host,
    ports: facts.ports,
    accounts: Object.keys(facts.accounts),
    startedAt,
    isDetached: keeper === undefined,
    pid: facts.pid,
    logFile: facts.logFile,
  }));
  await output.result(running, () =>
    running.length === 0
      ? ''
      : renderTable(
          output,
          ['NAME', 'SERVER', 'DOMAIN', 'ADDRESS', 'ACCOUNTS', 'STARTED'],
          running.map(({ name, server, domain, host, ports, accounts, startedAt }) => [
            name,
            server,
            domain,
            `${host}:${ports.c2s}`,
            accounts.join(','),
            startedAt,
          ]),
        ),
  );
  if (running.length === 0) {
    throw new NegativeError('no sandbox is running', {
      hint: 'start one with xmppctl sandbox start --detach',
    });
  }
}
