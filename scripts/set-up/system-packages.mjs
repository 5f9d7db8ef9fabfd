/**
 * Finds the servers that the tests, the demo and the benchmarks run, and installs them with apt where they are
 * missing. Where that is not possible, one line says what to install.
 */
import { spawn, spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline/promises';
import { SetUpError } from './set-up-error.mjs';

/** What shows that a package is there, also when it came from somewhere else than apt. */
const evidence = {
  prosody: () => hasProgram('prosody'),
  'prosody-modules': () =>
    ['/usr/lib', '/usr/lib64', '/usr/share', '/usr/local/lib', '/opt/homebrew/lib'].some((prefix) =>
      existsSync(path.join(prefix, 'prosody/modules/mod_privilege')),
    ),
  ejabberd: () => hasProgram('ejabberdctl'),
  zsh: () => hasProgram('zsh'),
  fish: () => hasProgram('fish'),
  'groff-base': () => hasProgram('groff'),
  'python3-slixmpp': () => spawnSync('/usr/bin/python3', ['-c', 'import slixmpp']).status === 0,
  iproute2: () => hasProgram('ip'),
  nftables: () => hasProgram('nft'),
  ncat: () => hasProgram('ncat'),
  'go-sendxmpp': () => hasProgram('go-sendxmpp'),
};

/** @param {{ root: string, packages: 'none' | 'demo' | 'tests' | 'bench', allowInstall: boolean, say: (line: string) => void }} options */
export async function ensureSystemPackages({ root, packages, allowInstall, say }) {
  const { debian, servers } = JSON.parse(
    readFileSync(path.join(root, 'src/lib/sandbox/system-packages.json'), 'utf8'),
  );
  const needed = debian[packages] ?? [];
  // One server is enough for a demonstration.
  if (packages === 'demo' && (evidence.prosody() || evidence.ejabberd())) return;
  const findMissing = () => needed.filter((name) => !evidence[name]());
  const missing = findMissing();
  if (missing.length === 0) return;
  const howElse = [
    `Debian or Ubuntu: apt install ${missing.join(' ')}`,
    ...Object.entries(servers)
      .filter(([system]) => system !== 'Debian or Ubuntu')
      .map(([system, line]) => `${system}: ${line}`),
  ].join('; ');
  const need = `${missing.join(', ')} must be installed`;
  if (!allowInstall) throw new SetUpError(`${need} (${howElse})`);
  if (!hasProgram('apt-get')) throw new SetUpError(`${need}, and there is no apt here (${howElse})`);
  const isRoot = process.getuid?.() === 0;
  if (!isRoot && !hasProgram('sudo')) throw new SetUpError(`${need}, by root or with sudo (${howElse})`);
  if (
    isInteractive() &&
    !(await confirm(`Install ${missing.join(', ')} with apt${isRoot ? '' : ' (sudo)'}?`))
  ) {
    throw new SetUpError(`${need} (${howElse})`);
  }
  say(`installing ${missing.join(', ')} with apt; their services stay off`);
  const code = await runAsRoot(isRoot, [path.join(root, 'scripts/set-up/apt-install.mjs'), ...missing]);
  if (code !== 0) throw new SetUpError(`installing with apt failed (${howElse})`);
  const still = findMissing();
  if (still.length > 0) throw new SetUpError(`apt installed no ${still.join(', ')} (${howElse})`);
}

function hasProgram(name) {
  const usual = [
    '/usr/local/sbin',
    '/usr/local/bin',
    '/usr/sbin',
    '/usr/bin',
    '/sbin',
    '/bin',
    '/opt/homebrew/sbin',
  ];
  return [...(process.env.PATH ?? '').split(path.delimiter), ...usual, '/opt/homebrew/bin'].some(
    (directory) => {
      try {
        accessSync(path.join(directory, name), constants.X_OK);
        return path.isAbsolute(directory);
      } catch {
        return false;
      }
    },
  );
}

function isInteractive() {
  return process.stdin.isTTY === true && process.stderr.isTTY === true && !process.env.CI;
}

async function confirm(question) {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^(y|yes)?$/i.test((await lines.question(`${question} [Y/n] `)).trim());
  } finally {
    lines.close();
  }
}

/** Ctrl-C reaches the child as well; it puts everything back before it ends, so it is waited for. */
function runAsRoot(isRoot, args) {
  const sudo = ['sudo', ...(isInteractive() ? [] : ['-n']), '--', process.execPath];
  const [program, ...first] = isRoot ? [process.execPath] : sudo;
  const ignore = () => undefined;
  process.on('SIGINT', ignore).on('SIGTERM', ignore);
  return new Promise((resolve) => {
    const child = spawn(program, [...first, ...args], {
      stdio: [isInteractive() ? 'inherit' : 'ignore', 2, 2],
    });
    child.on('error', () => resolve(1));
    child.on('exit', (code) => resolve(code ?? 1));
  }).finally(() => {
    process.off('SIGINT', ignore).off('SIGTERM', ignore);
  });
}
