/** Accounts with the real binary against real servers: added, tested, their password changed, registered, removed. */
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { TestReport } from '../../src/commands/account/test.js';
import type { Sandbox } from '../../src/lib/sandbox/sandbox.js';
import { runXmppctl, type Finished } from '../support/run-xmppctl.js';
import { describeOnEachServer } from '../support/servers.js';

let home: string;
beforeEach(async () => (home = await mkdtemp(path.join(tmpdir(), 'xmppctl-home-'))));
afterEach(() => rm(home, { recursive: true, force: true }));

function run(args: string[], env: Record<string, string> = {}, input = ''): Promise<Finished> {
  return runXmppctl(args, { env: { HOME: home, ...env }, input, cwd: home });
}

function connection(sandbox: Sandbox): string[] {
  return ['--service', sandbox.services.starttls, '--ca', sandbox.caFile];
}

async function add(sandbox: Sandbox, name: string, password?: string): Promise<Finished> {
  const account = sandbox.accounts[name];
  return run(
    [
      'account',
      'add',
      name,
      '--jid',
      `${name}@${sandbox.domain}`,
      ...connection(sandbox),
      '--password-stdin',
    ],
    {},
    `${password ?? account?.password ?? ''}\n`,
  );
}

describeOnEachServer(
  'account',
  (server) => {
    it('adds an account, logs in with it, and reports how', async () => {
      const { sandbox } = server;
      const added = await add(sandbox, 'alice');
      expect(added).toMatchObject({ code: 0, stdout: '' });
      expect(added.stderr).toContain('added the account alice, which is the default now');

      const tested = await run(['account', 'test', '--json']);
      expect(tested).toMatchObject({ code: 0, stderr: '' });
      const report = JSON.parse(tested.stdout) as TestReport;
      expect(report).toMatchObject({
        account: null,
        transport: 'tcp',
        tls: { version: 'TLSv1.3' },
        mechanism: expect.stringMatching(/^SCRAM-SHA-/) as string,
      });
      expect(report.jid).toMatch(new RegExp(`^alice@${sandbox.domain}/.`));
      expect(report.rttMs).toBeGreaterThan(0);

      const readable = await run(['account', 'test', 'alice']);
      expect(readable.code).toBe(0);
      expect(readable.stdout).toMatch(/^logged in as: +alice@.*\nserver: .*\nTLS: +TLSv1\.3/);
      expect(readable.stdout).toMatch(/^certificate: +sha256:/m);
    });

    it('accepts the certificate that account test showed as a pin, and refuses another', async () => {
      const { sandbox } = server;
      await add(sandbox, 'alice');
      const { stdout } = await run(['account', 'test', 'alice', '--json']);
      const { tls } = JSON.parse(stdout) as TestReport;
      const pin = `sha256:${(tls?.fingerprintSha256 ?? '').replace(/^sha256:/, '')}`;
      expect((await run(['account', 'test', 'alice', '--tls-pin', pin])).code).toBe(0);
      const other = await run(['account', 'test', 'alice', '--tls-pin', `sha256:${'0'.repeat(64)}`]);
      expect(other.code).toBe(3);
    });

    it('remembers the mechanism of an account with a profile, and nothing of others', async () => {
      const { sandbox } = server;
      const state = path.join(home, '.local/state/xmppctl');
      const jid = `bob@${sandbox.domain}`;
      const password = sandbox.accounts['bob']?.password ?? '';
      const adHoc = await run(['account', 'test', '--jid', jid, ...connection(sandbox)], {
        XMPPCTL_PASSWORD: password,
      });
      expect(adHoc.code).toBe(0);
      await expect(stat(state)).rejects.toThrow();
      await add(sandbox, 'bob');
      expect((await run(['account', 'test'])).code).toBe(0);
      expect((await stat(path.join(state, 'mechanisms'))).isDirectory()).toBe(true);
    });

    it('says that the password is wrong, and with which code', async () => {
      const { sandbox } = server;
      await add(sandbox, 'carol', 'not-the-password');
      const { code, stdout, stderr } = await run(['account', 'test', 'carol']);
      expect({ code, stdout }).toEqual({ code: 4, stdout: '' });
      expect(stderr.trimEnd().split('\n')).toHaveLength(1);
      expect(stderr).not.toContain('not-the-password');
    });

    it('changes a password on the server and where it is stored', async () => {
      const { sandbox } = server;
      await add(sandbox, 'dora');
      const changed = await run(['account', 'passwd', 'dora'], {
        XMPPCTL_NEW_PASSWORD: 'sesame, öffne dich',
      });
      expect(changed).toMatchObject({ code: 0, stdout: '' });
      expect(changed.stderr).toContain('is changed, and stored');
      expect(changed.stderr).not.toContain('sesame');
      expect(await readFile(path.join(home, '.config/xmppctl/passwords/dora'), 'utf8')).toBe(
        'sesame, öffne dich\n',
      );
      expect((await run(['account', 'test', 'dora'])).code).toBe(0);
      const old = await run(['account', 'test', 'dora'], {
        XMPPCTL_PASSWORD: sandbox.accounts['dora']?.password ?? '',
      });
      expect(old.code).toBe(4);
    });

    it('reminds of a password_command that still gives the old password', async () => {
      const { sandbox } = server;
      const file = path.join(home, 'old');
      await writeFile(file, `${sandbox.accounts['emil']?.password ?? ''}\n`);
      await run([
        'account',
        'add',
        'emil',
        '--jid',
        `emil@${sandbox.domain}`,
        ...connection(sandbox),
        '--password-command',
        `cat ${file}`,
      ]);
      const changed = await run(['account', 'passwd', '--new-password-fd', '0'], {}, 'another-one\n');
      expect(changed.code).toBe(0);
      expect(changed.stderr).toContain('password_command of the profile has to give the new one');
    });

    it('shows the form of a server, registers an account and adds it', async () => {
      const { sandbox } = server;
      const jid = `frieda@${sandbox.domain}`;
      const form = await run(['account', 'register', jid, '--form', '--json', ...connection(sandbox)]);
      expect(form.code).toBe(0);
      const { fields } = JSON.parse(form.stdout) as { fields: { name: string }[] };
      expect(fields.map(({ name }) => name)).toEqual(expect.arrayContaining(['username', 'password']));

      const registered = await run(
        ['account', 'register', jid, ...connection(sandbox), '--password-fd', '0', '--add', 'frieda'],
        {},
        'friedas-secret\n',
      );
      expect(registered).toMatchObject({ code: 0, stdout: '' });
      expect(registered.stderr).toContain(`${jid} is registered`);
      expect((await run(['account', 'test', 'frieda'])).code).toBe(0);

      const again = await run(['account', 'register', jid, ...connection(sandbox)], {
        XMPPCTL_PASSWORD: 'x',
      });
      expect(again).toMatchObject({ code: 5, stdout: '' });
      expect(again.stderr).toContain('somebody has this name already');
    });

    it('refuses to register a field that the form does not have', async () => {
      const { sandbox } = server;
      const { code, stderr } = await run(
        ['account', 'register', `gerd@${sandbox.domain}`, ...connection(sandbox), '--field', 'shoesize=43'],
        { XMPPCTL_PASSWORD: 'x' },
      );
      expect(code).toBe(2);
      expect(stderr).toContain('the form has no field "shoesize"');
    });
  },
  { accounts: ['alice', 'bob', 'carol', 'dora', 'emil'] },
);
