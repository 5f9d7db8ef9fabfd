/** `--trace` and `trace show` as they are typed: on real streams, into pipes that close, with files that are wrong. */
import { spawnSync } from 'node:child_process';
import { mkdtemp, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { traceExample } from '../../src/lib/help/trace-page.js';
import { environmentOf } from '../support/as-account.js';
import { runXmppctl, startXmppctl } from '../support/run-xmppctl.js';
import { describeOnEachServer } from '../support/servers.js';

const binary = path.join(path.dirname(fileURLToPath(import.meta.url)), '../../bin/xmppctl.js');

let folder = '';
let file = '';
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'xmppctl-trace-'));
  file = path.join(folder, 'a.trace');
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

describeOnEachServer('--trace', (server) => {
  const env = (): Record<string, string> => environmentOf(server.sandbox, 'alice');

  it('records a stream in a private file that trace show reads', async () => {
    const recorded = await runXmppctl(['ping', `--trace=${file}`], { env: env() });
    expect(recorded).toMatchObject({ code: 0, stderr: '' });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readFile(file, 'utf8')).not.toContain(server.sandbox.accounts['alice']?.password);
    const { code, stdout, stderr } = await runXmppctl(['trace', 'show', file]);
    expect(code).toBe(0);
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^\* connection 1: c2s alice@/);
    expect(stdout).toMatch(/^\* TLS 1\.[23], /m);
    expect(stdout).toMatch(/^\* certificate verified: /m);
    expect(stdout).toMatch(/^\* SASL .*outcome success/m);
    expect(stdout).toMatch(/^→ .*\[redacted\]/m);
    expect(stdout).toMatch(/^← .*\(round trip [\d.]+ m?s, request in record \d+\)$/m);
    expect(stdout.trimEnd()).toMatch(/\* closed clean$/);
    const asked = await runXmppctl(['trace', 'show', file, '--select', 'iq > {urn:xmpp:ping}ping', '--json']);
    const { id } = JSON.parse(asked.stdout) as { id: string };
    const pair = await runXmppctl(['trace', 'show', file, '--id', id, '--json']);
    const [request, reply] = pair.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(request).toMatchObject({ kind: 'iq', dir: 'out', type: 'get' });
    expect(reply).toMatchObject({ kind: 'iq', dir: 'in', type: 'result', replyTo: request?.['n'] });
  });

  it('shows the stream on stderr and leaves stdout to the result', async () => {
    const { code, stdout, stderr } = await runXmppctl(['ping', '--json', '--trace'], { env: env() });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toBeDefined();
    expect(stderr).toMatch(/^\* connection 1: c2s alice@/);
    expect(stderr).toMatch(/^→ .*<iq /m);
    expect(stderr).not.toContain('\u001b');
    expect(stderr).not.toContain(server.sandbox.accounts['alice']?.password);
  });

  it('goes on when the trace cannot be kept, and says so once', async () => {
    const { code, stderr } = await runXmppctl(['ping', '--trace=/dev/full'], { env: env() });
    expect(code).toBe(0);
    expect(stderr).toBe(
      'warning: the trace is incomplete: it could not be written (no space left on the disk)\n',
    );
  });

  it('does not connect when the trace would overwrite something', async () => {
    await writeFile(file, 'years of work');
    const { code, stderr } = await runXmppctl(['ping', `--trace=${file}`], { env: env() });
    expect(code).toBe(7);
    expect(stderr).toBe(
      `xmppctl: will not overwrite ${file}: it is not a trace (choose another name, or remove it first)\n`,
    );
    expect(await readFile(file, 'utf8')).toBe('years of work');
  });
});

describe('trace show', () => {
  it('ends quietly when its reader has seen enough', async () => {
    const lines = traceExample.split('\n');
    const many = Array.from({ length: 20_000 }, (_, index) =>
      JSON.stringify({ n: index + 2, t: index, conn: 1, kind: 'data', dir: 'in', text: '<presence/>' }),
    );
    await writeFile(file, [...lines.slice(0, 2), ...many, ''].join('\n'));
    const { stdout, stderr } = spawnSync(
      'bash',
      [
        '-c',
        '"$0" "$1" trace show "$2" | head -n 2; echo "${PIPESTATUS[0]}"',
        process.execPath,
        binary,
        file,
      ],
      { encoding: 'utf8' },
    );
    expect(stderr).toBe('');
    expect(stdout).toBe('* connection 1: component echo.example.org\n←             <presence/>\n0\n');
  });

  it('gives out bytes exactly', async () => {
    await writeFile(file, traceExample);
    const { stdout, stderr, code } = await runXmppctl(['trace', 'show', file, '--raw', '--dir', 'in']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.endsWith("id='7f3a'><handshake/><message><body>Grüße</body></message>")).toBe(true);
  });

  it('follows a trace that is still written', async () => {
    const running = startXmppctl(['trace', 'show', '-']);
    const [header = '', connection = '', event = ''] = traceExample.split('\n');
    running.child.stdin.write(`${header}\n${connection}\n`);
    await running.waitFor('stdout', /connection 1/);
    running.child.stdin.end(`${event}\n`);
    expect(await running.finished).toMatchObject({ code: 0, stderr: '' });
    expect(running.stdout()).toContain('* TCP 192.0.2.1:5347');
  });

  it('ends on Ctrl-C', async () => {
    const running = startXmppctl(['trace', 'show', '-']);
    running.child.stdin.write(`${traceExample.split('\n').slice(0, 2).join('\n')}\n`);
    await running.waitFor('stdout', /connection 1/);
    running.child.kill('SIGINT');
    expect(await running.finished).toMatchObject({ code: 130, stderr: '' });
  });

  it('ends on the second Ctrl-C, also where the system does not answer: a pipe into which nothing is written', async () => {
    const pipe = path.join(folder, 'pipe');
    expect(spawnSync('mkfifo', [pipe]).status).toBe(0);
    const running = startXmppctl(['trace', 'show', pipe]);
    // Opened when the program has opened its end. Nothing is written: it waits in a system call.
    const writer = await open(pipe, 'w');
    const impatience = setInterval(() => running.child.kill('SIGINT'), 100);
    expect(await running.finished).toMatchObject({ code: null, signal: 'SIGINT', stdout: '', stderr: '' });
    clearInterval(impatience);
    await writer.close();
  });

  it.each([
    ['nothing', '', 2, 'is empty, not a trace'],
    ['something else', 'root:x:0:0\n', 2, 'is not a trace: its first line is not the header of one'],
    ['a newer format', traceExample.replace('"version":1', '"version":9'), 2, 'of format version 9'],
    ['a damaged line', traceExample.replace('"conn":1', '"conn":'), 7, ':2: not JSON'],
  ])('refuses %s with one line', async (_what, content, exitCode, message) => {
    await writeFile(file, content);
    const { code, stdout, stderr } = await runXmppctl(['trace', 'show', file]);
    expect(code).toBe(exitCode);
    expect(stdout).toBe('');
    expect(stderr).toContain(message);
    expect(stderr.split('\n')).toHaveLength(2);
  });

  it('says that a file cannot be read', async () => {
    const { code, stderr } = await runXmppctl(['trace', 'show', path.join(folder, 'none')]);
    expect(code).toBe(7);
    expect(stderr).toBe(
      `xmppctl: cannot read the trace ${path.join(folder, 'none')}: no such file or folder\n`,
    );
  });
});
