import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { spawnSync } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/lib/config/load-config.js';
import { configPaths } from '../../../src/lib/config/paths.js';
import { quoteForShell, sandboxVariables, writeProfiles } from '../../../src/lib/sandbox/environment.js';
import { planAddresses } from '../../../src/lib/sandbox/options.js';
import type { SandboxFacts } from '../../../src/lib/sandbox/sandbox.js';

let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'xmppctl-test-'));
});
afterEach(() => rm(dir, { recursive: true }));

function facts(...names: string[]): SandboxFacts {
  return {
    server: 'prosody',
    domain: 'chat.localhost',
    host: '127.0.0.1',
    ports: { c2s: 1, c2sTls: 2, s2s: 3, s2sTls: 8, component: 4, proxy: 5, http: 6, https: 7 },
    addresses: planAddresses('chat.localhost'),
    services: {
      starttls: 'xmpp://127.0.0.1:1',
      tls: 'xmpps://127.0.0.1:2',
      websocket: 'wss://127.0.0.1:7/xmpp-websocket',
      bosh: 'https://127.0.0.1:7/http-bind',
    },
    accounts: Object.fromEntries(
      names.map((name) => [name, { jid: `${name}@chat.localhost`, password: `secret of ${name}` }]),
    ),
    componentSecret: 'hush',
    components: ['component.chat.localhost'],
    caFile: `${dir}/ca.pem`,
    dir,
    logFile: `${dir}/server.log`,
    pid: 42,
  };
}

describe('the variables of a sandbox', () => {
  it('name everything a client needs', () => {
    expect(sandboxVariables(facts('alice', 'b.o-b'))).toMatchObject({
      XMPPCTL_CONFIG_DIR: path.join(dir, 'client'),
      XMPPCTL_SANDBOX_DOMAIN: 'chat.localhost',
      XMPPCTL_SANDBOX_HOST: '127.0.0.1',
      XMPPCTL_SANDBOX_PORT: '1',
      XMPPCTL_SANDBOX_TLS_PORT: '2',
      XMPPCTL_SANDBOX_S2S_PORT: '3',
      XMPPCTL_SANDBOX_S2S_TLS_PORT: '8',
      XMPPCTL_SANDBOX_COMPONENT_PORT: '4',
      XMPPCTL_SANDBOX_HTTP_PORT: '6',
      XMPPCTL_SANDBOX_COMPONENT_SECRET: 'hush',
      XMPPCTL_SANDBOX_CA_FILE: `${dir}/ca.pem`,
      XMPPCTL_SANDBOX_MUC: 'conference.chat.localhost',
      XMPPCTL_SANDBOX_PUBSUB: 'pubsub.chat.localhost',
      XMPPCTL_SANDBOX_ACCOUNTS: 'alice b.o-b',
      XMPPCTL_SANDBOX_PASSWORD_ALICE: 'secret of alice',
      XMPPCTL_SANDBOX_PASSWORD_B_O_B: 'secret of b.o-b',
      XMPPCTL_SANDBOX_JID_B_O_B: 'b.o-b@chat.localhost',
    });
  });

  it.each(['plain', '', 'two words', `it's`, '$HOME `id` "x" \\', 'a\nb', '*', '~'])(
    'survive a shell: %j',
    (text) => {
      const { stdout } = spawnSync('/bin/sh', ['-c', `printf %s ${quoteForShell(text)}`]);
      expect(stdout.toString()).toBe(text);
    },
  );
});

describe('the profiles of a sandbox', () => {
  it('are what xmppctl reads, in files of their own owner only', async () => {
    await writeProfiles(facts('alice', 'b.ob'));
    const paths = configPaths({ XMPPCTL_CONFIG_DIR: path.join(dir, 'client') });
    const { config } = await loadConfig(paths);
    expect(config.default_account).toBe('alice');
    expect(Object.keys(config.accounts)).toEqual(['alice', 'b.ob', 'component', 'privileged', 'anonymous']);
    expect(config.accounts['b.ob']).toEqual({
      jid: 'b.ob@chat.localhost',
      service: 'xmpp://127.0.0.1:1',
      ca: `${dir}/ca.pem`,
      password_file: 'b.ob.password',
    });
    expect(config.accounts['component']).toMatchObject({ jid: 'component.chat.localhost', component: true });
    expect(await readFile(path.join(paths.configDir, 'b.ob.password'), 'utf8')).toBe('secret of b.ob\n');
    for (const file of ['.', 'config.toml', 'alice.password', 'component.password']) {
      expect((await stat(path.join(paths.configDir, file))).mode & 0o077).toBe(0);
    }
  });

  it('leave the name component to an account that has it', async () => {
    await writeProfiles(facts('component'));
    const { config } = await loadConfig(configPaths({ XMPPCTL_CONFIG_DIR: path.join(dir, 'client') }));
    expect(config.accounts['component']?.jid).toBe('component@chat.localhost');
  });
});
