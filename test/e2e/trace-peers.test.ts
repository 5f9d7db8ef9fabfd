/** Programs that are not ours and know nothing of a proxy or a trace: profanity through `trace proxy`, tshark on a capture. */
import { spawn as spawnTerminal } from '@lydell/node-pty';
import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';
import type { Message } from '../../src/lib/messaging/message.js';
import { environmentOf } from '../support/as-account.js';
import { hasProgram } from '../support/has-program.js';
import { runXmppctl, startXmppctl } from '../support/run-xmppctl.js';
import { describeOnEachServer } from '../support/servers.js';
import { useTemporaryHome } from '../support/temporary-home.js';

const run = promisify(execFile);
const TIMEOUT_MS = 90_000;

describeOnEachServer('trace, with programs of others', (server) => {
  const home = useTemporaryHome();
  const address = (name: string): string => `${name}@${server.sandbox.domain}`;

  it.skipIf(!hasProgram('profanity') || !hasProgram('openssl'))(
    'profanity logs in through the proxy and sends a message (needs profanity and openssl)',
    async () => {
      const { sandbox } = server;
      const listener = startXmppctl(
        ['listen', '--verbose', '--json', '--from', address('alice'), '--count', '1'],
        {
          env: environmentOf(sandbox, 'bob'),
          input: '',
        },
      );
      onTestFinished(() => void listener.child.kill('SIGKILL'));
      await listener.waitFor('stderr', /listening as/);
      const trace = path.join(home.dir, 'profanity.trace');
      const proxy = startXmppctl(
        [
          ...['trace', 'proxy', '--listen', '127.0.0.1:0', '--ca', sandbox.caFile, '--once', '--no-show'],
          ...['--to', `${sandbox.host}:${sandbox.ports.c2s}`, '--domain', sandbox.domain],
          ...['--strip-channel-binding', `--trace=${trace}`],
        ],
        { env: { ...home.env }, input: '' },
      );
      onTestFinished(() => void proxy.child.kill('SIGKILL'));
      const [, port = '', ca = ''] = await proxy.waitFor(
        'stderr',
        /listening on 127\.0\.0\.1:(\d+) for \S+; clients have to trust the authority in (.*)\n/,
      );
      const account = sandbox.accounts['alice'];
      const profanity = await startProfanity(home.dir, {
        jid: address('alice'),
        password: account?.password ?? '',
        port,
        ca,
      });
      await profanity.waitFor(/logged in successfully/);
      profanity.type(`/msg ${address('bob')} from profanity`);
      const { stdout } = await listener.finished;
      expect((JSON.parse(stdout) as Message).body).toBe('from profanity');
      profanity.type('/quit');
      await profanity.ended;
      expect(await proxy.finished).toMatchObject({ code: 0 });
      const shown = await runXmppctl(['trace', 'show', trace, '--kind', 'message', '--dir', 'out'], {
        env: { ...home.env },
      });
      expect(shown.stdout).toContain('from profanity');
      expect(shown.stdout).not.toContain(account?.password);
    },
    TIMEOUT_MS,
  );

  it.skipIf(!hasProgram('tshark'))(
    'tshark reads a capture of a session as XMPP (needs tshark)',
    async () => {
      const trace = path.join(home.dir, 'ping.trace');
      const capture = path.join(home.dir, 'ping.pcapng');
      const pinged = await runXmppctl(['ping', `--trace=${trace}`], {
        env: environmentOf(server.sandbox, 'alice'),
      });
      expect(pinged).toMatchObject({ code: 0 });
      const exported = await runXmppctl(['trace', 'export', trace, '--format', 'pcapng', '-o', capture], {
        env: { ...home.env },
      });
      expect(exported).toMatchObject({ code: 0, stderr: '' });
      const tshark = async (...args: string[]): Promise<string> => {
        const options = ['-o', 'tcp.check_checksum:TRUE', '-o', 'ip.check_checksum:TRUE'];
        // It keeps its settings in the home folder, and does not like to be root.
        const { stdout } = await run('tshark', ['-n', '-r', capture, ...options, ...args], {
          env: { PATH: process.env['PATH'], HOME: home.dir },
        });
        return stdout;
      };
      expect(await tshark('-Y', 'xmpp.iq')).toMatch(/XMPP\/XML.* IQ\(get\) PING/);
      expect(await tshark('-Y', 'xmpp.auth')).toContain('AUTH');
      const wrong = 'tcp.analysis.flags or tcp.checksum.status == 0 or ip.checksum.status == 0';
      expect(await tshark('-Y', wrong)).toBe('');
    },
    TIMEOUT_MS,
  );
});

interface Profanity {
  waitFor(pattern: RegExp): Promise<void>;
  /** A line of input. */
  type(line: string): void;
  ended: Promise<void>;
}

/** Starts it in a terminal, with everything that it keeps in a folder of its own. */
async function startProfanity(
  folder: string,
  { jid, password, port, ca }: { jid: string; password: string; port: string; ca: string },
): Promise<Profanity> {
  const certificates = path.join(folder, 'certificates');
  const data = path.join(folder, 'data');
  const config = path.join(folder, 'config');
  for (const each of [certificates, path.join(data, 'profanity'), path.join(config, 'profanity')])
    await mkdir(each, { recursive: true });
  await run('cp', [ca, path.join(certificates, 'proxy.pem')]);
  // OpenSSL finds the authorities in a folder by the hash of their names.
  await run('openssl', ['rehash', certificates]);
  await writeFile(
    path.join(data, 'profanity/accounts'),
    `[proxied]\nenabled=true\njid=${jid}\nserver=127.0.0.1\nport=${port}\npassword=${password}\ntls.policy=force\nresource=profanity\n`,
    { mode: 0o600 },
  );
  await writeFile(
    path.join(config, 'profanity/profrc'),
    `[connection]\ntls.certpath=${certificates}\n[notifications]\nmessage=false\n`,
  );
  const terminal = spawnTerminal('profanity', ['--account', 'proxied'], {
    cols: 160,
    rows: 40,
    env: {
      ...{ PATH: process.env['PATH'], HOME: folder, LANG: 'C.UTF-8', TERM: 'xterm' },
      ...{ XDG_DATA_HOME: data, XDG_CONFIG_HOME: config, XDG_CACHE_HOME: path.join(folder, 'cache') },
    },
  });
  let printed = '';
  const watchers = new Set<() => void>();
  terminal.onData((text) => {
    printed += text;
    for (const watch of [...watchers]) watch();
  });
  const ended = new Promise<void>((resolve) => terminal.onExit(() => resolve()));
  onTestFinished(() => terminal.kill('SIGKILL'));
  return {
    ended,
    type: (line) => terminal.write(`${line}\r`),
    waitFor: (pattern) =>
      new Promise((resolve, reject) => {
        const watch = (): void => {
          if (!pattern.test(printed)) return;
          watchers.delete(watch);
          resolve();
        };
        watchers.add(watch);
        watch();
        void ended.then(() => reject(new Error(`profanity ended: ${printed.slice(-2000)}`)));
      }),
  };
}
