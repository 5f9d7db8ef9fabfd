/** `send-file` and `receive-file` with Libervia at the other end: a client that is not ours, on real servers. */
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { fileCommands } from '../support/file-commands.js';
import { hasLibervia, startLibervia, type Libervia } from '../support/libervia.js';
import { describeOnEachServer } from '../support/servers.js';

describeOnEachServer('Libervia', (server) => {
  const { at, address, makeFile, receive, startSend, hashOf } = fileCommands(server, { sender: 'bob' });
  let libervia: Libervia | undefined;
  beforeAll(async () => {
    if (hasLibervia) libervia = await startLibervia(server.sandbox, 'alice');
  }, 120_000);
  afterAll(async () => {
    await libervia?.[Symbol.asyncDispose]();
  });
  const theirs = (): Libervia => {
    if (!libervia) throw new Error('Libervia is not there');
    return libervia;
  };

  it.skipIf(!hasLibervia).each([
    ['direct', ['--no-proxy'], 3_000_000],
    // It cannot use the proxy that it offers itself, and offers the next transport.
    ['in-band', ['--no-direct'], 100_000],
    ['in-band', ['--no-direct', '--no-proxy'], 100_000],
  ])('sends to us: %s %j', async (method, options, size) => {
    const file = await makeFile('theirs.bin', size);
    const receiver = await receive(['--from', address('alice'), '--dir', 'in', '--once', ...options]);
    const [, jid = ''] = /waiting for files as (\S+)/.exec(receiver.stderr()) ?? [];
    await theirs().cli(['file', 'send', file, jid]);
    const received = await receiver.finished;
    expect(received).toMatchObject({ code: 0 });
    const columns = received.stdout.trimEnd().split('\t');
    expect([columns[0], ...columns.slice(2, 6)]).toEqual([
      'in/theirs.bin',
      String(size),
      method,
      'verified',
      `sha-256:${await hashOf(file)}`,
    ]);
    expect(await hashOf(at('in/theirs.bin'))).toBe(await hashOf(file));
  });

  it.skipIf(!hasLibervia).each([
    ['direct', ['--no-proxy'], 3_000_000],
    ['proxy', ['--no-direct'], 3_000_000],
    ['in-band', ['--no-direct', '--no-proxy'], 100_000],
    ['in-band', ['--transport', 'ibb'], 100_000],
  ])('takes from us: %s %j', async (method, options, size) => {
    const file = await makeFile('ours.bin', size);
    const receiving = theirs().cli(['file', 'receive', '-f', '--path', at('.'), address('bob')]);
    const sender = startSend(['--name', 'taken.bin', file, address('alice'), '--no-upload', ...options]);
    const [sent] = await Promise.all([sender.finished, receiving]);
    expect(sent).toMatchObject({ code: 0 });
    // It knows no <received/>, and says success even where the hash is wrong.
    expect(sent.stdout.trimEnd().split('\t').slice(2, 5)).toEqual([String(size), method, 'unverified']);
    expect((await readFile(at('taken.bin'))).equals(await readFile(file))).toBe(true);
  });
});
