/** The completion scripts in the real shells, as a person at a terminal meets them. */
import { execFile } from 'node:child_process';
import { chmod } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { spawn, type IPty } from '@lydell/node-pty';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { runXmppctl } from '../support/run-xmppctl.js';
import { useTemporaryHome } from '../support/temporary-home.js';

const binary = path.join(path.dirname(fileURLToPath(import.meta.url)), '../../bin/xmppctl.js');
const home = useTemporaryHome('all');
let env: Record<string, string>;
let script: (shell: string) => string;

beforeAll(async () => {
  await home.writeConfig(
    '[accounts.alice]\njid = "alice@example.org"\n[accounts."bob@example.com"]\njid = "bob@example.com"\n',
  );
  const program = await home.write('bin/xmppctl', `#!/bin/sh\nexec '${process.execPath}' '${binary}' "$@"\n`);
  await chmod(program, 0o755);
  await home.write('work/notes.txt', '');
  env = {
    ...home.env,
    PATH: `${home.dir}/bin:${process.env['PATH'] ?? ''}`,
    TERM: 'dumb',
    LC_ALL: 'C.UTF-8',
    PS1: '$ ',
  };
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { code, stdout } = await runXmppctl(['completion', shell]);
    expect(code).toBe(0);
    await home.write(`completion.${shell}`, stdout);
  }
  script = (shell) => `${home.dir}/completion.${shell}`;
});

/** Line typed → what is offered. */
const cases: readonly (readonly [line: string, offered: readonly string[]])[] = [
  ['xmppctl acc', ['account']],
  ['xmppctl account s', ['show']],
  ['xmppctl account show ', ['alice', 'bob@example.com']],
  ['xmppctl account show bo', ['bob@example.com']],
  ['xmppctl --account ', ['alice', 'bob@example.com']],
  ['xmppctl --account alice account im', ['import']],
  ['xmppctl --timeout 3 account im', ['import']],
  ['xmppctl account import ', ['go-sendxmpp', 'sendxmpp']],
  ['xmppctl account import sendxmpp no', ['notes.txt']],
  ['xmppctl account add --ca no', ['notes.txt']],
  ['xmppctl ping ', ['alice@example.org', 'bob@example.com']],
  ['xmppctl ping --timeou', ['--timeout']],
  ['xmppctl completion ', ['bash', 'fish', 'zsh']],
  ['xmppctl help exit', ['exit-codes']],
];

async function inShell(program: string, args: readonly string[]): Promise<string[]> {
  const { stdout, stderr } = await promisify(execFile)(program, args, { env, cwd: `${home.dir}/work` });
  expect(stderr).toBe('');
  return stdout.split('\n').filter((line) => line !== '');
}

describe('bash', () => {
  const complete = (line: string): Promise<string[]> =>
    inShell('bash', [
      '--norc',
      '-c',
      `source "$1"; COMP_LINE=$2 COMP_POINT=\${#2}; _xmppctl; printf '%s\\n' "\${COMPREPLY[@]}"`,
      'bash',
      script('bash'),
      line,
    ]);

  it.each(cases)('%s', async (line, offered) => {
    expect((await complete(line)).sort()).toEqual([...offered].sort());
  });

  it.each([
    // readline keeps what stands before the last of its word breaks, and takes the @ with what follows.
    ['xmppctl account show bob@ex', ['@example.com']],
    ['xmppctl ping --account=al', ['alice']],
    ['xmppctl ping --trace=no', ['notes.txt']],
    ['xmppctl ping --trace ', ['alice@example.org', 'bob@example.com']],
    ['xmppctl ping --tr', ['--trace', '--trace=', '--trace-secrets']],
    ['xmppctl nonsense ', []],
    ['xmppctl account list ', []],
  ])('%s', async (line, offered) => {
    expect((await complete(line)).sort()).toEqual([...offered].sort());
  });

  it('completes an address at a prompt', async () => {
    await using terminal = startTerminal('bash', ['--norc', '-i']);
    await terminal.type(`source ${script('bash')}; echo rea""dy\r`, /\nready/);
    await terminal.type('xmppctl account show bob@ex\t', /@example\.com /);
    await terminal.type('\u0015xmppctl account sh\t', /account show /);
  });
});

describe('fish', () => {
  it.each(cases)('%s', async (line, offered) => {
    const lines = await inShell('fish', [
      '--no-config',
      '-c',
      'source $argv[1]; complete -C $argv[2]',
      script('fish'),
      line,
    ]);
    expect(lines.map((text) => text.split('\t')[0]).sort()).toEqual([...offered].sort());
  });
});

describe('zsh', () => {
  it('loads as a file of $fpath too', async () => {
    expect(await inShell('zsh', ['-f', '-n', script('zsh')])).toEqual([]);
  });

  it('completes at a prompt', async () => {
    await using terminal = startTerminal('zsh', ['-f', '-i']);
    await terminal.type(
      `cd work; autoload -Uz compinit; compinit -u -D; source ${script('zsh')}; echo rea""dy\r`,
      /\nready/,
    );
    await terminal.type('xmppctl acc\t', /xmppctl account /);
    await terminal.type('\u0015xmppctl account sh\t', /account show /);
    await terminal.type('\u0015xmppctl account show \t', /alice +bob@example\.com/);
    await terminal.type('\u0015xmppctl account show bo\t', /show bob@example\.com /);
    await terminal.type('\u0015xmppctl --account alice account im\t', /account import /);
    await terminal.type('\u0015xmppctl account import sendxmpp no\t', /notes\.txt /);
    await terminal.type('\u0015xmppctl ping \t', /alice@example\.org +bob@example\.com/);
    await terminal.type('\u0015xmppctl account add --ca=no\t', /--ca=notes\.txt /);
    await terminal.type('\u0015xmppctl completion f\t', /completion fish /);
  });
});

describe('a shell that is not known', () => {
  it('is refused with those that are', async () => {
    const { code, stdout, stderr } = await runXmppctl(['completion', 'tcsh']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('one of bash, zsh, fish');
  });
});

interface Terminal extends AsyncDisposable {
  /** Types, and waits until what follows looks like `answer`. */
  type(keys: string, answer: RegExp): Promise<void>;
}

// eslint-disable-next-line no-control-regex -- finding control characters is the point
const escapes = /\u0007|\u001b\[[0-9;?]*[A-Za-z]/g;
const started: IPty[] = [];
afterEach(() => {
  for (const terminal of started.splice(0)) terminal.kill();
});

function startTerminal(shell: string, args: string[]): Terminal {
  const terminal = spawn(shell, args, { cols: 120, rows: 40, cwd: home.dir, env });
  started.push(terminal);
  let shown = '';
  let look = (): void => undefined;
  terminal.onData((data) => {
    // A bell, and moves of the cursor, stand between what was typed and what is added.
    shown = (shown + data).replace(escapes, '');
    look();
  });
  return {
    type: (keys, answer) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(
          () =>
            reject(new Error(`no ${String(answer)} after ${JSON.stringify(keys)}: ${JSON.stringify(shown)}`)),
          20_000,
        );
        shown = '';
        look = () => {
          if (!answer.test(shown)) return;
          clearTimeout(timer);
          look = () => undefined;
          resolve();
        };
        terminal.write(keys);
      }),
    [Symbol.asyncDispose]: () => {
      terminal.kill();
      return Promise.resolve();
    },
  };
}
