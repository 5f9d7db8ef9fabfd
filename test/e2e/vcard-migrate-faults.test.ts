/** `vcard migrate` on servers that do not do their part: what it could not do is told, and done by the next run. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { JID } from '../../src/lib/jid/jid.js';
import { PrivilegedRequester } from '../../src/lib/privilege/privileged-requester.js';
import type { Sandbox } from '../../src/lib/sandbox/sandbox.js';
import { startSandbox } from '../../src/lib/sandbox/start-sandbox.js';
import { connect } from '../../src/lib/session/connect.js';
import { setVcardTemp } from '../../src/lib/vcard/profile/write-profile.js';
import { parseXml } from '../../src/lib/xml/parse.js';
import { environmentOf } from '../support/as-account.js';
import { openCommands } from '../support/ejabberd-commands.js';
import { startMeddlingProxy } from '../support/meddling-proxy.js';
import { runXmppctl, startXmppctl } from '../support/run-xmppctl.js';
import { useTemporaryHome } from '../support/temporary-home.js';

describe('xmppctl vcard migrate through a component, with a line that lies', () => {
  const names = Array.from({ length: 12 }, (_none, index) => `user${index}`);
  const home = useTemporaryHome('all');
  let sandbox: Sandbox;
  beforeAll(async () => {
    sandbox = await startSandbox({
      server: 'prosody',
      searchPath: process.env['PATH'],
      accounts: names,
      prosody: {
        host: {
          modules_enabled: ['register_ibr', 'privilege', 'vcard'],
          modules_disabled: ['vcard_legacy', 'vcard4'],
          sandbox_log_items: true,
        },
      },
    });
    await using component = await connect({
      kind: 'component',
      jid: JID.parse(sandbox.addresses.privileged),
      credentials: { password: () => Promise.resolve(sandbox.componentSecret) },
      service: `xmpp://${sandbox.host}:${sandbox.ports.component}`,
      timeoutMs: 20_000,
    });
    for (const name of names) {
      const account = JID.parse(addressOf(name));
      const card = parseXml(`<vCard xmlns='vcard-temp'><FN>${name}</FN></vCard>`);
      await setVcardTemp(new PrivilegedRequester(component, account), card, { account });
    }
    await home.write('users.txt', names.map((name) => `${addressOf(name)}\n`).join(''));
  });
  afterAll(() => sandbox.stop());

  const addressOf = (name: string): string => sandbox.accounts[name]?.jid ?? '';
  const run = (port: number, journal: string, ...more: string[]) => runBy([], port, journal, ...more);
  const runBy = (prefix: readonly string[], port: number, journal: string, ...more: string[]) =>
    runXmppctl(
      [
        ...['--component', sandbox.addresses.privileged, '--timeout', '2', 'vcard', 'migrate', '--json'],
        ...['--only', 'users.txt', '--journal', journal, '--concurrency', '1', ...more],
      ],
      {
        prefix,
        cwd: home.dir,
        env: {
          ...home.env,
          XMPPCTL_PASSWORD: sandbox.componentSecret,
          XMPPCTL_SERVICE: `xmpp://${sandbox.host}:${port}`,
        },
      },
    );
  /** One account at a time, so that the answers to one come by themselves. */
  const answerTo = (name: string) => new RegExp(`<iq [^>]*from='${addressOf(name)}'.*</iq>`, 's');
  const storedFor = async (name: string): Promise<number> =>
    (await sandbox.readLog()).split(`stored ${name} urn:xmpp:vcard4`).length - 1;

  it('an answer that never comes fails its account only, and what was done all the same is not done again', async () => {
    await using proxy = await startMeddlingProxy(
      { host: sandbox.host, port: sandbox.ports.component },
      // What says that it was published is lost.
      { change: (text) => (answerTo('user3').test(text) && text.includes('<publish ') ? '' : text) },
    );
    const first = await run(proxy.port, 'silent');
    expect(first.code).toBe(1);
    expect(JSON.parse(first.stdout)).toMatchObject({ accounts: 12, migrated: 11, failed: 1 });
    expect(first.stderr).toContain(addressOf('user3'));
    expect(await storedFor('user3')).toBe(1);
    const again = await run(sandbox.ports.component, 'silent');
    expect(again).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('11 of 12 accounts are done') as string,
    });
    expect(JSON.parse(again.stdout)).toMatchObject({ accounts: 1, migrated: 1 });
    for (const name of names) expect(await storedFor(name)).toBe(1);
  });

  it('what is refused for now is tried again', async () => {
    let refusals = 0;
    await using proxy = await startMeddlingProxy(
      { host: sandbox.host, port: sandbox.ports.component },
      {
        change: (text) => {
          if (!answerTo('user5').test(text) || refusals === 2) return text;
          refusals += 1;
          return text.replace(
            /<iq xmlns='jabber:client'.*?<\/iq>|<iq [^>]*xmlns='jabber:client'.*?<\/iq>/s,
            `<iq xmlns='jabber:client' type='error'><error type='wait'><resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`,
          );
        },
      },
    );
    const result = await run(proxy.port, 'busy', '--existing', 'overwrite', '--dates', 'rfc');
    expect(refusals).toBe(2);
    expect(result).toMatchObject({ code: 0 });
    expect(JSON.parse(result.stdout)).toMatchObject({ accounts: 12, failed: 0 });
  });

  it('a journal that cannot grow ends the run, and the next goes on with all that is whole in it', async () => {
    const small = ['bash', '-c', 'ulimit -f 1; exec "$@"', 'bash'];
    const full = await runBy(small, sandbox.ports.component, 'full', '--existing', 'overwrite');
    expect(full).toMatchObject({ code: 7, stdout: '' });
    expect(full.stderr).toContain('cannot write the journal full');
    const again = await run(sandbox.ports.component, 'full', '--existing', 'overwrite');
    expect(again).toMatchObject({ code: 0 });
    expect(again.stderr).toMatch(/going on: [1-9]\d* of 12 accounts are done/);
  });

  it('a line that is cut ends the run, and the next goes on', async () => {
    await using proxy = await startMeddlingProxy(
      { host: sandbox.host, port: sandbox.ports.component },
      { afterBytes: 9000, then: 'cut' },
    );
    const cut = await run(proxy.port, 'cut', '--existing', 'overwrite');
    expect(cut).toMatchObject({ code: 3, stdout: '' });
    const again = await run(sandbox.ports.component, 'cut', '--existing', 'overwrite');
    expect(again).toMatchObject({ code: 0 });
    expect(again.stderr).toMatch(/going on: \d+ of 12 accounts are done/);
  });
});

describe('xmppctl vcard migrate --api, on an ejabberd that goes away', () => {
  const names = Array.from({ length: 60 }, (_none, index) => `user${index}`);
  const home = useTemporaryHome('all');
  let sandbox: Sandbox;
  beforeAll(async () => {
    sandbox = await startSandbox({
      server: 'ejabberd',
      searchPath: process.env['PATH'],
      accounts: ['admin', ...names],
      storage: 'disk',
    });
    const api = openCommands(sandbox);
    for (const user of names)
      await api.call('set_vcard', { user, host: sandbox.domain, name: 'FN', content: user });
    api.close();
  });
  afterAll(() => sandbox.stop());

  it('goes on when it is back, and all of it is there', async () => {
    const command = ['vcard', 'migrate', '--api', sandbox.services.api ?? '', '--journal', 'j', '--json'];
    const options = { cwd: home.dir, env: { ...home.env, ...environmentOf(sandbox, 'admin') } };
    const cut = startXmppctl([...command, '--rate', '20'], options);
    const doneCount = async (): Promise<number> =>
      (await readFile(path.join(home.dir, 'j'), 'utf8').catch(() => '')).split('"step":"done"').length - 1;
    await expect.poll(doneCount, { timeout: 30_000, interval: 5 }).toBeGreaterThanOrEqual(10);
    await sandbox.restart();
    // It says goodbye first, or is gone before it could.
    expect([3, 5]).toContain((await cut.finished).code);
    const before = await doneCount();
    expect(before).toBeLessThan(61);
    const again = await runXmppctl(command, options);
    expect(again.code).toBe(0);
    expect(JSON.parse(again.stdout)).toMatchObject({ accounts: 61 - before, failed: 0 });
    const verify = ['vcard', 'verify', 'j', '--api', sandbox.services.api ?? ''];
    expect(await runXmppctl(verify, options)).toMatchObject({
      code: 0,
      stdout: '60 of 60 accounts as published\n',
    });
  });
});
