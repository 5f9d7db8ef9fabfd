/** A disk that is full while `trace proxy` records: what it passes goes on, and the recording says what is missing. */
import { mkdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { environmentOf } from '../support/as-account.js';
import { hasProgram } from '../support/has-program.js';
import { runXmppctl, startXmppctl } from '../support/run-xmppctl.js';
import { describeOnEachServer } from '../support/servers.js';
import { useTemporaryHome } from '../support/temporary-home.js';

/** A small disk of its own, with 48 kB of room. */
const onSmallDisk = `mount -t tmpfs -o size=256k none "$1" && head -c 212992 /dev/zero > "$1/filler" && shift && exec "$@"`;

/** Root may mount by itself, and could not read the files of a server's user in a namespace of users. */
const asMounter = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user'];

describeOnEachServer('trace proxy on a full disk', (server) => {
  const home = useTemporaryHome();
  const address = (name: string): string => `${name}@${server.sandbox.domain}`;

  it.skipIf(!hasProgram('unshare'))(
    'passes on what it cannot record, and marks the gap when there is room again (needs unshare)',
    async () => {
      const { sandbox } = server;
      const place = path.join(home.dir, 'disk');
      await mkdir(place);
      const proxy = startXmppctl(
        [
          ...['trace', 'proxy', '--listen', '127.0.0.1:0', '--ca', sandbox.caFile, '--no-show'],
          ...['--to', `${sandbox.host}:${sandbox.ports.c2s}`, '--domain', sandbox.domain],
          ...['--strip-channel-binding', `--trace=${place}/a.trace`],
        ],
        {
          env: { ...home.env },
          input: '',
          prefix: ['unshare', ...asMounter, '--mount', 'sh', '-c', onSmallDisk, 'sh', place],
        },
      );
      onTestFinished(() => void proxy.child.kill('SIGKILL'));
      const [, port = '', ca = ''] = await proxy.waitFor('stderr', /listening on \S+:(\d+) for .* in (.*)\n/);
      // The disk of the proxy, as it is seen from here.
      const disk = `/proc/${proxy.child.pid}/root${place}`;
      const send = async (input: string): Promise<void> => {
        const sent = await runXmppctl(['send', address('alice'), '--per-line'], {
          env: {
            ...environmentOf(sandbox, 'alice'),
            XMPPCTL_SERVICE: `xmpp://127.0.0.1:${port}`,
            XMPPCTL_CA: ca,
          },
          input,
        });
        expect(sent).toMatchObject({ code: 0, stderr: '' });
      };
      await send(Array.from({ length: 60 }, (_, index) => `line ${index} ${'x'.repeat(2000)}\n`).join(''));
      await proxy.waitFor('stderr', /warning: the trace is incomplete: .*no space left on the disk/);
      await rm(path.join(disk, 'filler'));
      await send('there is room again\n');
      await expect.poll(() => readFile(`${disk}/a.trace`, 'utf8'), { timeout: 20_000 }).toMatch(/room again/);
      const shown = await runXmppctl(['trace', 'show', `${disk}/a.trace`], { env: { ...home.env } });
      expect(shown).toMatchObject({ code: 0 });
      expect(shown.stdout).toMatch(/^\* records? \d+.* missing: no space left on the disk$/m);
      expect(shown.stdout).toContain('there is room again');
      const lines = (await readFile(`${disk}/a.trace`, 'utf8')).trimEnd().split('\n');
      // From the first record to the last each is there, or in a gap.
      let next = 1;
      for (const line of lines.slice(1)) {
        const record = JSON.parse(line) as { kind: string; n?: number; from?: number; to?: number };
        expect(record.n ?? record.from).toBe(next);
        next = (record.n ?? record.to ?? 0) + 1;
      }
      proxy.child.kill('SIGINT');
      expect(await proxy.finished).toMatchObject({ code: 0 });
    },
    60_000,
  );
});
