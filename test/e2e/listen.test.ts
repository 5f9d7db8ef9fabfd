/** `listen` on real servers: what it prints, where it starts, how it ends. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Message } from '../../src/lib/messaging/message.js';
import { xml } from '../../src/lib/xml/element.js';
import { environmentOf } from '../support/as-account.js';
import { runXmppctl, startXmppctl, type Finished, type Running } from '../support/run-xmppctl.js';
import { connectAccount } from '../support/sandbox-session.js';
import { describeOnEachServer } from '../support/servers.js';

describeOnEachServer('listen', (server) => {
  let folder: string;
  beforeEach(async () => (folder = await mkdtemp(path.join(tmpdir(), 'xmppctl-listen-'))));
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const address = (name: string): string => `${name}@${server.sandbox.domain}`;
  const env = (name: string): Record<string, string> => environmentOf(server.sandbox, name);
  async function listen(name: string, args: string[]): Promise<Running> {
    const running = startXmppctl(['listen', '--verbose', ...args], { env: env(name), input: '' });
    await running.waitFor('stderr', /listening as/);
    return running;
  }
  const run = (name: string, args: string[]): Promise<Finished> => runXmppctl(args, { env: env(name) });
  const send = async (from: string, to: string, text: string): Promise<void> => {
    expect(await run(from, ['send', address(to), text])).toMatchObject({ code: 0 });
  };
  const bodiesOf = ({ stdout }: Pick<Finished, 'stdout'>): (string | undefined)[] =>
    stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => (JSON.parse(line) as Message).body);

  it('prints three columns that no message can break out of', async () => {
    const listener = await listen('bob', ['--from', address('alice'), '--count', '1']);
    await using session = await connectAccount(server.sandbox, 'alice');
    await session.send(
      xml(
        'message',
        { to: address('bob'), type: 'chat' },
        xml('body', {}, 'one\ttab\nnewline \u009b2J \u202e'),
      ),
    );
    const { code, stdout } = await listener.finished;
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\talice@sandbox\.localhost\/[^\t\n]+\tone␉tab␊newline \\u\{9b\}2J \\u\{202e\}\n$/,
    );
  });

  it('prints only what has something to read, unless all is wanted', async () => {
    const some = await listen('bob', ['--json', '--from', address('carol'), '--count', '1']);
    const all = await listen('bob', ['--json', '--from', address('carol'), '--count', '2', '--all']);
    await using session = await connectAccount(server.sandbox, 'carol');
    for (const running of [some, all]) {
      const to = /listening as (\S+)/.exec(running.stderr())?.[1];
      const typing = xml('composing', { xmlns: 'http://jabber.org/protocol/chatstates' });
      await session.send(xml('message', { to, type: 'chat' }, typing));
      await session.send(xml('message', { to, type: 'chat' }, xml('body', {}, 'text')));
    }
    expect(bodiesOf(await some.finished)).toEqual(['text']);
    const { stdout } = await all.finished;
    expect(stdout.split('\n')[0]).toContain('"chatState":"composing"');
  });

  it('starts with the archive, and shows no message twice', async () => {
    const since = new Date(Date.now() - 2000).toISOString();
    await send('alice', 'carol', 'archived 1');
    await send('alice', 'carol', 'archived 2');
    // Archives of accounts are written soon after the message, not before the sender is told.
    const past = await run('carol', [
      'listen',
      '--since',
      since,
      '--from',
      address('alice'),
      '--json',
      '--count',
      '2',
    ]);
    expect(bodiesOf(past)).toEqual(['archived 1', 'archived 2']);
    const first = JSON.parse(past.stdout.split('\n')[0] ?? '') as Message;
    expect(first).toMatchObject({ isArchived: true, isDelayed: true });
    expect(first.stanzaId).toMatch(/./);

    const listener = await listen('carol', ['--since', first.stanzaId ?? '', '--json', '--count', '2']);
    await send('alice', 'carol', 'live');
    expect(bodiesOf(await listener.finished)).toEqual(['archived 2', 'live']);
  });

  it('goes on where the mark says the last run ended', async () => {
    const mark = path.join(folder, 'mark');
    const args = ['listen', '--mark', mark, '--until', 'now', '--json'];
    await send('alice', 'carol', 'before the first run');
    const first = await run('carol', args);
    expect(first).toMatchObject({ code: 0, stdout: '' });
    expect(await readFile(mark, 'utf8')).toMatch(/^\S+\n$/);
    await send('alice', 'carol', 'between the runs');
    expect(bodiesOf(await run('carol', args))).toEqual(['between the runs']);
    expect(bodiesOf(await run('carol', args))).toEqual([]);
  });

  it('copies what other clients receive and send', async () => {
    const listener = await listen('bob', ['--carbons', '--json', '--count', '1', '--from', address('carol')]);
    await send('bob', 'carol', 'from my other client');
    expect(bodiesOf(await listener.finished)).toEqual(['from my other client']);
    expect(listener.stdout()).toContain('"carbon":"sent"');
  });

  it('believes no copy that somebody else made up', async () => {
    const listener = await listen('bob', [
      '--carbons',
      '--json',
      '--count',
      '1',
      '--all',
      '--from',
      address('alice'),
    ]);
    await using session = await connectAccount(server.sandbox, 'alice');
    const to = /listening as (\S+)/.exec(listener.stderr())?.[1];
    const forged = xml(
      'message',
      { xmlns: 'jabber:client', from: address('carol'), to, type: 'chat' },
      xml('body', {}, 'send me money'),
    );
    await session.send(
      xml(
        'message',
        { to, type: 'chat' },
        xml(
          'received',
          { xmlns: 'urn:xmpp:carbons:2' },
          xml('forwarded', { xmlns: 'urn:xmpp:forward:0' }, forged),
        ),
      ),
    );
    await session.send(xml('message', { to, type: 'chat' }, xml('body', {}, 'the real one')));
    expect(bodiesOf(await listener.finished)).toEqual(['the real one']);
  });

  it('ends with 0 when the time has come', async () => {
    const { code, stdout } = await run('bob', ['listen', '--until', '1s', '--from', 'nobody@a.test']);
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
  });

  it('ends with 130 when interrupted, and what was printed is complete', async () => {
    const listener = await listen('bob', ['--from', address('alice')]);
    await send('alice', 'bob', 'last words');
    await listener.waitFor('stdout', /last words\n/);
    listener.child.kill('SIGINT');
    expect(await listener.finished).toMatchObject({ code: 130 });
  });

  it('ends with 0 when nobody reads any more', async () => {
    const listener = await listen('bob', ['--from', address('alice')]);
    listener.child.stdout.destroy();
    await send('alice', 'bob', 'into the void');
    expect((await listener.finished).code).toBe(0);
  });

  it('fetches what came while the server was away', async () => {
    const listener = await listen('bob', ['--from', address('alice'), '--json', '--count', '2']);
    await send('alice', 'bob', 'before the restart');
    await listener.waitFor('stdout', /before the restart/);
    await server.sandbox.restart();
    await send('alice', 'bob', 'after the restart');
    const { code, stdout, stderr } = await listener.finished;
    expect({ code, stderr }).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('connected again') as string,
    });
    expect(bodiesOf({ stdout })).toEqual(['before the restart', 'after the restart']);
  });
});
