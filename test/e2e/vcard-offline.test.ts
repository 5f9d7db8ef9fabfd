/** `vcard migrate --from … --to …`, the real program: exit codes, exact output, and what is left when something breaks. */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runXmppctl, startXmppctl } from '../support/run-xmppctl.js';

let folder: string;
beforeEach(async () => (folder = await mkdtemp(path.join(tmpdir(), 'xmppctl-offline-'))));
afterEach(() => rm(folder, { recursive: true, force: true }));

const head =
  "<?xml version='1.0' encoding='UTF-8'?><server-data xmlns='urn:xmpp:pie:0'><host jid='a.example'>";
const foot = '</host></server-data>';
const alice = "<user name='alice' password='secret'><vCard xmlns='vcard-temp'><FN>Alice</FN></vCard></user>";

async function put(name: string, text: string): Promise<string> {
  await writeFile(path.join(folder, name), text);
  return name;
}

const migrate = (args: string[], input?: string) =>
  runXmppctl(['vcard', 'migrate', ...args], { cwd: folder, ...(input !== undefined && { input }) });

/** Many accounts, so that the program is busy for a while. */
async function putMany(name: string, count: number): Promise<string> {
  const card = `<vCard xmlns='vcard-temp'><FN>Somebody</FN><DESC>${'x'.repeat(2000)}</DESC></vCard>`;
  const users = Array.from({ length: count }, (_, index) => `<user name='user${index}'>${card}</user>`);
  return put(name, head + users.join('') + foot);
}

describe('vcard migrate with files', () => {
  it('makes a folder for Prosody, which only its owner can read', async () => {
    const from = await put('export.xml', `${head}${alice}<user name='bob'/>${foot}`);
    const { code, stdout, stderr } = await migrate(['--from', from, '--to', 'import', '--layout', 'prosody']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toBe('2 accounts: 1 migrated, 1 empty\nmade: 1 card\n');
    expect((await readdir(path.join(folder, 'import'))).sort()).toEqual([
      'alice@a.example.xml',
      'bob@a.example.xml',
    ]);
    const file = path.join(folder, 'import/alice@a.example.xml');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readFile(file, 'utf8')).toContain('<items node="urn:xmpp:vcard4"><item id="current"><vcard');
    expect((await readdir(folder)).sort()).toEqual(['export.xml', 'import']);
  });

  it('goes there and back through pipes', async () => {
    const there = await migrate(
      ['--from', '-', '--to', '-', '--layout', 'prosody'],
      `${head}${alice}${foot}`,
    );
    expect({ code: there.code, stderr: there.stderr }).toEqual({ code: 0, stderr: '' });
    const back = await migrate(['--from', '-', '--to', '-', '--layout', 'ejabberd'], there.stdout);
    expect(back.stdout).toContain("<user name='alice' password='secret'>");
    expect(back.stdout).toMatch(/<vCard xmlns="vcard-temp">.*<FN>Alice<\/FN>/);
  });

  it('tells which accounts failed, in words, in numbers and in a report, and does the others', async () => {
    const from = await put('export.xml', `${head}<user name='a b'/>${alice}<user name='alice'/>${foot}`);
    const report = async (name: string) => {
      const args = ['--from', from, '--layout', 'prosody', '--dry-run', '--json', '--report', name];
      const { code, stdout, stderr } = await migrate(args);
      expect(code).toBe(1);
      expect(JSON.parse(stdout)).toMatchObject({ accounts: 3, migrated: 1, failed: 2 });
      expect(stderr).toContain('2 of 3 accounts could not be migrated as they should be');
      return readFile(path.join(folder, name), 'utf8');
    };
    expect(JSON.parse(await report('report.json'))).toMatchObject([
      { account: 'a b@a.example', outcome: 'failed' },
      { account: 'alice@a.example', outcome: 'migrated', made: ['card'] },
      {
        account: 'alice@a.example',
        outcome: 'failed',
        reason: 'it is in the input twice: the first one was taken',
      },
    ]);
    expect((await report('report.csv')).split('\n')).toEqual([
      'account,outcome,made,reason,warnings',
      'a b@a.example,failed,,its name has a character that names of accounts cannot have,',
      'alice@a.example,migrated,card,,',
      'alice@a.example,failed,,it is in the input twice: the first one was taken,',
      '',
    ]);
  });

  it('shows what changes in each card', async () => {
    const from = await put('export.xml', `${head}${alice}${foot}`);
    const { stdout } = await migrate(['--from', from, '--layout', 'prosody', '--dry-run', '--diff']);
    expect(stdout).toContain(
      'alice@a.example\n+<vcard xmlns="urn:ietf:params:xml:ns:vcard-4.0">\n+  <fn>\n+    <text>Alice</text>',
    );
  });

  it('takes only the accounts it was told to', async () => {
    const users = Array.from({ length: 40 }, (_, index) => `<user name='u${index}'/>`).join('');
    const from = await put('export.xml', head + users + foot);
    await put('list', '# these\nu7@a.example\n\nU8@a.example\n');
    const accounts = async (...args: string[]): Promise<string[]> => {
      await migrate(['--from', from, '--layout', 'prosody', '--dry-run', '--report', 'r.json', ...args]);
      const entries = JSON.parse(await readFile(path.join(folder, 'r.json'), 'utf8')) as {
        account: string;
      }[];
      return entries.map(({ account }) => account);
    };
    expect(await accounts('--only', 'list')).toEqual(['u7@a.example', 'u8@a.example']);
    expect(await accounts('--limit', '3')).toHaveLength(3);
    const parts = [
      await accounts('--shard', '1/3'),
      await accounts('--shard', '2/3'),
      await accounts('--shard', '3/3'),
    ];
    expect(parts.every((part) => part.length > 0)).toBe(true);
    expect(new Set(parts.flat()).size).toBe(40);
  });

  it.each([
    [['--to', 'x'], '--to and --layout want --from, the export to read'],
    [['--from', 'x', '--to', 'y'], '--from wants --layout'],
    [
      ['--from', 'x', '--to', 'y', '--layout', 'openfire'],
      '--layout takes ejabberd or prosody, not openfire',
    ],
    [['--from', 'x', '--layout', 'prosody'], '--from wants --to, or --dry-run'],
    [['--from', 'x', '--layout', 'prosody', '--dry-run', '--shard', '4/3'], '--shard takes a number'],
    [
      ['--from', 'x', '--layout', 'prosody', '--dry-run', '--existing', 'ask'],
      '--existing takes skip, merge or overwrite',
    ],
    [
      ['--from', 'x', '--layout', 'prosody', '--to', '-', '--diff'],
      '--diff and --to - would both write to stdout',
    ],
  ])('refuses %j', async (args, message) => {
    const { code, stdout, stderr } = await migrate(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(message);
  });

  it('replaces nothing unless it is told to', async () => {
    const from = await put('export.xml', head + alice + foot);
    await put('import.xml', 'precious');
    await mkdir(path.join(folder, 'full'));
    await put('full/precious', '');
    for (const to of ['import.xml', 'full']) {
      const args = ['--from', from, '--to', to, '--layout', 'prosody'];
      const refused = await migrate(args);
      expect(refused.code).toBe(2);
      expect(refused.stderr).toContain(`${to} exists already`);
      expect((await migrate([...args, '--force'])).code).toBe(0);
    }
    expect(await readFile(path.join(folder, 'import.xml'), 'utf8')).toContain('Alice');
    expect(await readdir(path.join(folder, 'full'))).toEqual(['alice@a.example.xml']);
  });

  it.each([
    ['ends in the middle', `${head}${alice}`, 'it ends in the middle of something'],
    ['has a document type', `<!DOCTYPE x [<!ENTITY y "z">]>${head}${foot}`, 'document type declaration'],
    ['uses an entity', `${head}<user name='&y;'/>${foot}`, 'the entity &y;'],
    ['has a control character', `${head}<user name='x'>\u0007</user>${foot}`, 'U+0007'],
    ['is no XML', 'nonsense', 'it is not XML'],
  ])('leaves nothing when the input %s, and says where', async (_title, text, message) => {
    const from = await put('export.xml', text);
    for (const to of ['import', 'import.xml']) {
      const { code, stdout, stderr } = await migrate([
        '--from',
        from,
        '--to',
        to,
        '--layout',
        'prosody',
        '--report',
        'r.csv',
      ]);
      expect({ code, stdout }).toEqual({ code: 7, stdout: '' });
      expect(stderr).toMatch(/^xmppctl: export\.xml is broken at byte \d+/);
      expect(stderr).toContain(message);
      expect(await readdir(folder)).toEqual(['export.xml']);
    }
  });

  it('says so when the disk is full', async () => {
    const from = await putMany('export.xml', 500);
    const { code, stderr } = await migrate([
      '--from',
      from,
      '--to',
      '/dev/full',
      '--layout',
      'prosody',
      '--force',
    ]);
    expect(code).toBe(7);
    expect(stderr).toBe('xmppctl: cannot write /dev/full: the disk is full\n');
  });

  it('leaves nothing under its name when it is killed, and clears up the next time', async () => {
    const from = await putMany('export.xml', 12_000);
    for (const to of ['import', 'import.xml']) {
      const args = ['--from', from, '--to', to, '--layout', 'prosody'];
      const running = startXmppctl(['vcard', 'migrate', ...args], { cwd: folder });
      const isPart = (name: string): boolean => name.startsWith(`.${to}.`);
      while (!(await readdir(folder)).some(isPart)) await new Promise(setImmediate);
      running.child.kill('SIGKILL');
      expect((await running.finished).signal).toBe('SIGKILL');
      expect(existsSync(path.join(folder, to))).toBe(false);
      expect((await readdir(folder)).filter(isPart)).toHaveLength(1);
      expect(await migrate(args)).toMatchObject({ code: 0, stderr: '' });
      expect((await readdir(folder)).filter(isPart)).toEqual([]);
    }
    expect(await readdir(path.join(folder, 'import'))).toHaveLength(12_000);
  });

  it('ends at Ctrl-C and leaves nothing', async () => {
    const from = await putMany('export.xml', 12_000);
    const running = startXmppctl(
      ['vcard', 'migrate', '--from', from, '--to', 'import', '--layout', 'prosody'],
      { cwd: folder },
    );
    while (!(await readdir(folder)).some((name) => name.startsWith('.import.')))
      await new Promise(setImmediate);
    running.child.kill('SIGINT');
    expect(await running.finished).toMatchObject({ code: 130, stdout: '', stderr: '' });
    expect(await readdir(folder)).toEqual(['export.xml']);
  });

  it('ends quietly when the reader of its output goes away', async () => {
    const from = await putMany('export.xml', 12_000);
    const running = startXmppctl(['vcard', 'migrate', '--from', from, '--to', '-', '--layout', 'prosody'], {
      cwd: folder,
    });
    running.child.stdout.once('data', () => running.child.stdout.destroy());
    expect(await running.finished).toMatchObject({ code: 0, stderr: '' });
  });

  it('writes accounts in the order of the input, whatever thread converted them', async () => {
    const from = await putMany('export.xml', 12_000);
    const { stdout } = await migrate(['--from', from, '--to', '-', '--layout', 'prosody']);
    const names = [...stdout.matchAll(/<user name='user(\d+)'/g)].map(([, number]) => Number(number));
    expect(names).toEqual(Array.from({ length: 12_000 }, (_, index) => index));
    expect(stdout.match(/<items node="urn:xmpp:vcard4">/g)).toHaveLength(12_000);
  });
});

describe('vcard convert and lint with a whole export', () => {
  const scram =
    '<scram-credentials xmlns="urn:xmpp:pie:0#scram" mechanism="SCRAM-SHA-1"><iter-count>4096</iter-count><salt>c2FsdA==</salt><server-key>YWFhYWFhYWFhYWFhYWFhYWFhYWE=</server-key><stored-key>YmJiYmJiYmJiYmJiYmJiYmJiYmI=</stored-key></scram-credentials>';

  it('puts the cards into PEP nodes and leaves the credentials alone, from a file as from a pipe', async () => {
    const text = `${head}<user name='bob'>${scram}</user>${alice}${foot}`;
    const from = await put('export.xml', text);
    const file = await runXmppctl(['vcard', 'convert', from, '--to', 'vcard4'], { cwd: folder });
    const pipe = await runXmppctl(['vcard', 'convert', '--to', 'vcard4'], { input: text });
    expect(file).toMatchObject({ code: 0, stderr: '' });
    expect(pipe.stdout).toBe(file.stdout);
    expect(file.stdout).toContain(`<user name='bob'>${scram}</user>`);
    expect(file.stdout).toContain('<items node="urn:xmpp:vcard4">');
    const back = await runXmppctl(['vcard', 'convert', '--to', 'vcard-temp'], { input: file.stdout });
    expect(back.stdout).toMatch(/<vCard xmlns="vcard-temp">.*<FN>Alice<\/FN>/);
  });

  it('follows the files that a main file includes', async () => {
    await put('a.xml', `<host xmlns='urn:xmpp:pie:0' jid='a.example'>${alice}</host>`);
    const from = await put(
      'main.xml',
      "<server-data xmlns='urn:xmpp:pie:0' xmlns:xi='http://www.w3.org/2001/XInclude'><xi:include href='a.xml'/></server-data>",
    );
    const { code, stdout } = await runXmppctl(['vcard', 'convert', from, '--to', 'vcard4'], { cwd: folder });
    expect(code).toBe(0);
    expect(stdout).toContain('urn:xmpp:vcard4');
    expect(stdout).not.toContain('include');
  });

  it('refuses what an export cannot become', async () => {
    const from = await put('export.xml', head + alice + foot);
    for (const args of [
      ['--to', 'vcf'],
      ['--to', 'vcard4', '--json'],
    ]) {
      const { code, stdout } = await runXmppctl(['vcard', 'convert', from, ...args], { cwd: folder });
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    }
  });

  it('says what would lock accounts out, account by account', async () => {
    const bad =
      "<user name='carol'><vCard xmlns='vcard-temp'><FN>Carol</FN><PHOTO><TYPE>image/png</TYPE><BINVAL>?</BINVAL></PHOTO></vCard></user>";
    const { code, stdout, stderr } = await runXmppctl(['vcard', 'lint', '--json'], {
      input: head + alice + bad + foot,
    });
    expect(code).toBe(1);
    expect(JSON.parse(stdout.split('\n')[0] ?? '')).toMatchObject({
      account: 'carol@a.example',
      severity: 'refused',
      code: 'prosody-lock-out',
    });
    expect(stderr).toMatch(/things are lost or refused in 2 accounts/);
    expect(await runXmppctl(['vcard', 'lint'], { input: head + alice + foot })).toMatchObject({
      code: 0,
      stdout: '',
      stderr: '1 account: nothing is lost or refused\n',
    });
  });
});
