/** `trace replay` between recordings of real clients and real servers, both ways. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { environmentOf } from '../support/as-account.js';
import {
  clientHeader,
  login,
  recordTrace,
  serverHeader,
  traceText,
  type Line,
} from '../support/recorded-trace.js';
import { runXmppctl, type Finished } from '../support/run-xmppctl.js';
import { jsonLines } from '../support/json-lines.js';
import { describeOnEachServer } from '../support/servers.js';
import { useTemporaryHome } from '../support/temporary-home.js';
import { recordOne, serveRecording, type TraceListener } from '../support/trace-listeners.js';

const TIMEOUT_MS = 90_000;

/** Recordings of one server for the test of the other. */
let shared = '';
beforeAll(async () => {
  shared = await mkdtemp(path.join(tmpdir(), 'xmppctl-replay-'));
});
afterAll(() => rm(shared, { recursive: true }));

describeOnEachServer('trace replay', (server) => {
  const home = useTemporaryHome();
  const address = (name: string): string => `${name}@${server.sandbox.domain}`;
  const file = (name: string): string => path.join(home.dir, name);
  const env = (name = 'alice'): Record<string, string> => ({
    ...home.env,
    ...environmentOf(server.sandbox, name),
  });

  const replay = (trace: string, ...args: string[]): Promise<Finished> =>
    runXmppctl(['trace', 'replay', trace, '--to', server.sandbox.domain, ...args], { env: env() });

  const serve = (trace: string, ...args: string[]): Promise<TraceListener> =>
    serveRecording(trace, home, { args });

  async function sendByGo(
    { port, ca }: TraceListener,
    password: string,
  ): Promise<{ code: number; said: string }> {
    const config = await home.write(
      'go-sendxmpp',
      `username: ${address('alice')}\npassword: ${password}\njserver: 127.0.0.1:${port}\n`,
    );
    const child = spawn('go-sendxmpp', ['-f', config, address('bob')], {
      env: { PATH: process.env['PATH'], HOME: home.dir, SSL_CERT_FILE: ca },
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    child.stdin.end('from go-sendxmpp\n');
    const [said, [code]] = await Promise.all([text(child.stderr), once(child, 'close') as Promise<[number]>]);
    return { code, said };
  }

  it(
    'plays what our own commands said, and nothing differs; on the other server it says what does',
    async () => {
      const commands: Record<string, { args: string[]; input?: string }> = {
        send: { args: ['send', address('bob'), 'to be said again'] },
        disco: { args: ['disco', 'info', server.sandbox.domain] },
        publish: { args: ['pubsub', 'publish', 'replayed', '-'], input: '<x xmlns="urn:example:x">1</x>' },
      };
      for (const [name, { args, input = '' }] of Object.entries(commands)) {
        const trace = file(`${name}.trace`);
        expect(await runXmppctl([...args, `--trace=${trace}`], { env: env(), input })).toMatchObject({
          code: 0,
        });
        const replayed = await replay(trace);
        expect(replayed).toMatchObject({ code: 0, stdout: '' });
        expect(replayed.stderr).toMatch(/^as recorded: \d stanzas? sent, \d stanzas? received\n$/);
        const events = jsonLines((await replay(trace, '--json', '--no-wait')).stdout);
        expect(events[0]).toMatchObject({ event: 'connected' });
        expect(events.at(-1)).toMatchObject({ event: 'end', departures: 0 });
        await copyFile(trace, path.join(shared, `${server.name}-${name}.trace`));
      }
    },
    TIMEOUT_MS,
  );

  // Runs behind the one above of the other server.
  it.runIf(server.name === 'ejabberd')(
    'says where another server than the recorded one departs',
    async () => {
      const trace = path.join(shared, 'prosody-disco.trace');
      const { code, stdout, stderr } = await replay(trace);
      expect(code).toBe(1);
      expect(stdout).toMatch(
        /^~ record \d+ ←: iq result \{http:\/\/jabber\.org\/protocol\/disco#info\}query$/m,
      );
      expect(stdout).toMatch(/^ {4}- <identity .*name="Prosody"/m);
      expect(stdout).toMatch(/^ {4}\+ <identity .*name="ejabberd"/m);
      expect(stderr).toMatch(
        /^xmppctl: the conversation departs from the recording in 1 place, first at record \d+\n$/,
      );
      const [departure] = jsonLines((await replay(trace, '--json')).stdout).filter(
        ({ event }) => event === 'departure',
      );
      expect(departure).toMatchObject({
        kind: 'different',
        dir: 'in',
        changes: expect.arrayContaining([
          expect.objectContaining({ path: 'iq/query/identity' }),
        ]) as unknown[],
      });
    },
    TIMEOUT_MS,
  );

  it(
    'plays a recording of the proxy both ways: to the server, and to go-sendxmpp, unmodified',
    async () => {
      const { sandbox } = server;
      const trace = file('go.trace');
      const proxy = await recordOne(sandbox, home, trace);
      const password = sandbox.accounts['alice']?.password ?? '';
      expect(await sendByGo(proxy, password)).toEqual({ code: 0, said: '' });
      expect(await proxy.running.finished).toMatchObject({ code: 0 });

      expect(await replay(trace)).toMatchObject({ code: 0, stdout: '' });

      const again = file('again.trace');
      const served = await serve(trace, `--trace=${again}`);
      expect(await sendByGo(served, 'any other')).toEqual({ code: 0, said: '' });
      const { code, stdout, stderr } = await served.running.finished;
      expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
      expect(stderr).toMatch(/^as recorded: \d stanzas? sent, \d stanzas? received$/m);
      expect(await readFile(again, 'utf8')).not.toContain('any other');
      const linted = await runXmppctl(['trace', 'lint', again, '-q']);
      expect(linted.stdout).not.toMatch(/error/);
    },
    TIMEOUT_MS,
  );

  it(
    'serves our own client by STARTTLS, direct TLS and a WebSocket, and says what it asks beyond the recording',
    async () => {
      const { domain } = server.sandbox;
      const trace = file('ping.trace');
      expect(await runXmppctl(['ping', `--trace=${trace}`], { env: env() })).toMatchObject({ code: 0 });
      const at = (service: string, ca: string): Record<string, string> => ({
        // Who has logged in with more than PLAIN does not go back: another configuration.
        XMPPCTL_CONFIG_DIR: file('other'),
        ...environmentOf(server.sandbox, 'alice'),
        XMPPCTL_SERVICE: service,
        XMPPCTL_CA: ca,
      });
      for (const scheme of ['xmpp', 'xmpps', 'wss']) {
        const { running, port, ca } = await serve(trace);
        const pinged = await runXmppctl(['ping'], { env: at(`${scheme}://127.0.0.1:${port}`, ca) });
        expect(pinged).toMatchObject({ code: 0, stderr: '' });
        expect(await running.finished).toMatchObject({ code: 0, stdout: '' });
      }
      const { running, port, ca } = await serve(trace, '--timeout', '2');
      const asked = await runXmppctl(['disco', 'info', domain], { env: at(`127.0.0.1:${port}`, ca) });
      expect(asked.code).toBe(5);
      const { code, stdout } = await running.finished;
      expect(code).toBe(1);
      expect(stdout).toMatch(
        /^\+ not recorded →: iq get \{http:\/\/jabber\.org\/protocol\/disco#info\}query$/m,
      );
    },
    TIMEOUT_MS,
  );

  it(
    'goes on listening for a client that can log in, and ends with Ctrl-C',
    async () => {
      const trace = file('ping.trace');
      expect(await runXmppctl(['ping', `--trace=${trace}`], { env: env() })).toMatchObject({ code: 0 });
      const { running, port } = await serve(trace);
      const distrusting = await runXmppctl(['ping'], {
        env: { ...environmentOf(server.sandbox, 'alice'), XMPPCTL_SERVICE: `127.0.0.1:${port}` },
      });
      expect(distrusting.code).toBe(3);
      await running.waitFor('stderr', /a client: /);
      running.child.kill('SIGINT');
      expect((await running.finished).code).toBe(130);
    },
    TIMEOUT_MS,
  );

  it(
    'plays a part, with other addresses, and only what is selected',
    async () => {
      const trace = file('part.trace');
      const ping = (id: string, to: string): Line =>
        `→<iq type='get' id='${id}' to='${to}'><ping xmlns='urn:xmpp:ping'/></iq>`;
      const records = recordTrace([
        ...login,
        ping('1', 'example.org'),
        "←<iq type='result' id='1' from='example.org' to='alice@example.org/desk'/>",
        "→<iq type='set' id='2'><query xmlns='jabber:iq:register'><username>alice</username><password>[redacted]</password></query></iq>",
        "←<iq type='result' id='2'/>",
        ping('3', 'elsewhere.example'),
        "←<iq type='result' id='3' from='elsewhere.example' to='alice@example.org/desk'/>",
      ]);
      await writeFile(trace, traceText(records));
      // What servers put into an answer differs; which of the lines are said does not.
      const said = async (...args: string[]): Promise<unknown[]> =>
        jsonLines((await replay(trace, '--json', ...args)).stdout)
          .filter(({ event }) => event === 'sent' || event === 'skipped')
          .map(({ event, n }) => [event, n]);
      const map = ['--map', `elsewhere.example=${server.sandbox.domain}`];
      expect(await said(...map)).toEqual([
        ['sent', 10],
        ['skipped', 12],
        ['sent', 14],
      ]);
      expect(await said('--until', '12')).toEqual([['sent', 10]]);
      expect(await said('--from', '13', ...map)).toEqual([['sent', 14]]);
      expect(await said('--only', "iq[to='example.org'] > ping")).toEqual([['sent', 10]]);
      const { stderr } = await replay(trace, ...map);
      expect(stderr).toContain(
        'left out: record 12 → iq set {jabber:iq:register}query: a secret was taken out',
      );
    },
    TIMEOUT_MS,
  );
});

const federated: readonly Line[] = [
  `→${clientHeader.replace('jabber:client', 'jabber:server')}`,
  `←${serverHeader.replace('jabber:client', 'jabber:server')}`,
  "→<db:result xmlns:db='jabber:server:dialback' from='a.example' to='b.example'>[redacted]</db:result>",
  "←<db:result xmlns:db='jabber:server:dialback' from='b.example' to='a.example' type='valid'/>",
  "→<message xmlns='jabber:server' from='x@a.example' to='y@b.example'/>",
];

describe('a recording that cannot be replayed', () => {
  const home = useTemporaryHome();
  let file = '';
  beforeEach(() => {
    file = path.join(home.dir, 'a.trace');
  });
  const replay = (...args: string[]): Promise<Finished> =>
    runXmppctl(['trace', 'replay', file, '--to', 'example.org', '--jid', 'alice@example.org', ...args], {
      env: { ...home.env, XMPPCTL_PASSWORD: 'x' },
    });

  it('is named with the line that is damaged, or what is missing', async () => {
    const sound = traceText(recordTrace([...login, '→<presence/>'], [...login, '→<presence/>']));
    const cases: [string, number, RegExp][] = [
      ['hello\n', 2, /is not a trace: its first line is not the header of one/],
      [sound.replace('"version":1', '"version":9'), 2, /format version 9/],
      [sound.replace(/^(.*\n.*\n).*\n/, '$1{"kind":\n'), 7, /a\.trace:3: not JSON/],
      [sound, 2, /has 2 connections that can be replayed/],
      [
        traceText(recordTrace([`→${clientHeader}`])),
        2,
        /connection 1 of .* never got as far as binding a resource: there is nothing to replay/,
      ],
      [traceText(recordTrace([...login])), 2, /has nothing behind the login/],
      [
        traceText(recordTrace(federated)),
        2,
        /connection 1 of .*a\.trace is one between servers, which cannot be replayed/,
      ],
      [
        traceText(recordTrace(federated, federated)),
        2,
        /a\.trace has streams between servers only, which cannot be replayed/,
      ],
    ];
    for (const [content, code, message] of cases) {
      await writeFile(file, content);
      const result = await replay();
      expect({ code: result.code, lines: result.stderr.trimEnd().split('\n').length }).toEqual({
        code,
        lines: 1,
      });
      expect(result.stderr).toMatch(message);
    }
  });

  it.each([
    [[], /say which side is played/],
    [
      ['--to', 'other.example', '--jid', 'alice@example.org'],
      /the account is one of example\.org, not of other\.example/,
    ],
    [['--as', 'server', '--only', 'iq'], /--only chooses stanzas of the client/],
    [['--as', 'server', '--plain', '--listen', '0.0.0.0:0'], /loopback address only/],
    [['--as', 'server', '--speed', '0'], /--speed takes a number above 0/],
    [['--as', 'server', '--from', 'noon'], /--from takes the number of a record, a time or a duration/],
    [['--as', 'server', '--map', 'a'], /--map takes old=new/],
    [['--as', 'server', '--connection', '7'], /has no connection 7/],
  ])('is refused with %j', async (args, message) => {
    await writeFile(file, traceText(recordTrace([...login, '→<presence/>'])));
    const { code, stderr } = await runXmppctl(['trace', 'replay', file, ...args], {
      env: { ...home.env, XMPPCTL_PASSWORD: 'x' },
    });
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
  });
});
