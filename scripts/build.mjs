/**
 * Builds dist/: `start.js`, which answers --version and --help and loads the program, `cli.js` and `commands.js`;
 * `index.js`, the library; `account-worker.js` and `schema-worker.mjs`, which run in threads; `board/`, the page of the whiteboard; `packages/`,
 * what both load when they need it; and the types.
 *
 * All of them are CommonJS, which Node starts about 10 ms sooner than ES modules. A module behind an `import()` is
 * only run when it is asked for; compiling the whole file is spared by the code cache (`src/load-with-code-cache.ts`).
 */
import { build } from 'esbuild';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFile, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleProgram } from './build/program.mjs';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');
// Built beside dist/ and moved into its place at the end: a build that fails leaves the last one as it was.
const finished = path.join(root, 'dist');
const dist = `${finished}.${process.pid}`;
const { version } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8'));

/** Native add-ons find their binaries beside themselves. */
const external = ['@napi-rs/keyring', 'bufferutil', 'utf-8-validate'];

/** The list of commands is read for its texts only. */
const withoutCommands = {
  name: 'without-commands',
  setup: ({ onResolve }) =>
    onResolve({ filter: /.*/ }, ({ kind, path, importer }) =>
      kind === 'dynamic-import' && /[\\/]registry\.ts$/.test(importer) ? { path, external: true } : undefined,
    ),
};

/** Modules that are run when one of their functions is first called, as few runs get there. */
const seldomNeeded = {
  // commander wants it for commands that are programs of their own; we have none.
  child_process: { for: /[\\/]commander[\\/]/, functions: ['spawn'] },
  // Only for "did you mean …?".
  'fastest-levenshtein': { for: /[\\/]nearest\.ts$/, functions: ['closest', 'distance'] },
};
const lazyModules = {
  name: 'lazy-modules',
  setup: ({ onResolve, onLoad }) => {
    onResolve({ filter: /^(node:child_process|fastest-levenshtein)$/ }, ({ path: name, importer }) => {
      const wanted = name.replace('node:', '');
      return seldomNeeded[wanted].for.test(importer) ? { path: wanted, namespace: 'lazy' } : undefined;
    });
    onLoad({ filter: /.*/, namespace: 'lazy' }, ({ path: name }) => ({
      contents: seldomNeeded[name].functions
        .map((each) => `exports.${each} = (...args) => require("${name}").${each}(...args);`)
        .join('\n'),
      resolveDir: root,
    }));
  },
};

/** What runs in a thread of its own is looked for beside the program. */
const threads = { 'account-worker': 'src/lib/vcard/xep0227/account-worker.ts' };
/** The same, with packages that are modules and wait while they are loaded, which CommonJS cannot. */
const moduleThreads = { 'schema-worker': 'src/lib/sxe/schema/schema-worker.ts' };

/**
 * A package behind an `import()` gets a file of its own beside the program, so that nobody pays for it who has no use for
 * it. The exceptions are small, and nearly every run needs them.
 */
const insideTheProgram = ['smol-toml', 'chalk'];
const packages = new Set();
const packagesApart = {
  name: 'packages-apart',
  setup: ({ onResolve }) =>
    onResolve({ filter: /^[@a-z]/ }, ({ kind, path: name }) => {
      if (kind !== 'dynamic-import' || isBuiltin(name)) return undefined;
      if (insideTheProgram.includes(name) || external.includes(name)) return undefined;
      packages.add(name);
      return { path: `./${fileOfPackage(name)}.js`, external: true };
    }),
};

/** What a package reads from its own folder. */
const besidePackages = {
  'opusscript/build/opusscript_native_wasm.js': 'opusscript/build/opusscript_native_wasm.wasm',
};

function fileOfPackage(name) {
  return `packages/${name.replace(/^@|\.js$/g, '').replaceAll('/', '-')}`;
}

/** `import()` gives everything a CommonJS module exports as `default`, and of that the named exports. */
function packageEntry(name) {
  return `const all = require("${name}");
    module.exports = all.__esModule ? Object.assign(all.default ?? {}, all) : all;`;
}

await mkdir(dist);
try {
  await bundle();
  await rm(finished, { recursive: true, force: true });
  await rename(dist, finished);
} finally {
  await rm(dist, { recursive: true, force: true });
}

async function bundle() {
  const common = {
    absWorkingDir: root,
    bundle: true,
    format: 'cjs',
    platform: 'node',
    target: 'node20',
    outdir: dist,
    minifyWhitespace: true,
    minifySyntax: true,
    // What stays outside is required when it is asked for: a script of V8's cannot import.
    supported: { 'dynamic-import': false },
    legalComments: 'linked',
    define: { XMPPCTL_VERSION: JSON.stringify(version) },
    external,
    logLevel: 'warning',
  };
  await Promise.all([
    bundleProgram({ ...common, plugins: [lazyModules, packagesApart] }),
    build({ ...common, entryPoints: { index: 'src/lib/index.ts' }, plugins: [packagesApart] }),
    build({ ...common, entryPoints: threads, plugins: [packagesApart] }),
    build({
      ...common,
      entryPoints: moduleThreads,
      format: 'esm',
      outExtension: { '.js': '.mjs' },
      supported: {},
      charset: 'utf8',
    }),
    bundleBoard(),
  ]);
  await Promise.all([...packages].map((name) => bundlePackage(name, common)));
  await Promise.all(
    Object.entries(besidePackages).map(([name, file]) =>
      packages.has(name)
        ? copyFile(path.join(root, 'node_modules', file), path.join(dist, 'packages', path.basename(file)))
        : undefined,
    ),
  );
  await build({
    ...common,
    entryPoints: { start: 'src/start.ts' },
    plugins: [withoutCommands],
    define: { ...common.define, XMPPCTL_BUILD: JSON.stringify(await digestOfProgram()) },
  });
  await writeFile(path.join(dist, 'package.json'), '{ "type": "commonjs" }\n');

  if (process.argv.includes('--types')) declareTypes();
}

/** The page of `sxe board` runs in a browser; the command serves its files as they are. */
async function bundleBoard() {
  const source = path.join(root, 'src/lib/sxe-board/page');
  const folder = path.join(dist, 'board');
  await build({
    absWorkingDir: root,
    entryPoints: { page: path.join(source, 'main.ts') },
    outdir: folder,
    bundle: true,
    format: 'iife',
    platform: 'browser',
    target: 'es2022',
    minify: true,
    logLevel: 'warning',
  });
  for (const file of ['index.html', 'page.css', 'icon.svg'])
    await copyFile(path.join(source, file), path.join(folder, file));
}

/** Packages are installed with the same dates everywhere: only this tells one build from another for certain. */
async function digestOfProgram() {
  const hash = createHash('sha256');
  for (const file of ['cli.js', 'commands.js']) hash.update(await readFile(path.join(dist, file)));
  return hash.digest('hex').slice(0, 32);
}

function bundlePackage(name, common) {
  return build({
    ...common,
    stdin: { contents: packageEntry(name), resolveDir: root, loader: 'js' },
    outdir: undefined,
    outfile: path.join(dist, `${fileOfPackage(name)}.js`),
  });
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
