/**
 * Builds dist/: one CommonJS chunk per command and per shared part, loaded when used, and the types.
 *
 * esbuild splits code only for ES modules, and Node starts CommonJS about 10 ms sooner; so it splits first
 * and each chunk is turned into CommonJS afterwards, with `import()` as a deferred `require`.
 */
import { build, transform } from 'esbuild';
import { spawnSync } from 'node:child_process';
import { mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');
// Built beside dist/ and moved into its place at the end: a build that fails leaves the last one as it was.
const finished = path.join(root, 'dist');
const dist = `${finished}.${process.pid}`;
const { version } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8'));

await mkdir(dist);
try {
  await bundle();
  await rm(finished, { recursive: true, force: true });
  await rename(dist, finished);
} finally {
  await rm(dist, { recursive: true, force: true });
}

async function bundle() {
  await build({
    absWorkingDir: root,
    entryPoints: { cli: 'src/cli.ts', index: 'src/lib/index.ts' },
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    outdir: dist,
    chunkNames: 'chunks/[name]-[hash]',
    legalComments: 'linked',
    define: { XMPPCTL_VERSION: JSON.stringify(version) },
    // Native add-ons find their binaries beside themselves, so they stay outside the bundle.
    external: ['@napi-rs/keyring', 'bufferutil', 'utf-8-validate'],
    logLevel: 'warning',
  });
  for (const entry of await readdir(dist, { recursive: true })) {
    if (!entry.endsWith('.js')) continue;
    const file = path.join(dist, entry);
    const { code } = await transform(await readFile(file, 'utf8'), {
      format: 'cjs',
      platform: 'node',
      target: 'node20',
      minifyWhitespace: true,
      minifySyntax: true,
      supported: { 'dynamic-import': false },
    });
    await writeFile(file, code);
  }
  await writeFile(path.join(dist, 'package.json'), '{ "type": "commonjs" }\n');

  if (process.argv.includes('--types')) declareTypes();
}

function declareTypes() {
  const tsc = spawnSync(
    process.execPath,
    [
      path.join(root, 'node_modules/typescript/bin/tsc'),
      '-p',
      path.join(root, 'tsconfig.types.json'),
      '--outDir',
      path.join(dist, 'types'),
    ],
    { stdio: 'inherit' },
  );
  if (tsc.status !== 0) throw new Error('the type declarations could not be written');
}
