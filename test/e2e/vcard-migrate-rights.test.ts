/** `vcard migrate` through a component that may not do all of it, on real servers. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ConfigValue } from '../../src/lib/sandbox/options.js';
import type { Sandbox } from '../../src/lib/sandbox/sandbox.js';
import { startSandbox } from '../../src/lib/sandbox/start-sandbox.js';
import { openCommands } from '../support/ejabberd-commands.js';
import { runXmppctl } from '../support/run-xmppctl.js';
import { useTemporaryHome } from '../support/temporary-home.js';

const pubsub = 'http://jabber.org/protocol/pubsub';

function useSandbox(
  server: 'prosody' | 'ejabberd',
  iq: Readonly<Record<string, ConfigValue>> = {},
  prepare?: (sandbox: Sandbox) => Promise<void>,
) {
  const home = useTemporaryHome('all');
  let sandbox: Sandbox;
  beforeAll(async () => {
    sandbox = await startSandbox({
      server,
      searchPath: process.env['PATH'],
      accounts: ['alice', 'bob'],
      prosody: { host: { privileged_entities: { 'privileged.sandbox.localhost': { iq } } } },
    });
    await prepare?.(sandbox);
    await home.write('users.txt', `alice@${sandbox.domain}\nbob@${sandbox.domain}\n`);
    await home.write('mixed.txt', `alice@${sandbox.domain}\nx@${sandbox.addresses.anonymous}\n`);
  });
  afterAll(() => sandbox.stop());
  return (list: string, ...more: readonly string[]) =>
    runXmppctl(['--component', sandbox.addresses.privileged, 'vcard', 'migrate', '--only', list, ...more], {
      cwd: home.dir,
      env: {
        ...home.env,
        XMPPCTL_PASSWORD: sandbox.componentSecret,
        XMPPCTL_SERVICE: `xmpp://${sandbox.host}:${sandbox.ports.component}`,
      },
    });
}

describe('xmppctl vcard migrate on a Prosody that grants a part of it', () => {
  const migrate = useSandbox('prosody', { [pubsub]: 'both', 'vcard-temp': 'get' });
  it('says at once what is missing', async () => {
    const result = await migrate('users.txt');
    expect(result).toMatchObject({ code: 5, stdout: '' });
    expect(result.stderr).toContain(
      `sandbox.localhost does not privilege this component for get of ${pubsub}#owner, set of ${pubsub}#owner`,
    );
  });
});

describe('xmppctl vcard migrate on a Prosody where one host grants it', () => {
  const migrate = useSandbox('prosody', {
    [pubsub]: 'both',
    [`${pubsub}#owner`]: 'both',
    'vcard-temp': 'get',
  });
  it('does what it can, and tells of the others', async () => {
    expect(await migrate('users.txt')).toMatchObject({ code: 0, stderr: '' });
    const result = await migrate('mixed.txt');
    expect(result.code).toBe(1);
    expect(result.stdout).toContain('1 failed');
    expect(result.stderr).toContain('x@anon.sandbox.localhost: ');
  });
});

describe('xmppctl vcard migrate on an ejabberd that knows the older protocol', () => {
  const migrate = useSandbox('ejabberd', {}, async (sandbox) => {
    const api = openCommands(sandbox);
    await api.call('set_vcard', { user: 'bob', host: sandbox.domain, name: 'FN', content: 'Bob' });
    api.close();
  });
  it('says that it does not reach cards, and what does', async () => {
    const result = await migrate('users.txt');
    expect(result).toMatchObject({ code: 5, stdout: '' });
    expect(result.stderr).toContain('(urn:xmpp:privilege:1), and not for cards');
    expect(result.stderr).toContain('--api');
  });

  it('shows all the same what would be done', async () => {
    const result = await migrate('users.txt', '--dry-run', '--diff');
    expect(result).toMatchObject({ code: 0, stderr: '' });
    expect(result.stdout).toContain('Bob');
    expect(result.stdout).toContain('2 accounts: 1 migrated, 1 empty');
  });
});
