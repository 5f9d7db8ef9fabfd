/** `send-file` and `receive-file` as two processes on real servers. */
import { execFile, spawn as spawnProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, readFile, readdir, stat, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { spawn as spawnTerminal } from '@lydell/node-pty';
import { expect, it, onTestFinished } from 'vitest';
import { fetchRoster } from '../../src/lib/roster/roster.js';
import type { Session } from '../../src/lib/session/session.js';
import { xml } from '../../src/lib/xml/element.js';
import { environmentOf } from '../support/as-account.js';
import { eventsOf, fileCommands } from '../support/file-commands.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import { connectAccount } from '../support/sandbox-session.js';
import { describeOnEachServer, type ServerUnderTest } from '../support/servers.js';

const run = promisify(execFile);

const binary = path.join(path.dirname(fileURLToPath(import.meta.url)), '../../bin/xmppctl.js');

/** Alice and Bob see each other's presence. */
async function makeFriends({ sandbox }: ServerUnderTest): Promise<void> {
  const [alice, bob] = await Promise.all([connectAccount(sandbox, 'alice'), connectAccount(sandbox, 'bob')]);
  await using _alice = alice;
  await using _bob = bob;
  const answer = (session: Session): Disposable =>
    session.handle({ name: 'presence' }, ({ attrs }) => {
      const { type, from } = attrs as Record<string, unknown>;
      if (type === 'subscribe' && typeof from === 'string')
        void session.send(xml('presence', { type: 'subscribed', to: from }));
    });
  using _answers = answer(bob);
  using _others = answer(alice);
  for (const session of [alice, bob]) await session.send(xml('presence'));
  await alice.send(xml('presence', { type: 'subscribe', to: bob.jid.bare.toString() }));
  await bob.send(xml('presence', { type: 'subscribe', to: alice.jid.bare.toString() }));
  await expect
    .poll(async () => [...(await fetchRoster(alice)).values(), ...(await fetchRoster(bob)).values()])
    .toEqual([
      expect.objectContaining({ isSeen: true, seesUs: true }),
      expect.objectContaining({ isSeen: true, seesUs: true }),
    ]);
}

describeOnEachServer('send-file', (server) => {
  const { at, address, makeFile, receive, startSend, send, hashOf } = fileCommands(server);

  it.each([
    ['direct', ['--transport', 's5b', '--no-proxy']],
    ['proxy', ['--transport', 's5b', '--no-direct']],
    ['in-band', ['--transport', 'ibb']],
    ['in-band', ['--no-direct', '--no-proxy', '--no-upload']],
    ['upload', ['--transport', 'upload']],
  ])('brings a file over: %s %j', async (method, args) => {
    const file = await makeFile('photo.jpg', 3_000_000);
    const receiver = await receive(['--from', address('alice'), '--dir', 'in', '--once']);
    const sent = await send([file, address('bob'), ...args]);
    expect(sent).toMatchObject({ code: 0 });
    const certainty = method === 'upload' ? 'unconfirmed' : 'verified';
    const hash = `sha-256:${await hashOf(file)}`;
    const columns = sent.stdout.trimEnd().split('\t');
    expect(columns[1]).toMatch(new RegExp(`^${address('bob')}(/|$)`));
    expect([columns[0], ...columns.slice(2, 6)]).toEqual(['photo.jpg', '3000000', method, certainty, hash]);
    const received = await receiver.finished;
    expect(received.code).toBe(0);
    const [storedAs, from, ...rest] = received.stdout.trimEnd().split('\t');
    expect(from?.split('/')[0]).toBe(address('alice'));
    expect([storedAs, ...rest.slice(0, 4)]).toEqual(['in/photo.jpg', '3000000', method, 'verified', hash]);
    expect(await hashOf(at('in/photo.jpg'))).toBe(await hashOf(file));
    expect(await readdir(at('in'))).toEqual(['photo.jpg']);
  });

  it('says nothing with --quiet, on either side', async () => {
    const file = await makeFile('a', 10);
    const receiver = await receive(['--from', address('alice'), '--dir', 'in', '--once', '--quiet']);
    expect(await send([file, address('bob'), '--quiet'])).toMatchObject({ code: 0, stdout: '', stderr: '' });
    expect(await receiver.finished).toMatchObject({ code: 0, stdout: '' });
  });

  it('works as a pipe from tar to tar', async () => {
    await mkdir(at('dir/sub'), { recursive: true });
    await mkdir(at('out'));
    await writeFile(at('dir/sub/text'), 'hello');
    await makeFile('dir/big', 2_000_000);
    await symlink('sub/text', at('dir/link'));
    const { stdout: archive } = await run('tar', ['c', '-C', at('.'), 'dir'], {
      encoding: 'buffer',
      maxBuffer: 10_000_000,
    });
    const receiver = await receive(['--from', address('alice'), '-o', '-']);
    const tar = execFile('tar', ['x', '-C', at('out')]);
    if (!tar.stdin) throw new Error('tar has no stdin');
    receiver.child.stdout.pipe(tar.stdin);
    const unpacked = new Promise((resolve) => tar.on('exit', resolve));
    expect(await send(['-', address('bob')], archive)).toMatchObject({ code: 0 });
    expect(await receiver.finished).toMatchObject({ code: 0 });
    expect(await unpacked).toBe(0);
    await run('diff', ['-r', '--no-dereference', at('dir'), at('out/dir')]);
  });

  it('sends a folder as a tar stream, and with --recursive file by file into the same folders', async () => {
    await mkdir(at('dir/sub'), { recursive: true });
    await writeFile(at('dir/one'), '1');
    await writeFile(at('dir/empty'), '');
    await writeFile(at('dir/sub/two'), '22');
    await symlink('/etc/passwd', at('dir/link'));
    const first = await receive(['--from', address('alice'), '-o', 'got.tar']);
    expect(await send(['dir', address('bob')])).toMatchObject({ code: 0 });
    expect(await first.finished).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^got\.tar\t/) as string,
    });
    const { stdout } = await run('tar', ['tf', at('got.tar')]);
    expect(stdout).toBe('dir/\ndir/empty\ndir/link\ndir/one\ndir/sub/\ndir/sub/two\n');

    const second = await receive(['--from', address('alice'), '--dir', 'in', '--count', '3']);
    const sent = await send(['-r', 'dir', address('bob')]);
    expect(sent.code).toBe(0);
    expect(sent.stderr).toContain('dir/link is left out: it is a symbolic link');
    expect((await second.finished).code).toBe(0);
    const differing = run('diff', ['-r', at('dir'), at('in/dir')]);
    await expect(differing).rejects.toMatchObject({ stdout: `Only in ${at('dir')}: link\n` });
  });

  it('tells everything as JSON lines', async () => {
    const file = await makeFile('data.json', 100_000);
    const receiver = await receive(['--from', address('alice'), '--dir', 'in', '--once', '--json']);
    const sent = await send([file, address('bob'), '--json', '--desc', 'numbers', '--transport', 's5b']);
    const received = await receiver.finished;
    const hashes = { 'sha-256': await hashOf(file) };
    for (const [events, key, other] of [
      [eventsOf(sent), 'to', 'bob'],
      [eventsOf(received), 'from', 'alice'],
    ] as const) {
      const kinds = events.map(({ event }) => event).filter((event) => event !== 'progress');
      expect(kinds).toEqual(['offered', 'accepted', 'transport', 'done']);
      expect(new Set(events.map(({ id }) => id)).size).toBe(1);
      for (const event of events) expect(String(event[key]).split('/')[0]).toBe(address(other));
      expect(events[0]?.['file']).toMatchObject({
        name: 'data.json',
        size: 100_000,
        type: 'application/json',
        description: 'numbers',
      });
      expect(events.find(({ event }) => event === 'accepted')).toMatchObject({ offset: 0 });
      expect(events.at(-1)).toMatchObject({
        event: 'done',
        name: 'data.json',
        size: 100_000,
        certainty: 'verified',
        method: 'direct',
        hashes,
        resumedFrom: 0,
      });
    }
    expect(eventsOf(received).at(-1)).toMatchObject({ storedAs: 'in/data.json' });
  });

  it('sends to several people, and one who is offline does not stop the others', async () => {
    const file = await makeFile('news', 50_000);
    const bob = await receive(['--from', address('alice'), '--dir', 'bob', '--once']);
    const { code, stdout, stderr } = await send([
      file,
      address('bob'),
      address('carol'),
      '--no-upload',
      '--timeout',
      '3',
    ]);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^news\tbob@/);
    expect(stderr).toContain(`${address('carol')} is offline, or takes no files by Jingle`);
    expect(stderr).toContain('1 of 2 transfers failed');
    expect(await bob.finished).toMatchObject({ code: 0 });
    expect(await hashOf(at('bob/news'))).toBe(await hashOf(file));
  });

  it('ends with 5 when the recipient is offline and nothing may be uploaded, and uploads otherwise', async () => {
    const file = await makeFile('a', 1000);
    const refused = await send([file, address('carol'), '--no-upload', '--timeout', '2']);
    expect(refused).toMatchObject({ code: 5, stdout: '' });
    expect(refused.stderr).toMatch(/carol@\S+ is offline, or takes no files by Jingle\n$/);
    const uploaded = await send([file, address('carol'), '--timeout', '2']);
    expect(uploaded.code).toBe(0);
    expect(uploaded.stdout).toMatch(/^a\tcarol@[^\t]+\t1000\tupload\tunconfirmed\t/);
  });

  it('waits for the recipient with --wait', async () => {
    const file = await makeFile('patient', 1000);
    const sender = startSend([file, address('bob'), '--wait', '--verbose', '--timeout', '3']);
    await sender.waitFor('stderr', /asking all clients/);
    const receiver = await receive(['--from', address('alice'), '--dir', 'in', '--once']);
    expect(await sender.finished).toMatchObject({ code: 0 });
    expect(await receiver.finished).toMatchObject({ code: 0 });
    expect(await hashOf(at('in/patient'))).toBe(await hashOf(file));
  });

  it.each(['SIGKILL', 'SIGINT'] as const)('goes on where a receiver was that ended by %s', async (signal) => {
    const file = await makeFile('big', 12_000_000);
    const args = [file, address('bob'), '--transport', 'ibb', '--no-upload', '--json', '--timeout', '5'];
    const first = await receive(['--from', address('alice'), '--dir', 'in', '--once']);
    const broken = startSend(args);
    await broken.waitFor('stdout', /"event":"progress".*"bytes":[1-9]\d{6}/);
    first.child.kill(signal);
    const ended = await first.finished;
    if (signal === 'SIGINT') {
      expect(ended.code).toBe(130);
      expect(ended.stderr).toContain('kept as in/big.part');
    }
    expect((await broken.finished).code).not.toBe(0);
    const kept = (await stat(at('in/big.part'))).size;
    expect(kept).toBeGreaterThan(500_000);
    const second = await receive(['--from', address('alice'), '--dir', 'in', '--once']);
    const sent = await send(args);
    expect(sent.code).toBe(0);
    expect(eventsOf(sent).at(-1)).toMatchObject({ event: 'done', resumedFrom: kept, certainty: 'verified' });
    expect(await second.finished).toMatchObject({ code: 0 });
    expect(await hashOf(at('in/big'))).toBe(await hashOf(file));
  });

  it('waits with --wait for a receiver that was killed to come back, and goes on', async () => {
    const file = await makeFile('big', 12_000_000);
    const first = await receive(['--from', address('alice'), '--dir', 'in', '--once']);
    const way = ['--transport', 'ibb', '--no-upload', '--json', '--timeout', '3'];
    const sender = startSend([file, address('bob'), '--wait', '--verbose', ...way]);
    await sender.waitFor('stdout', /"event":"progress".*"bytes":[1-9]\d{6}/);
    first.child.kill('SIGKILL');
    await first.finished;
    await sender.waitFor('stderr', /1 not finished, trying again/);
    const kept = (await stat(at('in/big.part'))).size;
    const second = await receive(['--from', address('alice'), '--dir', 'in', '--once']);
    const sent = await sender.finished;
    expect(sent.code).toBe(0);
    expect(eventsOf(sent).at(-1)).toMatchObject({ event: 'done', resumedFrom: kept, certainty: 'verified' });
    expect(await second.finished).toMatchObject({ code: 0 });
    expect(await hashOf(at('in/big'))).toBe(await hashOf(file));
  });

  it('goes on where a sender was that was killed, with the same receiver', async () => {
    const file = await makeFile('big', 12_000_000);
    const args = [file, address('bob'), '--transport', 'ibb', '--no-upload', '--json'];
    const receiver = await receive(['--from', address('alice'), '--dir', 'in', '--once', '--timeout', '3']);
    const broken = startSend(args);
    await broken.waitFor('stdout', /"event":"progress".*"bytes":[1-9]\d{6}/);
    broken.child.kill('SIGKILL');
    await receiver.waitFor('stderr', /kept as in\/big\.part/);
    const kept = (await stat(at('in/big.part'))).size;
    const sent = await send(args);
    expect(sent.code).toBe(0);
    expect(eventsOf(sent).at(-1)).toMatchObject({ event: 'done', resumedFrom: kept });
    expect(await receiver.finished).toMatchObject({ code: 0 });
    expect(await hashOf(at('in/big'))).toBe(await hashOf(file));
  });

  it.each(['sender', 'receiver'])(
    'survives that the stream of the %s is cut again and again',
    async (side) => {
      const { hostname, port } = new URL(server.sandbox.services.starttls);
      await using proxy = await startTcpProxy({ host: hostname, port: Number(port) });
      const viaProxy = { XMPPCTL_SERVICE: `xmpp://127.0.0.1:${proxy.port}` };
      const file = await makeFile('big', 8_000_000);
      const receiver = await receive(
        ['--from', address('alice'), '--dir', 'in', '--once'],
        side === 'receiver' ? { env: viaProxy } : {},
      );
      const args = [file, address('bob'), '--transport', 'ibb', '--no-upload', '--json'];
      const sender = startSend(args, undefined, side === 'sender' ? viaProxy : undefined);
      for (const digits of [5, 6]) {
        await sender.waitFor('stdout', new RegExp(`"event":"progress".*"bytes":[1-9]\\d{${digits}}`));
        proxy.cut();
      }
      const sent = await sender.finished;
      expect({ code: sent.code, stderr: sent.stderr }).toMatchObject({ code: 0 });
      expect(eventsOf(sent).at(-1)).toMatchObject({ event: 'done', certainty: 'verified' });
      expect(await receiver.finished).toMatchObject({ code: 0 });
      expect(await hashOf(at('in/big'))).toBe(await hashOf(file));
      expect(proxy.count).toBeGreaterThan(1);
    },
  );

  it('stops at Ctrl-C with 130, and the receiver keeps what it has', async () => {
    const file = await makeFile('big', 12_000_000);
    const receiver = await receive(['--from', address('alice'), '--dir', 'in']);
    const sender = startSend([file, address('bob'), '--transport', 'ibb', '--json']);
    await sender.waitFor('stdout', /"event":"progress".*"bytes":[1-9]\d{5}/);
    sender.child.kill('SIGINT');
    expect((await sender.finished).code).toBe(130);
    await receiver.waitFor('stderr', /kept as in\/big\.part/);
    receiver.child.kill('SIGTERM');
    expect((await receiver.finished).code).toBe(130);
  });

  it('refuses what is too large, and says so to the sender', async () => {
    const file = await makeFile('large', 3_000_000);
    const receiver = await receive(['--from', address('alice'), '--dir', 'in', '--max-size', '1M']);
    const { code, stderr } = await send([file, address('bob')]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/declined: the file is too large for them/);
    await receiver.waitFor('stderr', /refused large of alice@/);
    const piped = await send(['-', address('bob'), '--no-upload'], await readFile(file));
    expect(piped.code).not.toBe(0);
    await receiver.waitFor('stderr', /larger than the 1\.0 MiB that are allowed/);
    expect(await readdir(at('in')).catch(() => [])).toEqual([]);
  });

  it('does not even answer people who are not listed', async () => {
    const receiver = await receive(['--from', address('carol'), '--dir', 'in']);
    const { code } = await send([await makeFile('a', 10), address('bob'), '--no-upload', '--timeout', '2']);
    expect(code).toBe(5);
    const full = /waiting for files as (\S+)/.exec(receiver.stderr())?.[1] ?? '';
    const direct = await send([at('a'), full, '--no-upload', '--timeout', '5']);
    expect(direct.code).toBe(5);
    expect(direct.stderr).toContain('service-unavailable');
  });

  it('runs a program for each file, safely', async () => {
    const receiver = await receive([
      ...['--from', address('alice'), '--dir', 'in', '--count', '2'],
      ...[
        '--exec',
        'printf "%s|%s|%s\\n" "$1" "$XMPPCTL_NAME" "$XMPPCTL_FROM" >> log; test "$XMPPCTL_SIZE" = 3',
      ],
    ]);
    await writeFile(at('harmless'), 'abc');
    await writeFile(at('other'), 'abcd');
    const name = '$(touch hacked)`touch hacked`;touch hacked';
    expect(await send(['harmless', address('bob'), '--name', name])).toMatchObject({ code: 0 });
    expect(await send(['other', address('bob')])).toMatchObject({ code: 0 });
    const received = await receiver.finished;
    expect(received.code).toBe(1);
    expect(received.stderr).toContain('the program of --exec ended with 1 for in/other');
    expect(received.stderr).toContain('the program of --exec failed for 1 of the files');
    const log = (await readFile(at('log'), 'utf8')).trim().split('\n');
    expect(log[0]).toMatch(/^in\/\$\(touch hacked\)`touch hacked`;touch hacked\|/);
    expect(log[0]).toContain(`|${name}|${address('alice')}/`);
    expect(await readdir(at('.'))).not.toContain('hacked');
    expect(await readdir(at('in'))).not.toContain('hacked');
  });

  it.each([
    ['../../escape', 'escape'],
    ['/etc/passwd', 'passwd'],
    ['..', 'file'],
    ['-rf', '_rf'],
    ['.bashrc', '_bashrc'],
    ['\u202egpj.exe', '_gpj.exe'],
    ['CON', '_CON'],
  ])('makes a harmless name of %j', async (name, safe) => {
    const receiver = await receive(['--from', address('alice'), '--dir', 'in', '--once']);
    expect(await send([await makeFile('a', 10), address('bob'), '--name', name])).toMatchObject({ code: 0 });
    expect(await receiver.finished).toMatchObject({ code: 0 });
    expect(await readdir(at('in'))).toEqual([safe]);
  });

  it('asks at a terminal, whose answer decides', async () => {
    await makeFriends(server);
    const terminal = spawnTerminal(process.execPath, [binary, 'receive-file', '--dir', 'in', '--verbose'], {
      cwd: at('.'),
      env: { ...process.env, ...environmentOf(server.sandbox, 'bob'), TERM: 'xterm' },
      cols: 200,
    });
    let seen = '';
    terminal.onData((data) => (seen += data));
    onTestFinished(() => terminal.kill('SIGKILL'));
    const question = async (name: string): Promise<void> =>
      expect
        .poll(() => seen, { timeout: 10_000 })
        .toMatch(new RegExp(`offers ${name} \\(3 B\\)\\. Take it\\?`));
    await expect.poll(() => seen, { timeout: 10_000 }).toContain('waiting for files as');
    await writeFile(at('unwanted'), 'abc');
    await writeFile(at('wanted'), 'abc');
    const declined = send(['unwanted', address('bob')]);
    await question('unwanted');
    terminal.write('n\r');
    expect(await declined).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('declined the file') as string,
    });
    const accepted = send(['wanted', address('bob')]);
    await question('wanted');
    terminal.write('y\r');
    expect(await accepted).toMatchObject({ code: 0 });
    await expect.poll(() => readdir(at('in')).catch(() => [])).toEqual(['wanted']);
  });

  it('chooses among the clients of a contact by what they can do', async () => {
    await makeFriends(server);
    const low = await receive(['--from', address('alice'), '--dir', 'low', '--priority', '1']);
    const high = await receive(['--from', address('alice'), '--dir', 'high', '--priority', '5', '--once']);
    expect(await send([await makeFile('a', 10), address('bob')])).toMatchObject({ code: 0 });
    expect(await high.finished).toMatchObject({ code: 0 });
    expect(await readdir(at('high'))).toEqual(['a']);
    expect(await send([at('a'), address('bob')])).toMatchObject({ code: 0 });
    await low.waitFor('stdout', /^low\/a\t/);
  });

  it('never overwrites a file', async () => {
    await mkdir(at('in'));
    await writeFile(at('in/a.txt'), 'mine');
    const receiver = await receive(['--from', address('alice'), '--dir', 'in', '--once']);
    await writeFile(at('a.txt'), 'theirs');
    expect(await send(['a.txt', address('bob')])).toMatchObject({ code: 0 });
    await receiver.finished;
    expect(await readFile(at('in/a.txt'), 'utf8')).toBe('mine');
    expect(await readFile(at('in/a (1).txt'), 'utf8')).toBe('theirs');
  });

  it('ends with 7 when what it writes to cannot take it', async () => {
    const full = await open('/dev/full', 'w');
    onTestFinished(() => full.close());
    const child = spawnProcess(
      process.execPath,
      [binary, 'receive-file', '--verbose', '--from', address('alice'), '-o', '-'],
      {
        env: { PATH: process.env['PATH'], HOME: '/nonexistent', ...environmentOf(server.sandbox, 'bob') },
        stdio: ['ignore', full.fd, 'pipe'],
      },
    );
    onTestFinished(() => void child.kill('SIGKILL'));
    let seen = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (seen += text));
    const ended = once(child, 'close') as Promise<[number]>;
    await expect.poll(() => seen, { timeout: 10_000 }).toContain('waiting for files as');
    const sent = await send([
      await makeFile('a', 3_000_000),
      address('bob'),
      '--no-upload',
      '--timeout',
      '5',
    ]);
    expect(sent.code).not.toBe(0);
    expect((await ended)[0]).toBe(7);
    expect(seen).toContain('the disk is full');
  });

  it('refuses to begin where nothing can be stored', async () => {
    await writeFile(at('taken'), 'x');
    const taken = receive(['--from', address('alice'), '-o', 'taken']);
    await expect(taken).rejects.toThrow('ended (7)');
    await expect(receive(['--from', address('alice'), '--dir', 'taken'])).rejects.toThrow(
      'taken is no folder',
    );
  });

  it('sends two thousand small files', { timeout: 240_000 }, async () => {
    await mkdir(at('many'));
    const count = 2000;
    for (let index = 0; index < count; index += 1)
      await writeFile(at('many', `f${index}`), `content ${index}`);
    const receiver = await receive([
      '--from',
      address('alice'),
      '--dir',
      'in',
      '--count',
      String(count),
      '--quiet',
    ]);
    expect((await send(['-r', 'many', address('bob'), '--quiet'])).code).toBe(0);
    expect((await receiver.finished).code).toBe(0);
    await run('diff', ['-r', at('many'), at('in/many')]);
  });
});
