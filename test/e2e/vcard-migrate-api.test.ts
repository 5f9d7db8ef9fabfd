/** `vcard migrate --api`: through the commands of a real ejabberd. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { JID } from '../../src/lib/jid/jid.js';
import { publishItem } from '../../src/lib/pubsub/items.js';
import { fetchAccessModel } from '../../src/lib/pubsub/nodes.js';
import type { Sandbox } from '../../src/lib/sandbox/sandbox.js';
import { startSandbox } from '../../src/lib/sandbox/start-sandbox.js';
import { fetchAvatar, fetchVcard4 } from '../../src/lib/vcard/profile/read-profile.js';
import { NODE_VCARD4, NS_AVATAR_DATA, NS_AVATAR_METADATA } from '../../src/lib/vcard/profile/stanzas.js';
import { setVcardTemp } from '../../src/lib/vcard/profile/write-profile.js';
import { parseXml } from '../../src/lib/xml/parse.js';
import { environmentOf } from '../support/as-account.js';
import { openCommands } from '../support/ejabberd-commands.js';
import { startWebServer } from '../support/https-server.js';
import { runXmppctl } from '../support/run-xmppctl.js';
import { connectAccount } from '../support/sandbox-session.js';
import { useTemporaryHome } from '../support/temporary-home.js';
import { makeTlsFixtures } from '../support/tls-fixtures.js';

const gif = 'R0lGODlhAQABAAAAACw=';
const mine = parseXml(`<vcard xmlns='urn:ietf:params:xml:ns:vcard-4.0'><fn><text>Mine</text></fn></vcard>`);

describe('xmppctl vcard migrate --api', () => {
  const names = Array.from({ length: 100 }, (_none, index) => `user${index}`);
  const home = useTemporaryHome('all');
  let sandbox: Sandbox;
  let api: ReturnType<typeof openCommands>;
  beforeAll(async () => {
    sandbox = await startSandbox({
      server: 'ejabberd',
      searchPath: process.env['PATH'],
      accounts: ['admin', ...names],
    });
    api = openCommands(sandbox);
    const host = sandbox.domain;
    for (const [index, user] of names.entries()) {
      await api.call('set_vcard', { user, host, name: 'FN', content: user });
      await api.call('set_vcard2', { user, host, name: 'GEO', subname: 'LAT', content: '45.4' });
      await api.call('set_vcard2', { user, host, name: 'GEO', subname: 'LON', content: '10.9' });
      if (index % 4 !== 0) continue;
      // A picture that was set this way is not made an avatar.
      await api.call('set_vcard2', { user, host, name: 'PHOTO', subname: 'TYPE', content: 'image/gif' });
      await api.call('set_vcard2', { user, host, name: 'PHOTO', subname: 'BINVAL', content: gif });
    }
    // By a client it is, in nodes for its contacts only.
    await using client = await connectAccount(sandbox, 'user1');
    const photo = `<PHOTO><TYPE>image/gif</TYPE><BINVAL>${gif}</BINVAL></PHOTO>`;
    await setVcardTemp(client, parseXml(`<vCard xmlns='vcard-temp'><FN>user1</FN>${photo}</vCard>`));
    const token = await api.call('oauth_issue_token', {
      jid: jidOf('admin').toString(),
      ttl: 3600,
      scopes: 'ejabberd:admin',
    });
    await home.write('token', `${(token as { token: string }).token}\n`);
  });
  afterAll(async () => {
    api.close();
    await sandbox.stop();
  });

  const jidOf = (name: string) => JID.parse(sandbox.accounts[name]?.jid ?? '');
  const run = (name: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
    runXmppctl(['vcard', ...args, '--api', sandbox.services.api ?? ''], {
      cwd: home.dir,
      env: { ...home.env, ...environmentOf(sandbox, name), ...env },
    });

  it('moves all accounts of the host, as reading back shows, and takes them back', async () => {
    // A node that is not open to all: what is in it is not known, so it is left alone.
    await using closed = await connectAccount(sandbox, 'user3');
    const item = { node: NODE_VCARD4, id: 'current', payload: mine };
    await publishItem(closed, { ...item, publishOptions: { access_model: 'whitelist' } });

    const moved = await run('admin', ['migrate', '--journal', 'j', '--json', '--report', 'r.csv']);
    expect(JSON.parse(moved.stdout)).toMatchObject({
      accounts: 101,
      migrated: 99,
      empty: 1,
      failed: 1,
      made: { card: 99, avatar: 25 },
      warnings: { 'avatar-hidden': 1 },
    });
    expect(moved.code).toBe(1);
    expect(moved.stderr).toContain(jidOf('user3').toString());
    const report = await readFile(path.join(home.dir, 'r.csv'), 'utf8');
    expect(report.split('\n').filter((line) => line.includes(',migrated,'))).toHaveLength(99);
    expect(await run('admin', ['verify', 'j'])).toMatchObject({
      code: 0,
      stdout: '99 of 99 accounts as published\n',
    });
    await using session = await connectAccount(sandbox, 'user8');
    expect(String(await fetchVcard4(session, undefined))).toContain('geo:45.4,10.9');
    expect(String(await fetchVcard4(session, jidOf('user9')))).toContain('<fn><text>user9</text></fn>');
    expect((await fetchAvatar(session, undefined))?.source).toBe('pep');
    for (const node of [NODE_VCARD4, NS_AVATAR_METADATA, NS_AVATAR_DATA])
      expect(await fetchAccessModel(session, { node })).toBe('open');
    expect(String(await fetchVcard4(closed, undefined))).toContain('Mine');

    expect(await run('admin', ['rollback', 'j'])).toMatchObject({
      code: 0,
      stdout: '99 of 99 accounts as before\n',
    });
    expect(await fetchVcard4(session, undefined)).toBeUndefined();
  });

  it('reads as anybody, and changes as the administrator, by a token or a password', async () => {
    await home.write('some.txt', `${jidOf('user4').toString()}\n${jidOf('user5').toString()}\n`);
    const some = ['--only', 'some.txt', '--json'];
    const token = await run('user1', ['migrate', ...some, '--journal', 't', '--api-secret-file', 'token']);
    expect(token).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(token.stdout)).toMatchObject({ migrated: 2 });
    const asAdmin = ['--api-user', jidOf('admin').toString()];
    const secret = { XMPPCTL_API_SECRET: sandbox.accounts['admin']?.password ?? '' };
    expect(await run('user1', ['rollback', 't', ...asAdmin], secret)).toMatchObject({ code: 0 });
    await home.write('password', `${secret.XMPPCTL_API_SECRET}\n`);
    const byFile = { XMPPCTL_API_SECRET_FILE: path.join(home.dir, 'password') };
    const file = await run('user1', ['migrate', ...some, '--journal', 'p', ...asAdmin], byFile);
    expect(JSON.parse(file.stdout)).toMatchObject({ migrated: 2 });
    expect(await run('user1', ['rollback', 'p', ...asAdmin], byFile)).toMatchObject({ code: 0 });
  });

  it('fetches pictures that are only linked, when it is told to, and from where', async () => {
    const pair = makeTlsFixtures();
    await home.write('ca.pem', `${sandbox.ca}\n${pair.ca}`);
    await using web = await startWebServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'image/gif' }).end(Buffer.from(gif, 'base64'));
    }, pair.good);
    const [user, host] = ['user6', sandbox.domain];
    const link = { user, host, name: 'PHOTO', subname: 'EXTVAL', content: `${web.origin}/a.gif` };
    await api.call('set_vcard2', link);
    await home.write('one.txt', `${jidOf(user).toString()}\n`);
    const migrate = ['migrate', '--only', 'one.txt', '--json', '--fetch-photos'];
    const ca = { XMPPCTL_CA: path.join(home.dir, 'ca.pem') };
    const dry = await run('admin', [...migrate, '--dry-run'], ca);
    expect(JSON.parse(dry.stdout)).toMatchObject({ made: { card: 1 }, warnings: { 'photo-not-fetched': 1 } });
    const moved = await run('admin', [...migrate, '--fetch-anywhere', '--journal', 'photos'], ca);
    expect(JSON.parse(moved.stdout)).toMatchObject({ made: { card: 1, avatar: 1 }, failed: 0 });
    await using session = await connectAccount(sandbox, user);
    const found = await fetchAvatar(session, undefined);
    expect(found?.source).toBe('pep');
    expect(found?.avatar.data.toString('base64')).toBe(gif);
  });

  it('ends at once where it may not, and never shows a secret', async () => {
    for (const [name, args, code, message] of [
      ['user1', [], 4, 'does not allow us to call registered_users'],
      ['user1', ['--api-user', `admin@${sandbox.domain}`], 4, 'does not know who calls registered_users'],
      ['user1', ['--api-secret-file', 'wrong'], 4, 'does not know who calls registered_users'],
      ['admin', ['--host', 'nowhere.example'], 5, 'Unknown virtual host'],
      ['admin', ['--api-secret-file', 'missing'], 7, 'missing'],
      ['admin', ['--impersonate'], 2, 'two ways into accounts'],
      ['admin', ['--access', 'presence'], 2, 'hides what is published'],
      ['admin', ['--tls-pin', `sha256:${'0'.repeat(64)}`], 3, 'is not the one that --tls-pin asks for'],
    ] as const) {
      await home.write('wrong', 'not-the-secret\n');
      const env = name === 'user1' && args.length > 0 ? { XMPPCTL_API_SECRET: 'not-the-secret' } : {};
      const result = await run(name, ['migrate', '--journal', 'none', ...args], env);
      expect(result).toMatchObject({ code, stdout: '' });
      expect(result.stderr).toContain(message);
      expect(result.stderr).not.toContain('not-the-secret');
      expect(result.stderr).not.toContain(sandbox.accounts[name]?.password);
    }
  });

  it.each([
    ['http://xmpp.example.org:5280/api', 'is not https'],
    ['https://admin:secret@xmpp.example.org:5443/api', 'takes an address without a password'],
    ['xmpp.example.org', 'is no URL'],
  ])('refuses %s', async (url, message) => {
    const result = await runXmppctl(['vcard', 'migrate', '--api', url], {
      cwd: home.dir,
      env: { ...home.env, ...environmentOf(sandbox, 'admin') },
    });
    expect(result).toMatchObject({ code: 2, stdout: '' });
    expect(result.stderr).toContain(message);
    expect(result.stderr).not.toContain('secret@');
  });
});
