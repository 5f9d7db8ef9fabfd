/** The system that the set-up looks at and changes: programs, files, the terminal, and apt. Plain Node. */
import { spawn, spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline/promises';

export const thisSystem = {
  hasProgram,
  hasPath: existsSync,
  hasPythonModule: (name) => spawnSync('/usr/bin/python3', ['-c', `import ${name}`]).status === 0,
  knowsPackage: (name) => spawnSync('apt-cache', ['show', name]).status === 0,
  isRoot: process.getuid?.() === 0,
  get isInteractive() {
    return isInteractive();
  },
  confirm,
  runAsRoot(args) {
    return runAs(this.isRoot, args);
  },
};

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

/** Ctrl-C and Ctrl-D are a no. */
async function confirm(question) {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  const closed = new Promise((resolve) => {
    lines.once('close', () => resolve(undefined));
  });
  const answer = await Promise.race([lines.question(`${question} [Y/n] `).catch(() => undefined), closed]);
  lines.close();
  if (answer === undefined) process.stderr.write('\n');
  return answer !== undefined && /^(y|yes)?$/i.test(answer.trim());
}

/** Ctrl-C reaches the child as well; it puts everything back before it ends, so it is waited for. */
function runAs(isRoot, args) {
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
