/**
 * Writes man/ from the definitions of the commands, and lists the pages in package.json.
 *
 *     node scripts/man.mjs [--check]     with --check nothing is written: exit code 1 when something is stale
 */
import { build } from 'esbuild';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');
const folder = path.join(root, 'man');
const packageFile = path.join(root, 'package.json');
const packageText = await readFile(packageFile, 'utf8');
const packageJson = JSON.parse(packageText);

// In node_modules, so that what stays outside the bundle is found from there.
const scratch = await mkdtemp(path.join(root, 'node_modules/.xmppctl-man-'));
let pages;
try {
  const bundle = path.join(scratch, 'man.cjs');
  await build({
    absWorkingDir: root,
    stdin: {
      contents: `export { registry } from './src/commands/registry.js';
export { renderManPages } from './src/lib/help/man-pages.js';`,
      resolveDir: root,
      loader: 'ts',
    },
    bundle: true,
    format: 'cjs',
    platform: 'node',
    target: 'node20',
    outfile: bundle,
    define: { XMPPCTL_VERSION: JSON.stringify(packageJson.version) },
    external: ['@napi-rs/keyring', 'bufferutil', 'utf-8-validate'],
    logLevel: 'warning',
  });
  const { registry, renderManPages } = createRequire(import.meta.url)(bundle);
  pages = await renderManPages(registry, packageJson.version);
} finally {
  await rm(scratch, { recursive: true, force: true });
}

const wanted = new Map([...pages].map(([name, text]) => [path.join(folder, name), text]));
packageJson.man = [...pages.keys()].sort().map((name) => `./man/${name}`);
wanted.set(packageFile, `${JSON.stringify(packageJson, null, 2)}\n`);
const stale = [];
for (const [file, text] of wanted) {
  const current = await readFile(file, 'utf8').catch(() => undefined);
  if (current !== text) stale.push(file);
}
const gone = (await readdir(folder))
  .filter((name) => /\.[15]$/.test(name) && !pages.has(name))
  .map((name) => path.join(folder, name));

if (process.argv.includes('--check')) {
  for (const file of [...stale, ...gone]) console.error(`stale: ${path.relative(root, file)} (npm run man)`);
  process.exitCode = stale.length + gone.length > 0 ? 1 : 0;
} else {
  for (const file of stale) await writeFile(file, wanted.get(file));
  for (const file of gone) await rm(file);
  console.log(`${pages.size} pages, ${stale.length} written, ${gone.length} removed`);
}
