/** Builds dist/ when something it is made from is newer. */
import { spawnSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { SetUpError } from './set-up-error.mjs';

/** @param {{ root: string, say: (line: string) => void }} options */
export function ensureBuild({ root, say }) {
  if (!isStale(root)) return;
  say('building');
  const { status } = spawnSync(process.execPath, [path.join(root, 'scripts/build.mjs')], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  if (status !== 0) throw new SetUpError('the build failed');
}

function isStale(root) {
  // The last file that the build writes.
  const built = modified(path.join(root, 'dist/package.json'));
  const sources = [
    'package-lock.json',
    'package.json',
    'scripts/build.mjs',
    ...filesBelow(root, 'scripts/build'),
    ...filesBelow(root, 'src'),
  ];
  return built === undefined || sources.some((file) => (modified(path.join(root, file)) ?? 0) > built);
}

function filesBelow(root, folder) {
  return readdirSync(path.join(root, folder), { recursive: true }).map((file) => path.join(folder, file));
}

function modified(file) {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs;
}
