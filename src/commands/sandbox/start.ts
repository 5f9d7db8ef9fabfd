import { defineCommand } from '../../lib/command/definition.js';
import type { Context } from '../../lib/context.js';
import { SandboxError } from '../../lib/errors.js';
import type { SandboxOptions } from '../../lib/sandbox/options.js';
import type { Sandbox, SandboxFacts } from '../../lib/sandbox/sandbox.js';
import {
  accountsOption,
  domainOption,
  missingServerCodes,
  nameOption,
  sandboxCompletes,
  serverOption,
  servicesText,
  storageOption,
  toSandboxOptions,
} from './sandbox-flags.js';

export interface StartOptions {
  name: string;
  isDetached: boolean;
  sandbox: SandboxOptions;
}

export const command = defineCommand({
  path: 'sandbox start',
  summary: 'start a throw-away server',
  description: [
    'Starts a real server, Prosody or ejabberd, with accounts and services, and keeps it until Ctrl-C or xmppctl sandbox stop; then everything of it is removed. It ends with xmppctl, however that ends. With --detach it goes on by itself until xmppctl sandbox stop.',
    'With --json its facts are printed once it is ready, passwords included.',
  ].join('\n\n'),
  examples: [
    {
      does: 'try something by hand',
      line: 'xmppctl sandbox start --detach && eval "$(xmppctl sandbox env)"',
    },
    {
      does: 'an ejabberd with accounts of your own',
      line: 'xmppctl sandbox start --server ejabberd --accounts romeo,juliet',
    },
  ],
  sections: [{ title: 'SERVICES', text: servicesText }],
  exitCodes: {
    0: 'it was ended by Ctrl-C or xmppctl sandbox stop; with --detach, it is running',
    ...missingServerCodes,
  },
  completes: sandboxCompletes,
  needs: 'nothing',
  build: (command) =>
    command
      .addOption(serverOption)
      .addOption(domainOption)
      .addOption(accountsOption)
      .addOption(storageOption)
      .addOption(nameOption)
      .option('--detach', 'return once it is ready'),
  parse: (_args, { name, detach, ...flags }): StartOptions => ({
    name: name ?? 'default',
    isDetached: detach === true,
    sandbox: toSandboxOptions(flags),
  }),
  run: runStart,
});

export async function runStart(
  { name, isDetached, sandbox: wanted }: StartOptions,
  context: Context,
): Promise<void> {
  const { env, output, signal, clock } = context;
  const [{ startSandbox }, { writeProfiles }, records] = await Promise.all([
    import('../../lib/sandbox/start-sandbox.js'),
    import('../../lib/sandbox/environment.js'),
    import('../../lib/sandbox/running-sandboxes.js'),
  ]);
  await records.checkNameIsFree(env, name);
  let sandbox: Sandbox;
  {
    using _activity = output.activity('starting a server');
    sandbox = await startSandbox({ ...wanted, isDetached, signal, searchPath: env['PATH'] });
  }
  try {
    await writeProfiles(sandbox);
    await records.recordSandbox(env, {
      name,
      startedAt: new Date(clock.now()).toISOString(),
      keeper: isDetached ? undefined : context.pid,
      facts: plainFacts(sandbox),
    });
  } catch (error) {
    await sandbox.stop();
    throw error;
  }
  output.note(greeting(name, sandbox, isDetached));
  if (output.isJson) await output.result({ name, ...plainFacts(sandbox) }, () => '');
  if (isDetached) return;
  try {
    const ended = await Promise.race([sandbox.waitForEnd(), aborted(signal)]);
    if (ended !== undefined) throw new SandboxError(`${sandbox.server} ended by itself: ${ended}`);
  } finally {
    await sandbox.stop();
    await records.forgetSandbox(env, name);
  }
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    signal.addEventListener('abort', () => {
      resolve(undefined);
    });
  });
}

/** The data of a sandbox without what can be done with it. */
function plainFacts(sandbox: Sandbox): SandboxFacts {
  const { server, domain, host, ports, addresses, services, accounts, componentSecret } = sandbox;
  const { components, caFile, dir, logFile, pid } = sandbox;
  return {
    ...{ server, domain, host, ports, addresses, services, accounts, componentSecret },
    ...{ components, caFile, dir, logFile, pid },
  };
}

function greeting(
  name: string,
  { server, domain, host, ports, accounts }: Sandbox,
  isDetached: boolean,
): string {
  const option = name === 'default' ? '' : ` --name ${name}`;
  const names = Object.keys(accounts);
  const [first = 'alice', second = first] = names;
  return [
    `${server} for ${domain} is ready on ${host}, port ${ports.c2s} (direct TLS ${ports.c2sTls}); accounts ${names.join(', ')}`,
    `  use it in ${isDetached ? 'this' : 'another'} shell:  eval "$(xmppctl sandbox env${option})"`,
    `  for example:               xmppctl --account ${first} send ${second}@${domain} hello`,
    `  end it:                    ${isDetached ? `xmppctl sandbox stop${option}` : 'Ctrl-C'}`,
  ].join('\n');
}
