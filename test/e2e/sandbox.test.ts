import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { runXmppctl, startXmppctl } from '../support/run-xmppctl.js';
import { serverNames } from '../support/server-names.js';

let dir = '';
let env: Record<string, string> = {};
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'xmppctl-test-'));
  env = { XDG_RUNTIME_DIR: dir };
});
afterEach(async () => {
  await runXmppctl(['sandbox', 'stop', '--all'], { env });
  await rm(dir, { recursive: true });
});

const xmppctl = (args: readonly string[], more: { input?: string; env?: Record<string, string> } = {}) =>
  runXmppctl(args, { ...more, env: { ...env, ...more.env } });

const inSandbox = (script: string, more: { input?: string; env?: Record<string, string> } = {}) =>
  xmppctl(['sandbox', 'run', '--', 'sh', '-c', script], more);

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => {
      resolve(false);
    });
  });
}

/** What a script inside a sandbox prints to say where it is. */
const PRINT_PLACE = 'echo "$XMPPCTL_SANDBOX_PORT $XMPPCTL_CONFIG_DIR"';

function readPlace(line: string): { port: number; sandboxDir: string } {
  const [port = '', configDir = ''] = line.trim().split(' ');
  return { port: Number(port), sandboxDir: path.dirname(configDir) };
}

async function expectGone({ port, sandboxDir }: { port: number; sandboxDir: string }): Promise<void> {
  await vi.waitFor(() => expect(existsSync(sandboxDir)).toBe(false), { timeout: 20_000 });
  expect(await isListening(port)).toBe(false);
}

describe.each(serverNames)('xmppctl sandbox run --server %s', (server) => {
  it('lets one account send to another with nothing but their names', async () => {
    const { code, stdout, stderr } = await xmppctl([
      ...['sandbox', 'run', '--server', server, '--', 'sh', '-c'],
      `xmppctl --account alice send bob@sandbox.localhost hello &&
       xmppctl --account bob listen --count 1 --json`,
    ]);
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toMatchObject({ to: 'bob@sandbox.localhost', body: 'hello' });
    expect(code).toBe(0);
  });

  it('lets components and anonymous users in by their profiles', async () => {
    const { code, stdout } = await xmppctl([
      ...['sandbox', 'run', '--server', server, '--', 'sh', '-c'],
      'for a in component privileged anonymous; do xmppctl --account $a ping -q sandbox.localhost >/dev/null || exit; done; echo all',
    ]);
    expect(stdout).toBe('all\n');
    expect(code).toBe(0);
  });
});

describe('xmppctl sandbox run', () => {
  it('gives its standard streams and its exit code to the command, and leaves nothing behind', async () => {
    const { code, stdout, stderr } = await inSandbox(`${PRINT_PLACE}; cat; echo oops >&2; exit 42`, {
      input: 'in\0put',
    });
    const [first = '', ...rest] = stdout.split('\n');
    expect(rest.join('\n')).toBe('in\0put');
    expect(stderr).toBe('oops\n');
    expect(code).toBe(42);
    await expectGone(readPlace(first));
  });

  it('ends as a shell would when a signal ended the command', async () => {
    expect((await inSandbox('kill -TERM $$')).code).toBe(128 + 15);
  });

  it('says so when the command cannot be run', async () => {
    const missing = await xmppctl(['sandbox', 'run', 'no-such-command-here']);
    expect(missing.stderr).toBe('xmppctl: cannot run no-such-command-here: there is no such command\n');
    expect(missing.code).toBe(127);
    expect((await xmppctl(['sandbox', 'run', '--', '/etc/passwd'])).code).toBe(126);
  });

  it('hides the profiles and passwords of the user from the command', async () => {
    const { stdout } = await inSandbox(
      'echo "${XMPPCTL_PASSWORD-none} ${XMPPCTL_ACCOUNT-none}"; xmppctl account list',
      {
        env: { XMPPCTL_PASSWORD: 'mine', XMPPCTL_ACCOUNT: 'work' },
      },
    );
    expect(stdout).toMatch(/^none none\n\*\talice\talice@sandbox\.localhost\t/);
  });

  it('takes accounts and domain from its options', async () => {
    const { stdout } = await xmppctl([
      ...['sandbox', 'run', '--accounts', 'romeo, juliet', '--domain', 'verona.localhost', 'sh', '-c'],
      'echo $XMPPCTL_SANDBOX_ACCOUNTS; xmppctl --account juliet ping --json | tr -d "\\n"; echo $XMPPCTL_SANDBOX_JID_ROMEO',
    ]);
    expect(stdout).toMatch(/^romeo juliet\n.*romeo@verona\.localhost\n$/);
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('passes %s on to the command and cleans up', async (signal) => {
    const running = startXmppctl(
      [
        'sandbox',
        'run',
        '--',
        'sh',
        '-c',
        `trap 'echo caught; exit 9' TERM INT; ${PRINT_PLACE}; while :; do sleep 0.1; done`,
      ],
      { env, input: '' },
    );
    const [line] = await running.waitFor('stdout', /^\d.*\n/);
    running.child.kill(signal);
    const { code, stdout } = await running.finished;
    expect(stdout).toMatch(/caught\n$/);
    expect(code).toBe(9);
    await expectGone(readPlace(line));
  });

  it('takes the server with it when it is killed', async () => {
    const running = startXmppctl(['sandbox', 'run', '--', 'sh', '-c', `${PRINT_PLACE}; exec cat`], { env });
    const [line] = await running.waitFor('stdout', /^\d.*\n/);
    expect(await isListening(readPlace(line).port)).toBe(true);
    running.child.kill('SIGKILL');
    await expectGone(readPlace(line));
  });

  it.each([
    [['--accounts', 'Alice Smith'], 'a sandbox cannot have an account named "Alice Smith"'],
    [['--accounts', ','], '--accounts needs at least one name'],
    [['--domain', 'no domain'], 'a sandbox cannot have the domain "no domain"'],
    [['--server', 'openfire'], "option '--server <name>' argument 'openfire' is invalid"],
  ])('refuses %j', async (options, message) => {
    const { code, stdout, stderr } = await xmppctl(['sandbox', 'run', ...options, '--', 'true']);
    expect(stderr).toContain(message);
    expect(stderr.split('\n')).toHaveLength(2);
    expect(stdout).toBe('');
    expect(code).toBe(2);
  });
});

describe('xmppctl sandbox start', () => {
  it('--detach leaves a server running that other commands find, use and end', async () => {
    const started = await xmppctl(['sandbox', 'start', '--detach']);
    expect(started.stdout).toBe('');
    expect(started.stderr).toContain('eval "$(xmppctl sandbox env)"');
    expect(started.code).toBe(0);

    const status = await xmppctl(['sandbox', 'status', '--json']);
    expect(JSON.parse(status.stdout)).toMatchObject([
      { name: 'default', server: 'prosody', accounts: ['alice', 'bob', 'carol'], isDetached: true },
    ]);
    expect(status.stdout).not.toContain('password');

    const again = await xmppctl(['sandbox', 'start', '--detach']);
    expect(again.stderr).toMatch(/^xmppctl: a sandbox named default is running already/);
    expect(again.code).toBe(2);

    const { stdout: exports } = await xmppctl(['sandbox', 'env']);
    const shell = spawnSync(
      '/bin/sh',
      ['-c', `eval "$1"; ${PRINT_PLACE}; "$2" "$3" ping -q && echo "$XMPPCTL_SANDBOX_PASSWORD_BOB"`]
        .concat('sh', exports)
        .concat(process.execPath, path.resolve('bin/xmppctl.js')),
      { env: { PATH: process.env['PATH'] } },
    );
    const [place = '', , password] = shell.stdout.toString().split('\n');
    const variables: unknown = JSON.parse((await xmppctl(['sandbox', 'env', '--json'])).stdout);
    expect(variables).toMatchObject({ XMPPCTL_SANDBOX_PASSWORD_BOB: password });

    const stopped = await xmppctl(['sandbox', 'stop']);
    expect(stopped).toMatchObject({ code: 0, stdout: '', stderr: 'default has ended\n' });
    await expectGone(readPlace(place));

    for (const command of ['status', 'stop', 'env']) {
      const { code, stdout, stderr } = await xmppctl(['sandbox', command]);
      expect(stderr).toMatch(/^xmppctl: no sandbox is running \(.*sandbox start.*\)\n$/);
      expect(stdout).toBe('');
      expect(code).toBe(1);
    }
  });

  it('keeps it in the foreground, says what it is as JSON, and ends on Ctrl-C', async () => {
    const running = startXmppctl(['sandbox', 'start', '--json', '--quiet'], { env, input: '' });
    await running.waitFor('stdout', /\n}\n|}\n$/);
    const facts = JSON.parse(running.stdout()) as { ports: { c2s: number }; dir: string };
    expect(facts).toMatchObject({
      server: 'prosody',
      accounts: { alice: { jid: 'alice@sandbox.localhost' } },
    });
    running.child.kill('SIGINT');
    const { code, stderr } = await running.finished;
    expect(stderr).toBe('');
    expect(code).toBe(0);
    await expectGone({ port: facts.ports.c2s, sandboxDir: facts.dir });
    expect((await xmppctl(['sandbox', 'status'])).code).toBe(1);
  });

  it('in the foreground ends on xmppctl sandbox stop, and several have names', async () => {
    const first = startXmppctl(['sandbox', 'start', '--name', 'first'], { env, input: '' });
    await first.waitFor('stderr', /is ready/);
    expect((await xmppctl(['sandbox', 'start', '--name', 'second', '--detach'])).code).toBe(0);
    const ambiguous = await xmppctl(['sandbox', 'env']);
    expect(ambiguous.stderr).toContain('2 sandboxes are running: first, second (choose one with --name)');
    expect(ambiguous.code).toBe(2);
    expect((await xmppctl(['sandbox', 'stop', '--name', 'first'])).code).toBe(0);
    expect((await first.finished).code).toBe(0);
    const { stdout } = await xmppctl(['sandbox', 'status']);
    expect(stdout).toMatch(/^second\tprosody\tsandbox\.localhost\t127\.0\.0\.1:\d+\talice,bob,carol\t\S+\n$/);
  });

  it('forgets a sandbox that was killed', async () => {
    const running = startXmppctl(['sandbox', 'start'], { env, input: '' });
    await running.waitFor('stderr', /is ready/);
    running.child.kill('SIGKILL');
    await vi.waitFor(async () => expect((await xmppctl(['sandbox', 'status'])).code).toBe(1), {
      timeout: 20_000,
    });
    expect((await xmppctl(['sandbox', 'start', '--detach'])).code).toBe(0);
  });
});
