/** What goes wrong with real servers, and on the way to them: the documented exit code, one clear line, and no hanging. */
import { spawn as spawnTerminal } from '@lydell/node-pty';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { JID } from '../../src/lib/jid/jid.js';
import { xml } from '../../src/lib/xml/element.js';
import { environmentOf } from '../support/as-account.js';
import { startMeddlingProxy, type Meddling } from '../support/meddling-proxy.js';
import { runXmppctl, startXmppctl, type Finished, type Running } from '../support/run-xmppctl.js';
import { connectAccount } from '../support/sandbox-session.js';
import { describeOnEachServer } from '../support/servers.js';

const binary = path.join(path.dirname(fileURLToPath(import.meta.url)), '../../bin/xmppctl.js');

function expectOneLine({ code, signal, stdout, stderr }: Finished, expected: number, message: RegExp): void {
  expect({ code, signal, stdout, lines: stderr.split('\n').length, stderr }).toEqual({
    code: expected,
    signal: null,
    stdout: '',
    lines: 2,
    stderr: expect.stringMatching(/^xmppctl: \S.*\n$/) as string,
  });
  expect(stderr).toMatch(message);
}

describeOnEachServer('a fault', (server) => {
  const address = (name: string): string => `${name}@${server.sandbox.domain}`;
  const env = (name = 'alice', more: Record<string, string> = {}): Record<string, string> => ({
    ...environmentOf(server.sandbox, name),
    ...more,
  });
  const run = (args: string[], more?: Record<string, string>): Promise<Finished> =>
    runXmppctl(args, { env: env('alice', more) });
  const meddle = (meddling: Meddling) =>
    startMeddlingProxy({ host: server.sandbox.host, port: server.sandbox.ports.c2s }, meddling);
  const through = ({ port }: { port: number }) => ({ XMPPCTL_SERVICE: `xmpp://127.0.0.1:${port}` });

  it('of the password: nothing of it is shown', async () => {
    const finished = await run(['send', address('bob'), 'hello'], { XMPPCTL_PASSWORD: 'not-the-password' });
    expectOneLine(finished, 4, /alice@.* could not log in with SCRAM-.*not-authorized.*check/);
    expect(finished.stderr).not.toContain('not-the-password');
  });

  it('of the account: it does not exist', async () => {
    const finished = await run(['ping'], { XMPPCTL_JID: address('nobody') });
    expectOneLine(finished, 4, /nobody@.* could not log in/);
  });

  it('of the domain: the server serves another', async () => {
    const finished = await run(['ping'], { XMPPCTL_JID: 'alice@elsewhere.localhost' });
    expectOneLine(finished, 5, /host-unknown.*does not serve this domain/);
  });

  it('of the port: TLS is spoken to a port that begins in plain', async () => {
    const service = server.sandbox.services.starttls.replace('xmpp:', 'xmpps:');
    expect((await run(['ping'], { XMPPCTL_SERVICE: service })).code).toBe(3);
  });

  it('of a man in the middle who takes STARTTLS away: nothing secret is sent', async () => {
    await using proxy = await meddle({
      change: (features) => features.replace(/<starttls.*?<\/starttls>|<starttls[^>]*\/>/s, ''),
    });
    const finished = await run(['send', address('bob'), 'hello'], through(proxy));
    expectOneLine(finished, 3, /TLS/);
    expect(proxy.clientText).toContain('<stream:stream');
    expect(proxy.clientText).not.toMatch(/<auth|alice/);
  });

  it('of a man in the middle who offers PLAIN without TLS: nothing secret is sent', async () => {
    const plain =
      "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms>";
    await using proxy = await meddle({
      change: (features) => features.replace(/<starttls.*?<\/starttls>|<starttls[^>]*\/>/s, plain),
    });
    expectOneLine(await run(['ping'], through(proxy)), 3, /TLS/);
    expect(proxy.clientText).not.toMatch(/<auth|alice/);
  });

  // Parts of what an honest server says from the first header to the answer.
  const parts = [0.02, 0.1, 0.3, 0.5, 0.7, 0.85];
  let honestBytes: Promise<number> | undefined;
  const bytesOf = async (part: number): Promise<number> => {
    honestBytes ??= (async () => {
      await using proxy = await meddle({});
      expect(await run(['ping', '-q'], through(proxy))).toMatchObject({ code: 0 });
      return proxy.serverBytes;
    })();
    return Math.max(1, Math.floor((await honestBytes) * part));
  };

  it.concurrent.each(parts)(
    'of the line: it is cut in the middle of a stanza, %d of the way',
    async (part) => {
      await using proxy = await meddle({ afterBytes: await bytesOf(part), then: 'cut' });
      expectOneLine(await run(['ping'], through(proxy)), 3, /lost|closed|connect/);
    },
  );

  it.concurrent.each(parts)('of the server: it says nothing more, %d of the way', async (part) => {
    await using proxy = await meddle({ afterBytes: await bytesOf(part) });
    expectOneLine(await run(['ping', '--timeout', '2'], through(proxy)), 6, /2 s/);
  });

  it.concurrent.each(parts)('of the patience of the user, who presses Ctrl-C %d of the way', async (part) => {
    await using proxy = await meddle({ afterBytes: await bytesOf(part) });
    const running = startXmppctl(['ping'], { env: env('alice', through(proxy)), input: '' });
    await proxy.happened;
    running.child.kill('SIGINT');
    expect(await running.finished).toEqual({ code: 130, signal: null, stdout: '', stderr: '' });
  });

  it('of a server that hangs after the login', async () => {
    const pinging = startXmppctl(['ping', '--count', '0', '--interval', '0.05', '--timeout', '2'], {
      env: env(),
      input: '',
    });
    await pinging.waitFor('stdout', /seq=2/);
    server.sandbox.signal('SIGSTOP');
    try {
      // Without an answer it goes on, as ping does; so somebody has to end it.
      await pinging.waitFor('stdout', /no answer/);
      pinging.child.kill('SIGINT');
      const { code, stderr } = await pinging.finished;
      expect({ code, stderr }).toEqual({ code: 130, stderr: '' });
      expectOneLine(await run(['ping', '--timeout', '2']), 6, /2 s/);
    } finally {
      server.sandbox.signal('SIGCONT');
    }
  });

  it('of two who want the same resource: the first is told so, and does not fight', async () => {
    const jid = { XMPPCTL_JID: `${address('carol')}/desk` };
    const first = startXmppctl(['listen', '--verbose'], { env: env('carol', jid), input: '' });
    await first.waitFor('stderr', /listening as/);
    const second = await runXmppctl(['listen', '--until', '1s'], { env: env('carol', jid) });
    expect(second).toMatchObject({ code: 0, stderr: '' });
    const { code, stdout, stderr } = await first.finished;
    expect({ code, stdout }).toEqual({ code: 5, stdout: '' });
    expect(stderr.trimEnd().split('\n').at(-1)).toMatch(/^xmppctl: .*conflict/);
  });

  it('of a message that is too large for the server', async () => {
    const running = startXmppctl(['send', address('bob')], {
      env: env(),
      input: 'x'.repeat(3_000_000),
    });
    expectOneLine(await running.finished, 5, /policy-violation.*too big/);
  });

  it('of a liar who answers in the place of another', async () => {
    await using carol = await connectAccount(server.sandbox, 'carol');
    await using bob = await connectAccount(server.sandbox, 'bob');
    const question = { type: 'get', name: 'truth', namespace: 'urn:example:truth' } as const;
    bob.respond(question, async ({ iq, from }) => {
      const id = String(iq.attrs['id']);
      const lie = xml('truth', { xmlns: question.namespace, is: 'a lie' });
      await carol.send(xml('iq', { type: 'result', id, to: from.toString() }, lie));
      // When this is answered the lie is on its way: a server handles what one client sends in order.
      await carol.request({ type: 'get', payload: xml('query', { xmlns: 'jabber:iq:roster' }) });
      return xml('truth', { xmlns: question.namespace, is: 'the truth' });
    });
    const to = bob.jid.toString();
    const { code, stdout } = await run([
      'raw',
      `<iq type="get" id="guessed" to="${to}"><truth xmlns="urn:example:truth"/></iq>`,
    ]);
    expect(code).toBe(0);
    expect(stdout).toContain('is="the truth"');
    expect(stdout).not.toContain('a lie');
  });

  it('of the terminal: a message cannot drive it', async () => {
    const { PATH = '' } = process.env;
    const args = [binary, 'listen', '--verbose', '--count', '1', '--from', address('carol')];
    const terminal = spawnTerminal(process.execPath, args, {
      env: { PATH, TERM: 'xterm', NO_COLOR: '1', HOME: '/nonexistent', ...env('bob') },
      cols: 200,
    });
    let shown = '';
    const isListening = new Promise<void>((resolve) => {
      terminal.onData((data) => {
        shown += data;
        if (shown.includes('listening as')) resolve();
      });
    });
    const ended = new Promise<number>((resolve) => terminal.onExit(({ exitCode }) => resolve(exitCode)));
    await isListening;
    await using carol = await connectAccount(server.sandbox, 'carol');
    const body = xml('body', {}, 'red \u009b31m alert \u0085 \u202eevil');
    await carol.send(xml('message', { to: JID.parse(address('bob')).toString(), type: 'chat' }, body));
    expect(await ended).toBe(0);
    const line = shown.slice(shown.indexOf('carol@'));
    expect(line).toContain('evil');
    expect(line).not.toMatch(/[\u0080-\u009f\u202e]/);
  });

  it('of the disk: it is full where the report of send should go', async () => {
    const full = await open('/dev/full', 'w');
    try {
      const child = spawn(process.execPath, [binary, 'send', address('bob'), 'hello', '--json'], {
        env: { PATH: process.env['PATH'], HOME: '/nonexistent', ...env() },
        stdio: ['ignore', full.fd, 'pipe'],
      });
      const [stderr, [code]] = await Promise.all([
        text(child.stderr as NodeJS.ReadableStream),
        once(child, 'close') as Promise<[number]>,
      ]);
      expect({ code, stderr }).toEqual({
        code: 7,
        stderr: `${JSON.stringify({
          error: { name: 'FileError', message: 'cannot write the results: the disk is full', exitCode: 7 },
        })}\n`,
      });
    } finally {
      await full.close();
    }
  });

  it('of the reader, who has gone before send reports', async () => {
    const running = startXmppctl(['send', address('bob'), '--json'], { env: env() });
    running.child.stdout.destroy();
    running.child.stdin.end('hello');
    expect(await running.finished).toMatchObject({ code: 0, stderr: '' });
  });

  it('of the environment: nobody is there to ask for the password', async () => {
    const { XMPPCTL_PASSWORD: _left, ...without } = env();
    const finished = await runXmppctl(['ping'], { env: without });
    expectOneLine(finished, 2, /--password-file|XMPPCTL_PASSWORD/);
  });

  // The last two end the server.

  it('of a server that is shut down: it says so, and so do we', async () => {
    const pinging = await startPinging();
    await server.sandbox.shutDown();
    const { code, stderr } = await pinging.finished;
    expect([3, 5]).toContain(code);
    expect(stderr).toMatch(/^xmppctl: \S.*\n$/);
    await server.sandbox.restart();
  });

  it('of a server that is killed', async () => {
    const pinging = await startPinging();
    server.sandbox.signal('SIGKILL');
    const { code, stderr } = await pinging.finished;
    expect(code).toBe(3);
    expect(stderr).toMatch(/^xmppctl: \S.*\n$/);
    await server.sandbox.restart();
  });

  async function startPinging(): Promise<Running> {
    const pinging = startXmppctl(['ping', '--count', '0', '--interval', '0.05'], { env: env(), input: '' });
    await pinging.waitFor('stdout', /seq=2/);
    return pinging;
  }
});

for (const [certificate, words] of [
  ['expired', /expired/],
  ['self-signed', /authority|self-signed|issuer/],
  ['wrong-name', /elsewhere\.localhost/],
] as const) {
  describeOnEachServer(
    `a certificate that is ${certificate}`,
    (server) => {
      it.each(['starttls', 'tls', 'websocket'] as const)('is refused over %s', async (carriage) => {
        const env = {
          ...environmentOf(server.sandbox, 'alice'),
          XMPPCTL_SERVICE: server.sandbox.services[carriage],
        };
        expectOneLine(await runXmppctl(['send', 'bob@sandbox.localhost', 'hello'], { env }), 3, words);
      });
    },
    { certificate },
  );
}

describeOnEachServer(
  'a server that takes PLAIN without TLS',
  (server) => {
    it('is refused before anything secret is sent', async () => {
      const env = environmentOf(server.sandbox, 'alice');
      expectOneLine(await runXmppctl(['ping'], { env }), 3, /TLS/);
    });
  },
  { encryption: 'none', mechanisms: ['PLAIN'] },
);
