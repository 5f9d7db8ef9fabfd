/** `trace proxy` between real clients, ours and others, and real servers. */
import { spawn as spawnTerminal } from '@lydell/node-pty';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { connect as connectTls } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import type { Message } from '../../src/lib/messaging/message.js';
import { environmentOf } from '../support/as-account.js';
import { runXmppctl, startXmppctl, type Finished, type Running } from '../support/run-xmppctl.js';
import { describeOnEachServer } from '../support/servers.js';
import { startSlixmpp } from '../support/slixmpp-peer.js';
import { useTemporaryHome } from '../support/temporary-home.js';

const binary = path.join(path.dirname(fileURLToPath(import.meta.url)), '../../bin/xmppctl.js');
const TIMEOUT_MS = 60_000;

describeOnEachServer('trace proxy', (server) => {
  const home = useTemporaryHome();
  const address = (name: string): string => `${name}@${server.sandbox.domain}`;
  const file = (name: string): string => path.join(home.dir, name);

  interface Proxy {
    running: Running;
    port: number;
    ca: string;
  }

  /** Between us and the client port of the server. */
  async function startProxy(...args: string[]): Promise<Proxy> {
    const { sandbox } = server;
    const to = args.includes('--to') ? [] : ['--to', `${sandbox.host}:${sandbox.ports.c2s}`];
    const domain = args.includes('--domain') ? [] : ['--domain', sandbox.domain];
    const running = startXmppctl(
      ['trace', 'proxy', '--listen', '127.0.0.1:0', '--ca', sandbox.caFile, ...to, ...domain, ...args],
      { env: { ...home.env }, input: '' },
    );
    // Gone at the end of a test that fails, too.
    onTestFinished(() => void running.child.kill('SIGKILL'));
    const [, port = '', ca = ''] = await running.waitFor(
      'stderr',
      /listening on 127\.0\.0\.1:(\d+) for \S+; clients have to trust the authority in (.*)\n/,
    );
    return { running, port: Number(port), ca };
  }

  const through = (proxy: Proxy, name: string, scheme = 'xmpp'): Record<string, string> => ({
    ...environmentOf(server.sandbox, name),
    XMPPCTL_SERVICE: `${scheme}://127.0.0.1:${proxy.port}`,
    XMPPCTL_CA: proxy.ca,
  });

  async function listenAs(
    name: string,
    from: string,
    count = 1,
  ): Promise<() => Promise<(string | undefined)[]>> {
    const listener = startXmppctl(
      ['listen', '--verbose', '--json', '--from', address(from), '--count', String(count)],
      { env: environmentOf(server.sandbox, name), input: '' },
    );
    onTestFinished(() => void listener.child.kill('SIGKILL'));
    await listener.waitFor('stderr', /listening as/);
    return async () => {
      const { stdout } = await listener.finished;
      return stdout
        .trimEnd()
        .split('\n')
        .map((line) => (JSON.parse(line) as Message).body);
    };
  }

  const show = (trace: string, ...args: string[]): Promise<Finished> =>
    runXmppctl(['trace', 'show', trace, ...args], { env: { ...home.env } });

  it(
    'lets our own client log in and send, and records it without its password',
    async () => {
      const received = await listenAs('bob', 'alice');
      const trace = file('a.trace');
      const proxy = await startProxy('--strip-channel-binding', '--once', `--trace=${trace}`);
      const sent = await runXmppctl(['send', address('bob'), 'by way of the proxy'], {
        env: through(proxy, 'alice'),
      });
      expect(sent).toMatchObject({ code: 0, stderr: '' });
      expect(await received()).toEqual(['by way of the proxy']);
      const { code, stdout, stderr } = await proxy.running.finished;
      expect(code).toBe(0);
      expect(stderr).not.toContain('warning');
      expect(stdout).toMatch(/^127\.0\.0\.1:\d+\n\* connection 1: proxy 127\.0\.0\.1:\d+ → /);
      expect(stdout).toMatch(/^→ .*<message /m);
      const password = server.sandbox.accounts['alice']?.password ?? '';
      expect(stdout).not.toContain(password);
      expect(await readFile(trace, 'utf8')).not.toContain(password);
      const shown = await show(trace);
      expect(shown).toMatchObject({ code: 0, stderr: '' });
      expect(shown.stdout).toMatch(/^\* proxy TLS with the client, version TLSv1\.3/m);
      expect(shown.stdout).toMatch(/^\* certificate verified: /m);
      expect(shown.stdout.trimEnd()).toMatch(/\* closed clean$/);
      const found = await show(trace, '--select', 'message > body[.*=proxy]', '--json');
      expect(JSON.parse(found.stdout)).toMatchObject({ dir: 'out', to: address('bob') });
    },
    TIMEOUT_MS,
  );

  it(
    'takes direct TLS, shows JSON, and writes a file for each connection',
    async () => {
      const { sandbox } = server;
      const recordings = file('recordings');
      const proxy = await startProxy(
        ...['--to', `xmpps://${sandbox.host}:${sandbox.ports.c2sTls}`, '--strip-channel-binding'],
        ...['--count', '2', '--json', '--filter', 'iq > {urn:xmpp:ping}ping', '-o', recordings],
      );
      for (const name of ['alice', 'bob']) {
        const pinged = await runXmppctl(['ping'], { env: through(proxy, name, 'xmpps') });
        expect(pinged).toMatchObject({ code: 0, stderr: '' });
      }
      const { code, stdout } = await proxy.running.finished;
      expect(code).toBe(0);
      const [listening, ...shown] = stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, unknown>);
      expect(listening).toEqual({
        address: '127.0.0.1',
        port: proxy.port,
        domain: sandbox.domain,
        ca: proxy.ca,
      });
      expect(shown.length).toBeGreaterThanOrEqual(2);
      for (const entry of shown) expect(entry).toMatchObject({ kind: 'iq', dir: 'out', type: 'get' });
      const files = await readdir(recordings);
      expect(files).toHaveLength(2);
      for (const each of files) {
        const { stdout: told } = await show(path.join(recordings, each), '--kind', 'iq');
        expect(told).toContain('urn:xmpp:ping');
      }
    },
    TIMEOUT_MS,
  );

  it(
    'is taken for the server by slixmpp',
    async () => {
      const { sandbox } = server;
      const received = await listenAs('bob', 'carol');
      const proxy = await startProxy('--once', '--strip-channel-binding');
      const peer = await startSlixmpp(
        { ...sandbox, host: '127.0.0.1', ports: { ...sandbox.ports, c2s: proxy.port }, caFile: proxy.ca },
        'carol',
        ['message', address('bob'), 'from slixmpp'],
      );
      expect(await peer.ended).toMatchObject({ code: 0 });
      expect(await received()).toEqual(['from slixmpp']);
      const { code, stdout } = await proxy.running.finished;
      expect(code).toBe(0);
      expect(stdout).toContain('from slixmpp');
      expect(stdout).not.toContain(sandbox.accounts['carol']?.password);
    },
    TIMEOUT_MS,
  );

  it(
    'is taken for the server by go-sendxmpp',
    async () => {
      const { sandbox } = server;
      const received = await listenAs('bob', 'alice');
      const proxy = await startProxy('--once', '--strip-channel-binding');
      const config = await home.write(
        'go-sendxmpp',
        `username: ${address('alice')}\npassword: ${sandbox.accounts['alice']?.password ?? ''}\njserver: 127.0.0.1:${proxy.port}\n`,
      );
      const child = spawn('go-sendxmpp', ['-f', config, address('bob')], {
        env: { PATH: process.env['PATH'], HOME: home.dir, SSL_CERT_FILE: proxy.ca },
      });
      child.stdin.end('from go-sendxmpp\n');
      const [said, [code]] = await Promise.all([
        text(child.stderr),
        once(child, 'close') as Promise<[number]>,
      ]);
      expect({ code, said }).toEqual({ code: 0, said: '' });
      expect((await received())[0]?.trimEnd()).toBe('from go-sendxmpp');
      expect(await proxy.running.finished).toMatchObject({ code: 0 });
    },
    TIMEOUT_MS,
  );

  it(
    'passes a WebSocket',
    async () => {
      const { sandbox } = server;
      const trace = file('web.trace');
      const proxy = await startProxy('--to', sandbox.services.websocket, '--once', `--trace=${trace}`);
      const env = {
        ...through(proxy, 'alice', 'wss'),
        XMPPCTL_SERVICE: `wss://127.0.0.1:${proxy.port}${new URL(sandbox.services.websocket).pathname}`,
      };
      expect(await runXmppctl(['ping'], { env })).toMatchObject({ code: 0, stderr: '' });
      expect(await proxy.running.finished).toMatchObject({ code: 0 });
      const shown = await show(trace);
      expect(shown.stdout).toContain('urn:ietf:params:xml:ns:xmpp-framing');
      expect(shown.stdout).toContain('urn:xmpp:ping');
      expect(shown.stdout.trimEnd()).toMatch(/\* closed clean$/);
    },
    TIMEOUT_MS,
  );

  it(
    'passes a component, whose secret is not recorded',
    async () => {
      const { sandbox } = server;
      const trace = file('component.trace');
      const proxy = await startProxy(
        ...['--to', `xmpp://${sandbox.host}:${sandbox.ports.component}`, '--once', `--trace=${trace}`],
        ...['--domain', sandbox.addresses.component, '--no-show'],
      );
      const pinged = await runXmppctl(['ping', sandbox.domain, '--component', sandbox.addresses.component], {
        env: {
          XMPPCTL_SERVICE: `xmpp://127.0.0.1:${proxy.port}`,
          XMPPCTL_PASSWORD: sandbox.componentSecret,
        },
      });
      expect(pinged).toMatchObject({ code: 0, stderr: '' });
      const { stdout } = await proxy.running.finished;
      expect(stdout).toBe(`127.0.0.1:${proxy.port}\n`);
      const shown = await show(trace);
      expect(shown.stdout).toContain('<handshake>[redacted]</handshake>');
      expect(shown.stdout).toContain('jabber:component:accept');
    },
    TIMEOUT_MS,
  );

  it(
    'drops what a rule says, and nothing else',
    async () => {
      const received = await listenAs('bob', 'alice');
      const rules = await home.write('rules.yaml', '- {match: "message > body[.=lost]", action: drop}\n');
      const proxy = await startProxy('--strip-channel-binding', '--rules', rules, '--count', '2');
      for (const body of ['lost', 'found']) {
        await runXmppctl(['send', address('bob'), body, '--timeout', '10'], { env: through(proxy, 'alice') });
      }
      expect(await received()).toEqual(['found']);
      const { stdout } = await proxy.running.finished;
      expect(stdout).toMatch(/^\* proxy stanza, action drop, dir out, name message/m);
      expect(stdout).toContain('lost');
    },
    TIMEOUT_MS,
  );

  it(
    'asks a script',
    async () => {
      const received = await listenAs('bob', 'alice');
      const script = await home.write(
        'script.mjs',
        `export const onStanza = (stanza, api) => {
          if (stanza.element.name === 'message') api.replace(stanza.xml.replace('draft', 'final'));
        };`,
      );
      const proxy = await startProxy('--strip-channel-binding', '--once', '--script', script);
      const sent = await runXmppctl(['send', address('bob'), 'draft'], { env: through(proxy, 'alice') });
      expect(sent).toMatchObject({ code: 0 });
      expect(await received()).toEqual(['final']);
      const { code, stderr } = await proxy.running.finished;
      expect(code).toBe(0);
      expect(stderr.split('\n')).toHaveLength(2);
    },
    TIMEOUT_MS,
  );

  it(
    'holds a stanza at a break point, and passes it as it was edited',
    async () => {
      const { sandbox } = server;
      const received = await listenAs('bob', 'alice');
      const terminal = spawnTerminal(
        process.execPath,
        [
          ...[
            binary,
            'trace',
            'proxy',
            '--listen',
            '127.0.0.1:0',
            '--ca',
            sandbox.caFile,
            '--no-show',
            '--once',
          ],
          ...['--to', `${sandbox.host}:${sandbox.ports.c2s}`, '--domain', sandbox.domain],
          ...['--strip-channel-binding', '--break', 'message > body'],
        ],
        {
          env: {
            ...home.env,
            TMPDIR: home.dir,
            TERM: 'xterm',
            NO_COLOR: '1',
            EDITOR: 'sed -i s/held/edited/',
          },
          cols: 400,
        },
      );
      let shown = '';
      const ended = new Promise<number>((resolve) => terminal.onExit(({ exitCode }) => resolve(exitCode)));
      const appears = (pattern: RegExp): Promise<RegExpExecArray> =>
        new Promise((resolve, reject) => {
          void ended.then(() => reject(new Error(`ended before ${String(pattern)}: ${shown}`)));
          terminal.onData(() => {
            const match = pattern.exec(shown);
            if (match) resolve(match);
          });
        });
      terminal.onData((words) => (shown += words));
      const [, port = '', ca = ''] = await appears(
        /listening on 127\.0\.0\.1:(\d+) for .* the authority in (.*)\r/,
      );
      const env = {
        ...environmentOf(sandbox, 'alice'),
        XMPPCTL_SERVICE: `127.0.0.1:${port}`,
        XMPPCTL_CA: ca,
      };
      const sent = runXmppctl(['send', address('bob'), 'held'], { env });
      await appears(/What becomes of it\?[\s\S]*edit it first/);
      terminal.write('\u001b[B\r');
      expect(await sent).toMatchObject({ code: 0 });
      expect(await received()).toEqual(['edited']);
      expect(await ended).toBe(0);
      expect(shown).toContain('from the client: <message ');
    },
    TIMEOUT_MS,
  );

  it(
    'cuts the line where a fault says, and says why',
    async () => {
      const proxy = await startProxy('--strip-channel-binding', '--once', '--fault', 'in:cut-after=900');
      const { code, stderr } = await runXmppctl(['ping'], { env: through(proxy, 'alice') });
      expect(code).toBe(3);
      expect(stderr.split('\n')).toHaveLength(2);
      const { stdout } = await proxy.running.finished;
      expect(stdout).toMatch(/^\* proxy fault cut, dir in$/m);
      expect(stdout.trimEnd()).toMatch(/\* closed not clean, reason cut by a fault$/);
    },
    TIMEOUT_MS,
  );

  it(
    'bears packets of seven bytes and a slow line',
    async () => {
      const proxy = await startProxy(
        ...['--strip-channel-binding', '--once', '--fault', 'split=7', '--fault', 'latency=2ms'],
      );
      expect(await runXmppctl(['ping'], { env: through(proxy, 'alice') })).toMatchObject({ code: 0 });
      expect(await proxy.running.finished).toMatchObject({ code: 0 });
    },
    TIMEOUT_MS,
  );

  it(
    'goes on when its record cannot be written',
    async () => {
      const proxy = await startProxy('--strip-channel-binding', '--once', '--trace=/dev/full');
      expect(await runXmppctl(['ping'], { env: through(proxy, 'alice') })).toMatchObject({ code: 0 });
      const { code, stderr } = await proxy.running.finished;
      expect(code).toBe(0);
      expect(stderr).toContain(
        'the trace is incomplete: it could not be written (no space left on the disk)',
      );
    },
    TIMEOUT_MS,
  );

  it(
    'bears junk, clients without TLS or without an end, and handshakes that fail',
    async () => {
      const proxy = await startProxy('--timeout', '1', '--count', '6');
      const say = async (words: string | Buffer): Promise<string> => {
        const socket = connect(proxy.port, '127.0.0.1');
        socket.on('error', () => undefined);
        socket.write(words);
        return text(socket).catch(() => '');
      };
      const header = `<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='${server.sandbox.domain}' version='1.0'>`;
      expect(await say('<stream:stream xmlns=')).toContain('connection-timeout');
      expect(await say(Buffer.from([0xff, 0, 0x80, 0x0a, 1, 2, 3]))).toContain('policy-violation');
      expect(await say(`${header}<iq type='get' id='1'/>`)).toContain('policy-violation');
      expect(await say(Buffer.from([0x16, 3, 1, 0, 4, 9, 9, 9, 9]))).toBeDefined();
      const old = connectTls({
        port: proxy.port,
        host: '127.0.0.1',
        minVersion: 'TLSv1',
        maxVersion: 'TLSv1.1',
      });
      await expect(once(old, 'secureConnect')).rejects.toThrow();
      expect(
        await runXmppctl(['ping', '--timeout', '10'], {
          env: { ...through(proxy, 'alice'), XMPPCTL_PASSWORD: 'wrong' },
        }),
      ).toMatchObject({ code: 4 });
      const { code, stderr } = await proxy.running.finished;
      expect(code).toBe(0);
      expect(stderr).toContain('warning: the client did not start TLS');
    },
    TIMEOUT_MS,
  );

  it(
    'ends on Ctrl-C, with the connections it has',
    async () => {
      const trace = file('interrupted.trace');
      const proxy = await startProxy('--strip-channel-binding', `--trace=${trace}`);
      const listener = startXmppctl(['listen', '--verbose'], { env: through(proxy, 'alice'), input: '' });
      await listener.waitFor('stderr', /listening as/);
      proxy.running.child.kill('SIGINT');
      expect(await proxy.running.finished).toMatchObject({ code: 0 });
      listener.child.kill('SIGINT');
      await listener.finished;
      const shown = await show(trace);
      expect(shown).toMatchObject({ code: 0, stderr: '' });
      expect(shown.stdout.trimEnd()).toMatch(/\* closed not clean, reason the proxy was stopped$/);
    },
    TIMEOUT_MS,
  );
});
