import { spawn } from 'node:child_process';
import path from 'node:path';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { registry } from '../../src/commands/registry.js';
import { runXmppctl } from '../support/run-xmppctl.js';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '../..');
const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { version: string };

describe('xmppctl', () => {
  it('says its version', async () => {
    expect(await runXmppctl(['--version'])).toMatchObject({
      code: 0,
      stdout: `xmppctl ${version}\n`,
      stderr: '',
    });
  });

  it('lists every command in its help', async () => {
    const { code, stdout, stderr } = await runXmppctl(['--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const { path: words } of registry) expect(stdout).toContain(`\n  ${words.split(' ')[0] ?? ''} `);
  });

  it.each(registry.map(({ path: words }) => words))('%s --help shows usage on stdout', async (words) => {
    const { code, stdout, stderr } = await runXmppctl([...words.split(' '), '--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain(`Usage: xmppctl ${words} `);
  });

  it('shows in no help how a list begins or that --trace could take the next word', async () => {
    const { stdout } = await runXmppctl(['listen', '--help']);
    expect(stdout).not.toContain('default: []');
    expect(stdout).toContain('--trace[=<file>]');
  });

  it('says on one line what is wrong with what was typed', async () => {
    expect(await runXmppctl(['snd'])).toEqual({
      code: 2,
      signal: null,
      stdout: '',
      stderr: 'xmppctl: no such command: snd (did you mean send?)\n',
    });
    expect(await runXmppctl([])).toMatchObject({ code: 2, stdout: '' });
  });

  it('prints a failure as an object with --json', async () => {
    const { code, stdout, stderr } = await runXmppctl(['ping', '--json', '--tiemout', '3']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(JSON.parse(stderr)).toEqual({
      error: {
        name: 'UsageError',
        message: "unknown option '--tiemout' (Did you mean --timeout?)",
        exitCode: 2,
        hint: 'see xmppctl ping --help',
      },
    });
  });

  it('ends quietly when the reader of its output has gone', async () => {
    const child = spawn(
      'bash',
      ['-c', `"$0" bin/xmppctl.js --help | true; echo "\${PIPESTATUS[0]}"`, process.execPath],
      {
        cwd: root,
      },
    );
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    await new Promise((resolve) => child.on('close', resolve));
    expect(output).toBe('0\n');
  });
});
