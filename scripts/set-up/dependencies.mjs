/** Installs the npm packages of the lock file, unless they are there already. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { SetUpError } from './set-up-error.mjs';

/** @param {{ root: string, allowInstall: boolean, say: (line: string) => void }} options */
export function ensureDependencies({ root, allowInstall, say }) {
  if (areInstalled(root)) return;
  if (!allowInstall)
    throw new SetUpError('npm packages are missing or not those of package-lock.json: run npm ci');
  say('installing npm packages (npm ci)');
  const npm = process.env.npm_execpath;
  // Its errors are wanted, not what it thinks of packages.
  const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error'];
  // stdout carries results only: whatever npm says goes to stderr.
  const { status, error } = spawnSync(npm ? process.execPath : 'npm', npm ? [npm, ...args] : args, {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  if (error || status !== 0) throw new SetUpError(`npm ci failed${error ? `: ${error.message}` : ''}`);
}

/** npm writes its own record of what it has installed, as the last thing it does. */
function areInstalled(root) {
  const wanted = readPackages(path.join(root, 'package-lock.json'));
  const present = readPackages(path.join(root, 'node_modules/.package-lock.json'));
  if (!wanted || !present) return false;
  return Object.entries(wanted).every(([name, entry]) => {
    // Of the optional packages npm installs those for this system.
    if (name === '' || (entry.optional && !present[name])) return true;
    return present[name]?.version === entry.version && present[name]?.integrity === entry.integrity;
  });
}

function readPackages(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages;
  } catch {
    return undefined;
  }
}
