/** What recording a trace in a file costs a busy stream: 10,000 messages out and back, with and without. @sandbox prosody */
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { build } from 'esbuild';
import { bar, median, root, show } from './measure.mjs';

// Beside node_modules, so that what is not bundled is found.
const folder = await mkdtemp(path.join(root, 'node_modules/.xmppctl-bench-'));
try {
  const outfile = path.join(folder, 'traced-loop.cjs');
  await build({
    absWorkingDir: root,
    entryPoints: ['test/bench/peers/traced-loop.ts'],
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    outfile,
    external: ['@napi-rs/keyring', 'bufferutil', 'utf-8-validate'],
    logLevel: 'error',
  });
  const { status, stdout } = spawnSync(process.execPath, [outfile], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status !== 0) throw new Error(`traced-loop ended with exit code ${status}`);
  const { messages, off, on } = JSON.parse(stdout);
  const middle = (list, key) => median(list.map((sample) => sample[key]));
  show('messages a second, no trace', (messages / middle(off, 'wallMs')) * 1000, '/s');
  show('messages a second, traced into a file', (messages / middle(on, 'wallMs')) * 1000, '/s');
  show('CPU for a message out and back, no trace', (middle(off, 'cpuMs') / messages) * 1000, 'µs');
  show('CPU for a message out and back, traced', (middle(on, 'cpuMs') / messages) * 1000, 'µs');
  bar('time with a trace / without', middle(on, 'wallMs') / middle(off, 'wallMs'), 1.1);
} finally {
  await rm(folder, { recursive: true });
}
