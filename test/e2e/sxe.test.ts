/** The commands of `sxe` as processes that edit one document, on both servers. */
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { environmentOf } from '../support/as-account.js';
import { runXmppctl, startXmppctl, type Running } from '../support/run-xmppctl.js';
import { describeOnEachServer } from '../support/servers.js';
import { useTemporaryHome } from '../support/temporary-home.js';

describeOnEachServer('xmppctl sxe', (server) => {
  const home = useTemporaryHome();
  const options = (as: string, input = '') => ({ env: environmentOf(server.sandbox, as), input });
  const run = (args: readonly string[], as = 'alice') => runXmppctl(['sxe', ...args], options(as));
  const start = (args: readonly string[], as = 'alice') => startXmppctl(['sxe', ...args], options(as));
  const sibling = (file: string, name: string): string => path.join(path.dirname(file), name);
  const room = (name: string): string => `${name}@${server.sandbox.addresses.muc}`;
  const read = (file: string) => readFile(file, 'utf8');
  const change = async (file: string, from: string, to: string): Promise<void> =>
    writeFile(file, (await read(file)).replace(from, to));
  const end = async (...processes: Running[]): Promise<void> => {
    for (const one of processes) {
      one.child.kill('SIGINT');
      expect((await one.finished).code).toBe(130);
    }
  };
  /** Until all files say the same, with all of these in it. */
  const converged = async (files: readonly string[], ...words: string[]): Promise<string> => {
    for (const began = Date.now(); ;) {
      const texts = await Promise.all(files.map((file) => read(file).catch(() => '')));
      const [first = ''] = texts;
      if (texts.every((text) => text === first) && words.every((word) => first.includes(word))) return first;
      if (Date.now() - began > 50_000) throw new Error(`they say: ${JSON.stringify(texts)}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };

  it('lets three edit one paragraph, one of them late, and over a restart of the server', async () => {
    const a = await home.write('a.xml', '<doc><p>The quick fox</p><q/></doc>');
    const [b, c] = [sibling(a, 'b.xml'), sibling(a, 'c.xml')];
    const sharing = start(['share', a, room('orchard'), '--live', '--name', 'minutes']);
    await sharing.waitFor('stdout', /shared\t/);
    expect((await run(['list', room('orchard')], 'bob')).stdout).toMatch(/^\S+\tminutes\talice\n$/);
    const second = start(['join', room('orchard'), '--live', b], 'bob');
    await converged([a, b], 'quick');
    await Promise.all([change(a, 'quick', 'quick brown'), change(b, 'fox', 'fox jumps')]);
    expect(await converged([a, b], 'brown', 'jumps')).toBe(
      '<doc><p>The quick brown fox jumps</p><q/></doc>\n',
    );
    const third = start(['join', room('orchard'), '--live', c, '--nick', 'late'], 'bob');
    await converged([a, b, c], 'brown');
    await Promise.all([
      change(a, 'The', 'See the'),
      change(b, 'fox', 'red fox'),
      change(c, '<q/>', '<q>high</q>'),
    ]);
    await converged([a, b, c], 'See the', 'red fox', 'high');
    await server.sandbox.shutDown();
    await Promise.all([
      change(a, 'See', 'Look,'),
      change(b, 'jumps', 'jumps far'),
      change(c, 'high', 'higher'),
    ]);
    await server.sandbox.restart();
    await converged([a, b, c], 'Look, the', 'jumps far', 'higher');
    server.sandbox.signal('SIGKILL');
    await Promise.all([
      change(a, 'Look,', 'Look there,'),
      change(b, 'jumps far', 'jumps very far'),
      change(c, 'higher', 'highest'),
    ]);
    await server.sandbox.restart();
    const last = await converged([a, b, c], 'Look there, the', 'jumps very far', 'highest');
    expect(last).not.toMatch(/^<{7}/m);
    await change(c, 'highest', 'higher still');
    await converged([a, b, c], 'higher still');
    expect((await run(['export', room('orchard'), '--nick', 'reader'], 'bob')).stdout).toBe(await read(a));
    await end(sharing, second, third);
  }, 180_000);

  it('lets two edit without a room', async () => {
    const a = await home.write('a.xml', '<doc>one</doc>');
    const b = sibling(a, 'b.xml');
    const joining = start(['join', server.sandbox.accounts['alice']?.jid ?? '', '--live', b], 'bob');
    await joining.waitFor('stderr', /waiting for a session/);
    const sharing = start([
      'share',
      a,
      '--with',
      server.sandbox.accounts['bob']?.jid ?? '',
      '--live',
      '--json',
    ]);
    await converged([a, b], 'one');
    await change(b, 'one', 'two');
    await converged([a, b], 'two');
    await end(sharing);
    // The session is over with who has begun it.
    expect((await joining.finished).code).toBe(0);
  }, 60_000);

  it('tells who does what, and sends nothing that is no document', async () => {
    const file = await home.write('a.xml', '<doc><p a="1">one</p></doc>');
    const sharing = start(['share', file, '--room', room('watched'), '--live', '--json']);
    await sharing.waitFor('stdout', /"event":"shared"/);
    const watching = start(['watch', room('watched'), '--count', '1', '--json', '-v'], 'bob');
    await sharing.waitFor('stdout', /"event":"joined"/);
    await watching.waitFor('stderr', /watching as/);
    await change(file, 'one', 'one and two');
    const { code, stdout } = await watching.finished;
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      sender: 'alice',
      edit: { kind: 'set', chdata: ' and two', version: 1 },
      outcome: { kind: 'applied' },
    });
    const history = (await run(['history', room('watched'), '--json'], 'bob')).stdout.trim().split('\n');
    expect(history.map((line) => JSON.parse(line) as object)).toMatchObject([
      { path: '/doc[1]' },
      { path: '/doc[1]/p[1]' },
      { path: '/doc[1]/p[1]/@a', text: '1' },
      { path: '/doc[1]/p[1]/text()[1]', text: 'one and two', creator: 'alice', version: 1 },
    ]);
    await writeFile(file, '<doc><p>broken');
    await sharing.waitFor('stderr', /not sent: not well-formed XML/);
    expect(await read(file)).toBe('<doc><p>broken');
    await writeFile(file, '<doc><p a="1">mended</p></doc>');
    await sharing.waitFor('stdout', /"event":"sent"[^]*"event":"sent"/);
    expect((await run(['export', room('watched')], 'bob')).stdout).toBe('<doc><p a="1">mended</p></doc>\n');
    await end(sharing);
  }, 60_000);

  it('opens the document in an editor', async () => {
    const file = await home.write('a.xml', '<doc>one</doc>');
    const sharing = start(['share', file, room('edited'), '--live']);
    await sharing.waitFor('stdout', /shared\t/);
    const editor = await home.write('editor.sh', 'sed -i s/one/edited/ "$1"\n');
    const edited = await runXmppctl(['sxe', 'edit', room('edited')], {
      ...options('bob'),
      env: { ...environmentOf(server.sandbox, 'bob'), EDITOR: `sh ${editor}` },
    });
    expect(edited).toMatchObject({ code: 0, stdout: '', stderr: '' });
    await converged([file], 'edited');
    await end(sharing);
  }, 60_000);

  it('says so when what was left by the editor cannot be sent, and keeps it', async () => {
    const file = await home.write('a.xml', '<doc>one</doc>');
    const sharing = start(['share', file, room('unsent'), '--live']);
    await sharing.waitFor('stdout', /shared\t/);
    for (const [script, reason] of [
      ['printf "<doc>half" > "$1"', /not sent: not well-formed XML: .*\(your text is in (\S+)\)\n/],
      [': > "$1"', /not sent: the file is empty, or gone \(your text is in (\S+)\)\n/],
    ] as const) {
      const editor = await home.write('editor.sh', `${script}\n`);
      const env = {
        ...environmentOf(server.sandbox, 'bob'),
        EDITOR: `sh ${editor}`,
        TMPDIR: path.dirname(file),
      };
      const edited = await runXmppctl(['sxe', 'edit', room('unsent')], { env, input: '' });
      expect(edited).toMatchObject({ code: 1, stdout: '' });
      expect(edited.stderr).toMatch(reason);
    }
    expect(await read(file)).toBe('<doc>one</doc>\n');
    await end(sharing);
  }, 60_000);

  it('says so when one may not speak in the room, or not any more', async () => {
    const file = await home.write('a.xml', '<doc>one</doc>');
    const sharing = start(['share', file, room('quiet'), '--live', '--json']);
    await sharing.waitFor('stdout', /"event":"shared"/);
    const joining = start(['join', room('quiet'), '--json'], 'bob');
    await sharing.waitFor('stdout', /"event":"joined"/);
    const form = `<x xmlns="jabber:x:data" type="submit"><field var="FORM_TYPE"><value>http://jabber.org/protocol/muc#roomconfig</value></field>
      <field var="muc#roomconfig_moderatedroom"><value>1</value></field><field var="members_by_default"><value>0</value></field></x>`;
    const set = (query: string) =>
      runXmppctl(['raw', `<iq type="set" to="${room('quiet')}">${query}</iq>`], options('alice'));
    await set(`<query xmlns="http://jabber.org/protocol/muc#owner">${form}</query>`);
    const silence = `<query xmlns="http://jabber.org/protocol/muc#admin"><item nick="bob" role="visitor"/></query>`;
    // Whoever is no occupant may not: the moderator is the process that shares.
    await set(silence);
    const late = await run(['export', room('quiet'), '--nick', 'late'], 'bob');
    expect(late).toMatchObject({ code: 2, stdout: '' });
    expect(late.stderr).toContain(`this account may not speak in ${room('quiet')}`);
    await end(sharing, joining);
  }, 60_000);

  it('refuses what cannot be shared or joined', async () => {
    const file = await home.write('a.xml', '<doc>one</doc>');
    expect(await run(['join', room('nowhere')])).toMatchObject({ code: 5, stdout: '' });
    expect(await run(['share', await home.write('bad.xml', '<doc'), room('x')])).toMatchObject({
      code: 2,
      stdout: '',
    });
    const entities = await home.write('entities.xml', '<!DOCTYPE d [<!ENTITY a "b">]><d>&a;</d>');
    expect(await run(['share', entities, room('x')])).toMatchObject({ code: 2, stdout: '' });
    expect(await run(['share', '/nowhere/at/all', room('x')])).toMatchObject({ code: 7, stdout: '' });
    expect(await run(['share', file])).toMatchObject({ code: 2, stdout: '' });
    expect(await run(['share', file, room('x'), '--room', room('y')])).toMatchObject({ code: 2, stdout: '' });
    const sharing = start(['share', file, room('shared')]);
    await sharing.waitFor('stdout', /shared\t/);
    const other = await home.write('other.xml', 'something else');
    expect(await run(['join', room('shared'), '--live', other], 'bob')).toMatchObject({
      code: 2,
      stderr: `xmppctl: ${other} is there and says something else (--overwrite replaces it)\n`,
    });
    expect(await read(other)).toBe('something else');
    expect((await run(['join', room('shared'), '--session', 'none'], 'bob')).code).toBe(1);
    const more = start(['share', file, room('shared')], 'bob');
    await more.waitFor('stdout', /shared\t/);
    const unclear = await run(['export', room('shared'), '--nick', 'third'], 'bob');
    expect(unclear).toMatchObject({ code: 2, stdout: '' });
    expect(unclear.stderr).toContain('choose one with --session');
    await end(sharing, more);
  }, 60_000);
});
