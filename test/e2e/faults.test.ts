/** A server, or the way to it, that is broken: the real program ends in the documented code and one clear line. */
import { spawn } from '@lydell/node-pty';
import { spawn as spawnProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { open, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { startFakeServer, type FakeServer } from '../support/fake-server.js';
import * as sins from '../support/fake-server/misbehaviour.js';
import type { FakeServerOptions, Hook, Step } from '../support/fake-server/options.js';
import { runXmppctl, startXmppctl, type Finished, type Running } from '../support/run-xmppctl.js';
import { useTemporaryHome } from '../support/temporary-home.js';
import { makeTlsFixtures } from '../support/tls-fixtures.js';

const binary = path.join(path.dirname(fileURLToPath(import.meta.url)), '../../bin/xmppctl.js');
const home = useTemporaryHome('all');
const domain = 'fake.test';
const certificates = makeTlsFixtures(domain);

const steps: readonly Step[] = [
  'open',
  'starttls',
  'secure-open',
  'auth',
  'response',
  'authenticated-open',
  'bind',
  'stanza',
];

async function login(service: string, ca: string, password = 'wonderland') {
  const caFile = path.join(home.dir, `${randomUUID()}.pem`);
  await writeFile(caFile, ca);
  return {
    args: ['--jid', `alice@${domain}`, '--service', service, '--ca', caFile],
    env: { HOME: home.dir, XMPPCTL_PASSWORD: password },
  };
}

async function start(server: FakeServer, args: readonly string[], ca = server.ca): Promise<Running> {
  const { args: account, env } = await login(server.service, ca);
  return startXmppctl([...account, ...args], { env, input: '' });
}

/** `send` to a server that is made for it. */
async function send(
  options: FakeServerOptions,
  more: readonly string[] = [],
  ca?: string,
): Promise<Finished> {
  await using server = await startFakeServer({ domain, ...options });
  const running = await start(server, ['send', `bob@${domain}`, 'hello', ...more], ca);
  return await running.finished;
}

function expectOneLine({ code, signal, stdout, stderr }: Finished, expected: number): void {
  expect({ code, signal, stdout, lines: stderr.split('\n').length, stderr }).toEqual({
    code: expected,
    signal: null,
    stdout: '',
    lines: 2,
    stderr: expect.stringMatching(/^xmppctl: \S.*\n$/) as string,
  });
}

describe('the way to the server', () => {
  it('that refuses the connection', async () => {
    const listener = createServer();
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const { port } = listener.address() as AddressInfo;
    listener.close();
    await once(listener, 'close');
    const { args, env } = await login(`xmpp://127.0.0.1:${port}`, certificates.ca);
    const finished = await runXmppctl([...args, 'send', `bob@${domain}`, 'hello'], { env });
    expectOneLine(finished, 3);
    expect(finished.stderr).toContain(`127.0.0.1:${port}`);
  });

  it('that has no address', async () => {
    const { args, env } = await login('xmpp://nosuch.invalid:5222', certificates.ca);
    const finished = await runXmppctl([...args, 'send', `bob@${domain}`, 'hello'], { env });
    expectOneLine(finished, 3);
    expect(finished.stderr).toContain('nosuch.invalid');
  });

  it.each([
    ['has expired', 'expired', certificates.ca],
    ['is for another name', 'wrongName', certificates.ca],
    ['has signed itself', 'selfSigned', certificates.ca],
    ['is by an authority that nobody trusts', 'stranger', certificates.ca],
  ] as const)('with a certificate that %s', async (_, which, ca) => {
    const finished = await send({ tlsOptions: certificates[which] }, [], ca);
    expectOneLine(finished, 3);
    expect(finished.stderr).toMatch(/certificate/);
  });

  it('where somebody has removed STARTTLS', async () => {
    const finished = await send({ tls: 'none' });
    expectOneLine(finished, 3);
    expect(finished.stderr).toMatch(/TLS/);
  });

  it('where only PLAIN is left, without TLS', async () => {
    await using server = await startFakeServer({ domain, tls: 'none', mechanisms: ['PLAIN'] });
    expectOneLine(await (await start(server, ['send', `bob@${domain}`, 'hello'])).finished, 3);
    expect(server.logins).toEqual([]);
  });
});

const faults: readonly [string, Hook, number][] = [
  ['resets the connection', sins.reset, 3],
  ['sends a stream error', sins.streamError('policy-violation', 'Go away'), 5],
  ['sends broken XML', sins.sendBrokenXml, 5],
  ['sends a DTD', sins.sendDtd, 5],
  ['sends bytes that are not UTF-8', sins.sendInvalidUtf8, 5],
];

describe.concurrent.each(faults)('a server that %s', (_, hook, code) => {
  it.each(steps)('at %s', async (step) => {
    expectOneLine(await send({ at: { [step]: hook } }), code);
  });
});

describe.concurrent('a server that', () => {
  it.each(steps.filter((step) => !step.includes('open')))(
    'breaks off in the middle of a stanza at %s',
    async (step) => {
      expectOneLine(await send({ at: { [step]: sins.cutMidStanza } }), 3);
    },
  );

  it.each<Step>([...steps, 'tls'])('says nothing at %s', async (step) => {
    const finished = await send({ at: { [step]: sins.staySilent } }, ['--timeout', '3']);
    expectOneLine(finished, 6);
    expect(finished.stderr).toContain('3 s');
  });

  it('sends a stanza of 10 MB', async () => {
    expectOneLine(await send({ at: { stanza: sins.sendHugeStanza(10_000_000) } }), 5);
  });

  it('does not know the password itself', async () => {
    expectOneLine(await send({ scram: { isIgnorant: true } }), 4);
  });
});

describe.concurrent('Ctrl-C', () => {
  it.each<Step>([...steps, 'tls'])('while the server says nothing at %s', async (step) => {
    let reached = (): void => undefined;
    const isReached = new Promise<void>((resolve) => (reached = resolve));
    await using server = await startFakeServer({
      domain,
      at: {
        [step]: () => {
          reached();
        },
      },
    });
    const running = await start(server, ['send', `bob@${domain}`, 'hello']);
    await isReached;
    running.child.kill('SIGINT');
    expect(await running.finished).toEqual({ code: 130, signal: null, stdout: '', stderr: '' });
  });
});

describe('a person at a terminal', () => {
  it('is not harmed by escape sequences in a message', async () => {
    await using server = await startFakeServer({
      domain,
      onStanza: async (peer, stanza) => {
        if (stanza?.name !== 'presence') return 'go on';
        // C0 controls cannot be in XML at all; these can, and some terminals obey them.
        const body = 'red \u009b31m alert \u0085 \u202eevil';
        await peer.write(`<message from='mallory@${domain}/x' type='chat'><body>${body}</body></message>`);
        return undefined;
      },
    });
    const { args, env } = await login(server.service, server.ca);
    const { PATH = '' } = process.env;
    const terminal = spawn(process.execPath, [binary, ...args, 'listen', '--count', '1'], {
      env: { PATH, TERM: 'xterm', NO_COLOR: '1', ...env },
      cols: 200,
    });
    let shown = '';
    terminal.onData((text) => (shown += text));
    const code = await new Promise<number>((resolve) => terminal.onExit(({ exitCode }) => resolve(exitCode)));
    expect(code).toBe(0);
    expect(shown).toContain('red ');
    expect(shown).toContain('evil');
    expect(shown.slice(shown.indexOf('mallory'))).not.toMatch(/[\u0080-\u009f\u202e]/);
  });
});

describe('without a terminal', () => {
  it('a password that nothing gives is asked of nobody', async () => {
    await using server = await startFakeServer({ domain });
    const { args } = await login(server.service, server.ca);
    const finished = await runXmppctl([...args, 'send', `bob@${domain}`, 'x'], { env: { HOME: home.dir } });
    expectOneLine(finished, 2);
    expect(finished.stderr).toMatch(/--password-file|XMPPCTL_PASSWORD/);
  });
});

describe('a full disk under the results', () => {
  it.each([
    ['jid', 'normalize', 'A@B.example'],
    ['--version'],
    ['--help'],
    ['send', '--help'],
    ['completion', 'bash'],
  ])('is a file error for %s %s', async (...words) => {
    const full = await open('/dev/full', 'w');
    try {
      const child = spawnProcess(process.execPath, [binary, ...words.filter((word) => word !== '')], {
        env: { PATH: process.env['PATH'], HOME: home.dir },
        stdio: ['ignore', full.fd, 'pipe'],
      });
      const [stderr, [code]] = await Promise.all([
        text(child.stderr as NodeJS.ReadableStream),
        once(child, 'close') as Promise<[number]>,
      ]);
      expect({ code, stderr }).toEqual({
        code: 7,
        stderr: 'xmppctl: cannot write the results: the disk is full\n',
      });
    } finally {
      await full.close();
    }
  });
});
