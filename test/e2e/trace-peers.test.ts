/** Programs that are not ours and know nothing of a proxy or a trace: profanity through `trace proxy`, tshark on a capture. */
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';
import type { Message } from '../../src/lib/messaging/message.js';
import { environmentOf } from '../support/as-account.js';
import { hasProgram } from '../support/has-program.js';
import { startProfanity } from '../support/profanity.js';
import { runXmppctl, startXmppctl } from '../support/run-xmppctl.js';
import { describeOnEachServer } from '../support/servers.js';
import { useTemporaryHome } from '../support/temporary-home.js';
import { recordOne } from '../support/trace-listeners.js';

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
      const proxy = await recordOne(sandbox, home, trace);
      const account = sandbox.accounts['alice'];
      const profanity = await startProfanity(home.dir, {
        jid: address('alice'),
        password: account?.password ?? '',
        port: proxy.port,
        caFile: proxy.ca,
      });
      await profanity.waitFor(/logged in successfully/);
      profanity.type(`/msg ${address('bob')} from profanity`);
      const { stdout } = await listener.finished;
      expect((JSON.parse(stdout) as Message).body).toBe('from profanity');
      profanity.type('/quit');
      await profanity.ended;
      expect(await proxy.running.finished).toMatchObject({ code: 0 });
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
