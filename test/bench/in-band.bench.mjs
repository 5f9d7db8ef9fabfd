/**
 * In-band bytestreams through a server: as the program paces them by itself, beside slixmpp, which sends one block and
 * waits, and beside the best size and window that a sweep finds on this server. @sandbox prosody ejabberd
 */
import { build } from 'esbuild';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { bar, median, python, root, show } from './measure.mjs';

const MiB = 1024 * 1024;
const blockSizes = [2048, 4096, 8192, 16_384, 32_768, 65_535];
const windows = [1, 8, 32];
const folder = mkdtempSync(path.join(tmpdir(), 'xmppctl-bench-'));
try {
  const outfile = path.join(folder, 'in-band-copy.cjs');
  await build({
    absWorkingDir: root,
    entryPoints: ['test/bench/peers/in-band-copy.ts'],
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    outfile,
    external: ['@napi-rs/keyring', 'bufferutil', 'utf-8-validate'],
    logLevel: 'warning',
  });
  const copy = (runs) =>
    JSON.parse(run([process.execPath, outfile, ...runs.map((each) => JSON.stringify(each))]));

  // Stop-and-wait is as fast with a part of the file, and would take minutes with all of it.
  const ours = [];
  const theirs = [];
  for (let round = 0; round < 3; round += 1) {
    ours.push(...copy([{ blockSize: 4096, bytes: 16 * MiB }]));
    theirs.push(Number(run([python, 'test/bench/peers/slixmpp_in_band.py', '4096', String(2 * MiB)])));
  }
  show('xmppctl, 16 MiB in blocks of 4096', median(ours), 'MiB/s');
  show('slixmpp, blocks of 4096', median(theirs), 'MiB/s');
  bar('xmppctl / slixmpp with the same block size', median(ours) / median(theirs), 2, { atLeast: true });

  const cells = blockSizes.flatMap((blockSize) => windows.map((window) => ({ blockSize, window })));
  const speeds = copy(cells.map((cell) => ({ ...cell, bytes: cell.window === 1 ? MiB / 4 : 2 * MiB })));
  console.log(`  sweep, MiB/s with windows of ${windows.join(', ')}:`);
  for (const [row, blockSize] of blockSizes.entries()) {
    const line = windows.map((_, column) => speeds[row * windows.length + column].toFixed(1).padStart(7));
    console.log(`  ${String(blockSize).padStart(8)} ${line.join('')}`);
  }
  // The luckiest of many is not the best: those that look best run again, in turns with ours.
  const best = cells
    .map((cell, index) => ({ ...cell, speed: speeds[index] }))
    .sort((a, b) => b.speed - a.speed)
    .slice(0, 2);
  const rivals = [{}, ...best.map(({ blockSize, window }) => ({ blockSize, window }))];
  const rounds = 5;
  const results = copy(
    Array.from({ length: rounds }, () => rivals.map((rival) => ({ ...rival, bytes: 16 * MiB }))).flat(),
  );
  const [own, ...others] = rivals.map((_, index) =>
    median(results.filter((__, position) => position % rivals.length === index)),
  );
  show('xmppctl, 16 MiB as it paces itself', own, 'MiB/s');
  for (const [index, speed] of others.entries()) {
    show(`blocks of ${best[index].blockSize}, window ${best[index].window}`, speed, 'MiB/s');
  }
  bar('xmppctl / the best of the sweep', own / Math.max(...others), 0.85, { atLeast: true });
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function run([program, ...args]) {
  return execFileSync(program, args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
}
