/** Programs of test/bench/peers that use the sources: bundled, run, and what they print as JSON. */
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { build } from 'esbuild';
import { root } from './measure.mjs';

export async function runBundled(name, ...args) {
  // Beside node_modules, so that what is not bundled is found.
  const folder = await mkdtemp(path.join(root, 'node_modules/.xmppctl-bench-'));
  try {
    const outfile = path.join(folder, `${name}.cjs`);
    await build({
      absWorkingDir: root,
      entryPoints: [`test/bench/peers/${name}.ts`],
      bundle: true,
      platform: 'node',
      target: 'node20',
      format: 'cjs',
      outfile,
      external: ['@napi-rs/keyring', 'bufferutil', 'utf-8-validate'],
      logLevel: 'error',
    });
    const { status, stdout } = spawnSync(process.execPath, [outfile, ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
      maxBuffer: 64 * 1024 * 1024,
    });
    if (status !== 0) throw new Error(`${name} ended with exit code ${status}`);
    return JSON.parse(stdout);
  } finally {
    await rm(folder, { recursive: true });
  }
}
