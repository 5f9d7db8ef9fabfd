/** `vcard migrate`, `verify` and `rollback` as processes, on real servers. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { afterAll, beforeAll } from 'vitest';
import { JID } from '../../src/lib/jid/jid.js';
import { BlindRequester, sendAsComponent } from '../../src/lib/privilege/blind-requester.js';
import { PrivilegedRequester } from '../../src/lib/privilege/privileged-requester.js';
import { fetchItems, publishItem } from '../../src/lib/pubsub/items.js';
import { fetchAccessModel } from '../../src/lib/pubsub/nodes.js';
import { findFreePorts } from '../../src/lib/sandbox/free-ports.js';
import type { Sandbox } from '../../src/lib/sandbox/sandbox.js';
import { startSandbox } from '../../src/lib/sandbox/start-sandbox.js';
import { connect } from '../../src/lib/session/connect.js';
import { fetchAvatar, fetchVcard4 } from '../../src/lib/vcard/profile/read-profile.js';
import { NODE_VCARD4 } from '../../src/lib/vcard/profile/stanzas.js';
import { setVcardTemp } from '../../src/lib/vcard/profile/write-profile.js';
import { parseXml } from '../../src/lib/xml/parse.js';
import { environmentOf } from '../support/as-account.js';
import { openCommands } from '../support/ejabberd-commands.js';
import { runXmppctl, startXmppctl } from '../support/run-xmppctl.js';
import { connectAccount } from '../support/sandbox-session.js';
import { describeOnEachServer } from '../support/servers.js';
import { useTemporaryHome } from '../support/temporary-home.js';

const gif = 'R0lGODlhAQABAAAAACw=';
const photo = `<PHOTO><TYPE>image/gif</TYPE><BINVAL>${gif}</BINVAL></PHOTO>`;
const oldCard = (name: string, more = '') =>
  parseXml(
    `<vCard xmlns='vcard-temp'><FN>${name}</FN><GEO><LAT>45.4</LAT><LON>10.9</LON></GEO>${more}</vCard>`,
  );

// Prosody makes a vCard4 of a vcard-temp by itself, unless it is an old one: that is tested below.
describeOnEachServer(
  'xmppctl vcard migrate',
  (server) => {
    if (server.name === 'prosody') {
      it('has nothing to do where the server has done it', async () => {
        await using session = await connectAccount(server.sandbox, 'alice');
        await setVcardTemp(session, oldCard('Alice'));
        const result = await as('alice', ['vcard', 'migrate', '--json']);
        expect(result.code).toBe(0);
        expect(JSON.parse(result.stdout)).toMatchObject({ accounts: 1, skipped: 1 });
      });
    }
    const home = useTemporaryHome();
    const as = (name: string, args: readonly string[]) =>
      runXmppctl(args, { cwd: home.dir, env: { ...home.env, ...environmentOf(server.sandbox, name) } });
    if (server.name === 'prosody') return;

    it('moves the own card and picture, verifies it, and takes it back', async () => {
      await using session = await connectAccount(server.sandbox, 'bob');
      await setVcardTemp(session, oldCard('Bob', photo));
      const dry = await as('bob', ['vcard', 'migrate', '--dry-run', '--diff']);
      expect(dry).toMatchObject({ code: 0 });
      expect(dry.stdout).toContain('+    <uri>geo:45.4,10.9</uri>');
      expect(await fetchVcard4(session, undefined)).toBeUndefined();
      expect(await as('bob', ['vcard', 'migrate', '--journal', 'j'])).toMatchObject({ code: 0 });
      expect(String(await fetchVcard4(session, undefined))).toContain('geo:45.4,10.9');
      expect((await fetchAvatar(session, undefined))?.source).toBe('pep');
      expect(await as('bob', ['vcard', 'verify', 'j'])).toMatchObject({
        code: 0,
        stdout: '1 of 1 account as published\n',
      });
      // Nothing is done twice.
      const again = await as('bob', ['vcard', 'migrate', '--journal', 'j', '--json']);
      expect(JSON.parse(again.stdout)).toMatchObject({ accounts: 0 });
      expect(await as('bob', ['vcard', 'rollback', 'j'])).toMatchObject({
        code: 0,
        stdout: '1 of 1 account as before\n',
      });
      expect(await fetchVcard4(session, undefined)).toBeUndefined();
    });

    it('with a list: one that cannot log in stops no other; who may read a node stays', async () => {
      await using carol = await connectAccount(server.sandbox, 'carol');
      await setVcardTemp(carol, oldCard('Carol'));
      const mine = parseXml(
        `<vcard xmlns='urn:ietf:params:xml:ns:vcard-4.0'><fn><text>Mine &amp; only</text></fn></vcard>`,
      );
      const item = { node: NODE_VCARD4, id: 'mine', payload: mine };
      await publishItem(carol, { ...item, publishOptions: { access_model: 'presence' } });
      const { carol: one, dora: other } = server.sandbox.accounts;
      await home.write(
        'people.csv',
        `jid,password\n${one?.jid ?? ''},${one?.password ?? ''}\n${other?.jid ?? ''},wrong-password\n`,
      );
      const args = ['--accounts', 'people.csv'];
      const migrate = [
        'vcard',
        'migrate',
        ...args,
        '--existing',
        'overwrite',
        '--journal',
        'j',
        '--report',
        'r.csv',
      ];
      const result = await as('carol', migrate);
      expect(result.code).toBe(1);
      expect(result.stderr).toContain(`warning: ${other?.jid ?? ''}: `);
      expect(result.stderr + result.stdout).not.toContain('wrong-password');
      expect(await readFile(path.join(home.dir, 'r.csv'), 'utf8')).toContain(
        `${one?.jid ?? ''},migrated,card,,`,
      );
      expect(await fetchAccessModel(carol, { node: NODE_VCARD4 })).toBe('presence');
      expect(String(await fetchVcard4(carol, undefined))).toContain('geo:45.4,10.9');
      expect(await as('carol', ['vcard', 'rollback', 'j', ...args])).toMatchObject({ code: 0 });
      const [restored, ...others] = await fetchItems(carol, { node: NODE_VCARD4 });
      expect(others).toEqual([]);
      expect(restored?.id).toBe('mine');
      expect(restored?.payload?.toString()).toBe(mine.toString());
    });

    it('says what is wrong with what it is given', async () => {
      await home.write('open.csv', 'a@x,secret\n', 0o644);
      await home.write('j', 'hello\n');
      for (const [args, code, message] of [
        [['migrate', '--accounts', 'open.csv'], 7, 'open.csv'],
        [['migrate', '--accounts', 'none.csv'], 7, 'none.csv'],
        [['migrate', '--concurrency', '0'], 2, '--concurrency'],
        [['migrate', '--journal', 'j'], 2, 'is no journal'],
        [['migrate', '--journal', '/nonexistent/j'], 7, '/nonexistent/j'],
        [['verify', 'none'], 7, 'none'],
        [['rollback', 'j'], 2, 'is no journal'],
      ] as const) {
        const result = await as('alice', ['vcard', ...args]);
        expect(result).toMatchObject({ code, stdout: '' });
        expect(result.stderr).toContain(message);
        expect(result.stderr.trimEnd().split('\n')).toHaveLength(1);
      }
    });
  },
  { accounts: ['alice', 'bob', 'carol', 'dora'] },
);

describe('xmppctl vcard migrate through a privileged component', () => {
  const names = Array.from({ length: 150 }, (_none, index) => `user${index}`);
  const home = useTemporaryHome('all');
  let sandbox: Sandbox;
  beforeAll(async () => {
    sandbox = await startSandbox({
      server: 'prosody',
      searchPath: process.env['PATH'],
      accounts: names,
      // It is restarted.
      storage: 'disk',
      // As Prosody keeps old cards until somebody logs in.
      prosody: {
        host: {
          modules_enabled: ['register_ibr', 'privilege', 'vcard'],
          modules_disabled: ['vcard_legacy', 'vcard4'],
        },
      },
    });
    await using component = await openComponent();
    for (const name of names) {
      const account = jidOf(name);
      const requester = new PrivilegedRequester(component, account);
      await setVcardTemp(requester, oldCard(name, photo), { account });
    }
    await home.write('users.txt', names.map((name) => `${jidOf(name).toString()}\n`).join(''));
  });
  afterAll(() => sandbox.stop());

  const jidOf = (name: string) => JID.parse(sandbox.accounts[name]?.jid ?? '');
  const openComponent = () =>
    connect({
      kind: 'component',
      jid: JID.parse(sandbox.addresses.privileged),
      credentials: { password: () => Promise.resolve(sandbox.componentSecret) },
      service: `xmpp://${sandbox.host}:${sandbox.ports.component}`,
      timeoutMs: 20_000,
    });
  const environment = () => ({
    ...home.env,
    XMPPCTL_PASSWORD: sandbox.componentSecret,
    XMPPCTL_SERVICE: `xmpp://${sandbox.host}:${sandbox.ports.component}`,
  });
  const args = (...more: string[]) => ['--component', sandbox.addresses.privileged, 'vcard', ...more];
  const run = (...more: string[]) => runXmppctl(args(...more), { cwd: home.dir, env: environment() });

  it('ends when the server goes away, and goes on when it is back', async () => {
    const migrate = ['migrate', '--only', 'users.txt', '--journal', 'restarted', '--json'];
    const journal = path.join(home.dir, 'restarted');
    const cut = startXmppctl(args(...migrate, '--rate', '40'), { cwd: home.dir, env: environment() });
    const doneCount = async () =>
      (await readFile(journal, 'utf8').catch(() => '')).split('"step":"done"').length - 1;
    await expect.poll(doneCount, { timeout: 30_000, interval: 5 }).toBeGreaterThanOrEqual(10);
    await sandbox.restart();
    const { code, stderr } = await cut.finished;
    expect(code).toBe(3);
    expect(stderr.trimEnd().split('\n').at(-1)).toMatch(/^\{"error":/);
    const before = await doneCount();
    expect(before).toBeLessThan(names.length);
    const again = await run(...migrate);
    expect(again.code).toBe(0);
    expect(JSON.parse(again.stdout)).toMatchObject({ accounts: names.length - before });
    expect(await run('verify', 'restarted')).toMatchObject({
      code: 0,
      stdout: '150 of 150 accounts as published\n',
    });
    expect(await run('rollback', 'restarted')).toMatchObject({ code: 0 });
  });

  it('tells of accounts that are not there, and needs to be told whose cards are meant', async () => {
    await home.write('some.txt', `${jidOf('user1').toString()}\nnobody@${sandbox.domain}\n`);
    const result = await run('migrate', '--only', 'some.txt', '--journal', 'other');
    expect(result.code).toBe(1);
    expect(result.stderr).toContain(`there is no account nobody@${sandbox.domain}`);
    expect(result.stdout).toContain('1 migrated, 1 failed');
    expect(await run('migrate')).toMatchObject({ code: 2 });
  });
});

describe('xmppctl vcard migrate --impersonate, on an ejabberd that knows no privilege', () => {
  const names = Array.from({ length: 40 }, (_none, index) => `user${index}`);
  const home = useTemporaryHome('all');
  const name = 'mover.sandbox.localhost';
  const password = 'the-secret-of-the-mover';
  let sandbox: Sandbox;
  let service: string;
  beforeAll(async () => {
    const [port = 0] = await findFreePorts(1, ['127.0.0.1']);
    service = `xmpp://127.0.0.1:${port}`;
    sandbox = await startSandbox({
      server: 'ejabberd',
      searchPath: process.env['PATH'],
      accounts: names,
      ejabberd: {
        listen: [
          {
            ip: '127.0.0.1',
            port,
            module: 'ejabberd_service',
            hosts: { [name]: { password } },
            check_from: false,
          },
        ],
      },
    });
    const api = openCommands(sandbox);
    await using component = await openComponent();
    for (const user of names) {
      const account = jidOf(user);
      const requester = new BlindRequester(component, sendAsComponent(component), account);
      if (user !== 'user9') {
        await setVcardTemp(requester, oldCard(user, photo), { account });
        continue;
      }
      // A picture that was not set by a client has not been made an avatar.
      const target = { user, host: sandbox.domain };
      await api.call('set_vcard', { ...target, name: 'FN', content: user });
      await api.call('set_vcard2', { ...target, name: 'PHOTO', subname: 'TYPE', content: 'image/gif' });
      await api.call('set_vcard2', { ...target, name: 'PHOTO', subname: 'BINVAL', content: gif });
    }
    api.close();
    await home.write('users.txt', names.map((user) => `${jidOf(user).toString()}\n`).join(''));
  });
  afterAll(() => sandbox.stop());

  const jidOf = (user: string) => JID.parse(sandbox.accounts[user]?.jid ?? '');
  const openComponent = () =>
    connect({
      kind: 'component',
      jid: JID.parse(name),
      credentials: { password: () => Promise.resolve(password) },
      service,
      timeoutMs: 20_000,
    });
  const run = (...more: string[]) =>
    runXmppctl(['--component', name, 'vcard', ...more], {
      cwd: home.dir,
      env: { ...home.env, XMPPCTL_PASSWORD: password, XMPPCTL_SERVICE: service },
    });

  it('moves all of them, as reading back shows, and takes them back', async () => {
    // One has a node that is not open to all, which the component cannot read and so must not touch.
    await using closed = await connectAccount(sandbox, 'user3');
    const mine = parseXml(
      `<vcard xmlns='urn:ietf:params:xml:ns:vcard-4.0'><fn><text>Mine</text></fn></vcard>`,
    );
    const item = { node: NODE_VCARD4, id: 'current', payload: mine };
    await publishItem(closed, { ...item, publishOptions: { access_model: 'whitelist' } });

    const moved = await run('migrate', '--impersonate', '--only', 'users.txt', '--journal', 'j', '--json');
    expect(JSON.parse(moved.stdout)).toMatchObject({
      accounts: 40,
      migrated: 39,
      failed: 1,
      made: { card: 39, avatar: 1 },
      warnings: { 'avatar-hidden': 38 },
    });
    expect(moved.code).toBe(1);
    expect(moved.stderr).toContain(jidOf('user3').toString());
    expect(await run('verify', '--impersonate', 'j')).toMatchObject({
      code: 0,
      stdout: '39 of 39 accounts as published\n',
    });
    await using session = await connectAccount(sandbox, 'user7');
    expect(String(await fetchVcard4(session, undefined))).toContain('<fn><text>user7</text></fn>');
    expect(String(await fetchVcard4(session, jidOf('user8')))).toContain('<fn><text>user8</text></fn>');
    const picture = await fetchAvatar(session, jidOf('user9'));
    expect(picture).toMatchObject({ source: 'pep', avatar: { mediaType: 'image/gif' } });
    expect(picture?.avatar.data.toString('base64')).toBe(gif);
    expect(String(await fetchVcard4(closed, undefined))).toContain('Mine');

    expect(await run('rollback', '--impersonate', 'j')).toMatchObject({ code: 0 });
    expect(await fetchVcard4(session, undefined)).toBeUndefined();
    // Only the vcard-temp has it.
    expect((await fetchAvatar(session, jidOf('user9')))?.source).toBe('vcard-temp');
  });

  it('is for components only', async () => {
    const result = await runXmppctl(['vcard', 'migrate', '--impersonate', '--journal', 'none'], {
      cwd: home.dir,
      env: { ...home.env, ...environmentOf(sandbox, 'user1') },
    });
    expect(result).toMatchObject({ code: 2, stdout: '' });
    expect(result.stderr).toContain('--impersonate is for a component');
  });
});
