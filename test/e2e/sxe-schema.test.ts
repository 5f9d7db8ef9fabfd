/** A session that is kept to a schema, by processes, on both servers. */
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it, vi } from 'vitest';
import { environmentOf } from '../support/as-account.js';
import { runXmppctl, startXmppctl, type Running } from '../support/run-xmppctl.js';
import { describeOnEachServer } from '../support/servers.js';
import { useTemporaryHome } from '../support/temporary-home.js';
import { BY_RNG, BY_XSD } from '../unit/sxe/minutes-schemas.js';

describeOnEachServer('xmppctl sxe with a schema', (server) => {
  const home = useTemporaryHome();
  const options = (as: string) => ({ env: environmentOf(server.sandbox, as) });
  const room = (name: string): string => `${name}@${server.sandbox.addresses.muc}`;
  const says = (file: string, text: string) =>
    vi.waitFor(async () => expect((await readFile(file, 'utf8')).trim()).toBe(text), { timeout: 30_000 });
  const interrupt = async (...processes: Running[]): Promise<void> => {
    for (const one of processes) {
      one.child.kill('SIGINT');
      expect((await one.finished).code).toBe(130);
    }
  };

  it.each([
    ['minutes.rng', BY_RNG],
    ['minutes.xsd', BY_XSD],
  ])('corrects what others do, and does not send what is not valid itself, by %s', async (name, schema) => {
    const schemaFile = await home.write(name, schema);
    const mine = await home.write('a.xml', '<doc><p>one</p></doc>');
    const theirs = path.join(path.dirname(mine), `theirs-${name}.xml`);
    const where = room(name.replace('.', '-'));
    const sharing = startXmppctl(
      ['sxe', 'share', mine, where, '--live', '--json', '--schema', schemaFile],
      options('alice'),
    );
    await sharing.waitFor('stdout', /"event":"shared"/);
    const joined = startXmppctl(['sxe', 'join', where, '--live', theirs, '--json'], options('bob'));
    await says(theirs, '<doc><p>one</p></doc>');

    await writeFile(theirs, '<doc><p>one</p><p>two</p><q/></doc>\n');
    await sharing.waitFor('stdout', /"event":"corrected"/);
    await says(theirs, '<doc><p>one</p><p>two</p></doc>');
    await says(mine, '<doc><p>one</p><p>two</p></doc>');
    await joined.waitFor('stderr', /alice has taken back what is not valid: .*q/);

    await writeFile(mine, '<doc>\n<p>one</p>\n<r/>\n</doc>\n');
    await sharing.waitFor('stderr', /not sent: not valid: line 3: .*r/);
    await writeFile(theirs, '<doc><p>one</p><p>two</p><p>three</p></doc>\n');
    await sharing.waitFor('stdout', /"event":"changed"[^]*"event":"changed"/);
    expect(await readFile(mine, 'utf8')).toContain('<r/>');
    expect(await readFile(theirs, 'utf8')).not.toContain('<r/>');
    await interrupt(joined, sharing);
  });

  it('refuses a schema that is none, and a document that is not valid', async () => {
    const bad = await home.write('bad.xml', '<doc>\n<q/></doc>');
    const schemaFile = await home.write('minutes.rng', BY_RNG);
    const refused = await runXmppctl(
      ['sxe', 'share', bad, room('x'), '--schema', schemaFile],
      options('alice'),
    );
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toMatch(/bad\.xml is not valid: line 2: [^\n]*q[^\n]*\n$/);
    const none = await runXmppctl(['sxe', 'share', bad, room('x'), '--schema', bad], options('alice'));
    expect(none).toMatchObject({ code: 7, stdout: '' });
    expect(none.stderr).toContain('it is neither RELAX NG (in its XML syntax) nor an XML Schema');
    const missing = await runXmppctl(['sxe', 'join', room('x'), '--schema', `${bad}.rng`], options('alice'));
    expect(missing).toMatchObject({ code: 7, stdout: '' });
  });

  it('is kept by a host, and by an editor whose text is not lost', async () => {
    const schemaFile = await home.write('minutes.rng', BY_RNG);
    const file = await home.write('a.xml', '<doc><p>one</p></doc>');
    const folder = path.join(path.dirname(file), 'kept');
    const where = room('kept-valid');
    const host = startXmppctl(
      ['sxe', 'host', folder, where, file, '--nick', 'keeper', '--json', '--schema', schemaFile],
      options('alice'),
    );
    await host.waitFor('stdout', /"event":"hosting"/);
    const editWith = async (command: string, ...more: string[]) => {
      const editor = await home.write('editor.sh', `sed -i '${command}' "$1"\n`);
      const env = {
        ...environmentOf(server.sandbox, 'bob'),
        EDITOR: `sh ${editor}`,
        TMPDIR: path.dirname(file),
      };
      return runXmppctl(['sxe', 'edit', where, ...more], { env });
    };
    expect(await editWith('s,</doc>,<q/></doc>,')).toMatchObject({ code: 0 });
    await host.waitFor('stdout', /"event":"corrected"/);
    const edited = await editWith('s,</doc>,<q>mine</q></doc>,', '--schema', schemaFile);
    expect(edited.code).toBe(1);
    const [, kept = ''] = /not sent: not valid: [^]*your text is in ([^)]+)/.exec(edited.stderr) ?? [];
    expect(await readFile(kept, 'utf8')).toContain('<q>mine</q>');
    expect((await runXmppctl(['sxe', 'export', where], options('bob'))).stdout).toBe(
      '<doc><p>one</p></doc>\n',
    );
    await interrupt(host);
  });
});
