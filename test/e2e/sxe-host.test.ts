/** A host that is killed and started again, as an account and as a component, on both servers. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it, vi } from 'vitest';
import { environmentOf } from '../support/as-account.js';
import { runXmppctl, startXmppctl, type Running } from '../support/run-xmppctl.js';
import { describeOnEachServer } from '../support/servers.js';
import { useTemporaryHome } from '../support/temporary-home.js';

describeOnEachServer('xmppctl sxe host', (server) => {
  const home = useTemporaryHome();
  const options = (as: string) => ({ env: environmentOf(server.sandbox, as) });
  const asComponent = () => {
    const { sandbox } = server;
    return {
      env: {
        XMPPCTL_PASSWORD: sandbox.componentSecret,
        XMPPCTL_SERVICE: `xmpp://${sandbox.host}:${sandbox.ports.component}`,
      },
      args: ['--component', sandbox.addresses.component],
    };
  };
  const room = (name: string): string => `${name}@${server.sandbox.addresses.muc}`;
  const host = (kind: 'account' | 'component', ...args: string[]): Running => {
    const { env, args: before } =
      kind === 'component' ? asComponent() : { ...options('alice'), args: [] as string[] };
    return startXmppctl([...before, 'sxe', 'host', ...args, '--nick', 'keeper', '--json'], { env });
  };
  const kill = async (one: Running): Promise<void> => {
    one.child.kill('SIGKILL');
    await one.finished;
  };
  const interrupt = async (one: Running): Promise<void> => {
    one.child.kill('SIGINT');
    expect((await one.finished).code).toBe(130);
  };
  const exported = async (where: string): Promise<string> =>
    (await runXmppctl(['sxe', 'export', where, '--nick', 'reader'], options('bob'))).stdout;

  it.each(['account', 'component'] as const)(
    'outlives being killed, as %s',
    async (kind) => {
      const file = await home.write('a.xml', '<doc><p>one</p><q/></doc>');
      const folder = path.join(path.dirname(file), `kept-${kind}`);
      const live = path.join(path.dirname(file), `live-${kind}.xml`);
      const where = room(`hosted-${kind}`);
      const says = (text: string) =>
        vi.waitFor(async () => expect(await readFile(live, 'utf8')).toContain(text), { timeout: 20_000 });
      const change = async (from: string, to: string): Promise<void> =>
        writeFile(live, (await readFile(live, 'utf8')).replace(from, to));

      const first = host(kind, folder, where, file, '--name', 'minutes');
      await first.waitFor('stdout', /"event":"hosting"/);
      const joined = startXmppctl(['sxe', 'join', where, '--live', live, '--json'], options('bob'));
      await says('one');
      await change('one', 'one two');
      await first.waitFor('stdout', /"event":"changed"/);
      await kill(first);
      await change('two', 'two three');
      await joined.waitFor('stdout', /"event":"sent"[^]*"event":"sent"/);

      const second = host(kind, folder, where);
      // What was written without it comes from who has it.
      await second.waitFor('stdout', /"event":"changed"/);
      await change('<q/>', '<q>four</q>');
      await second.waitFor('stdout', /"event":"changed"[^]*"event":"changed"/);
      await interrupt(joined);
      await kill(second);

      // Nobody is there any more.
      const third = host(kind, folder, where);
      await third.waitFor('stdout', /"event":"hosting"/);
      expect(await exported(where)).toBe('<doc><p>one two three</p><q>four</q></doc>\n');
      expect(await readdir(folder)).toHaveLength(1);
      await interrupt(third);
    },
    120_000,
  );

  it('takes a session of others into its keeping, and no second document into a folder', async () => {
    const file = await home.write('a.xml', '<doc>theirs</doc>');
    const folder = path.join(path.dirname(file), 'kept');
    const where = room('taken');
    const sharing = startXmppctl(['sxe', 'share', file, where], options('bob'));
    await sharing.waitFor('stdout', /shared\t/);
    const keeping = host('account', folder, where);
    await keeping.waitFor('stdout', /"event":"hosting"/);
    await interrupt(sharing);
    expect(await exported(where)).toBe('<doc>theirs</doc>\n');
    await interrupt(keeping);
    expect(await host('account', folder, where, file).finished).toMatchObject({ code: 2, stdout: '' });
    expect(await host('account', path.join(folder, 'other'), where).finished).toMatchObject({
      code: 5,
      stdout: '',
    });
    expect(await host('account', file, where).finished).toMatchObject({ code: 7, stdout: '' });
  }, 60_000);
});
