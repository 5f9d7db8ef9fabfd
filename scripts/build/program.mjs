/**
 * The program in two files, so that what a script calls over and over does not become slower with every command there
 * is: `cli.js` has the commands that are used most and everything they need, `commands.js` has the others.
 *
 * No module is in both: errors are told apart by their classes, so there must be one of each. What `commands.js` needs
 * of `cli.js` it borrows from it (`require("core:…")`), and `cli.js` asks it for a command (`require("commands:…")`);
 * `src/start.ts` brings the two together.
 */
import { build } from 'esbuild';
import path from 'node:path';

/** As the registry of commands writes them. */
const inCore = /^\.\/(send|listen|ping|raw|disco|disco\/\w+)\.js$/;
const registry = 'src/commands/registry.ts';

/** A function, as load-with-code-cache.ts wants it: it hands V8 the very text of the file. */
const asFunction = {
  banner: { js: '(function (exports, require, module, __filename, __dirname) {' },
  footer: { js: '})' },
};

/** @param {import('esbuild').BuildOptions & { absWorkingDir: string, plugins: import('esbuild').Plugin[] }} options */
export async function bundleProgram(options) {
  const root = options.absWorkingDir;
  const { core, lent, commands } = await divide(options);
  const common = { ...options, ...asFunction, outdir: undefined };
  await Promise.all([
    build({
      ...common,
      stdin: entry(root, lent, (file) => `core:${file}`, 'import "./src/cli.ts";'),
      outfile: path.join(options.outdir, 'cli.js'),
      plugins: [withoutOtherCommands(root), ...options.plugins],
    }),
    build({
      ...common,
      stdin: entry(root, commands, (file) => `commands:${file}`),
      outfile: path.join(options.outdir, 'commands.js'),
      plugins: [borrowing(root, core), ...options.plugins],
    }),
  ]);
}

/** Which modules are in `cli.js`, which of them the others import, and the files of the other commands. */
async function divide(options) {
  const { metafile } = await build({
    ...options,
    entryPoints: ['src/cli.ts'],
    metafile: true,
    write: false,
  });
  const importsOf = (file) => (metafile.inputs[file]?.imports ?? []).filter(({ external }) => !external);
  const isOther = (file, { kind, original }) =>
    file === registry && kind === 'dynamic-import' && !inCore.test(original);
  const core = new Set();
  const visit = (file) => {
    if (core.has(file)) return;
    core.add(file);
    for (const each of importsOf(file)) if (!isOther(file, each)) visit(each.path);
  };
  visit('src/cli.ts');
  const others = Object.keys(metafile.inputs).filter((file) => !core.has(file));
  const lent = new Set(others.flatMap((file) => importsOf(file).map((each) => each.path)));
  return {
    core,
    lent: [...lent].filter((file) => core.has(file)),
    commands: importsOf(registry)
      .filter((each) => isOther(registry, each))
      .map((each) => each.path),
  };
}

/** A module that gives others out when they are asked for, by name. */
function entry(root, files, nameOf, more = '') {
  const lines = files.map((file) => `${JSON.stringify(nameOf(file))}: () => require("./${file}"),`);
  return {
    contents: `${more}\nexport const lend = {\n${lines.join('\n')}\n};`,
    resolveDir: root,
    loader: 'js',
  };
}

function withoutOtherCommands(root) {
  return {
    name: 'without-other-commands',
    setup: ({ onResolve }) =>
      onResolve({ filter: /^\.\// }, ({ kind, path: name, importer, resolveDir }) => {
        if (kind !== 'dynamic-import' || importer !== path.join(root, registry) || inCore.test(name)) {
          return undefined;
        }
        const file = path.relative(root, path.join(resolveDir, name)).replace(/\.js$/, '.ts');
        return { path: `commands:${file}`, external: true };
      }),
  };
}

function borrowing(root, core) {
  const asked = Symbol('what is asked for already');
  return {
    name: 'borrowing',
    setup: ({ onResolve, onLoad, resolve }) => {
      onResolve({ filter: /^core:/ }, ({ path: name }) => ({ path: name, external: true }));
      onResolve({ filter: /.*/ }, async ({ path: name, pluginData, ...rest }) => {
        if (pluginData === asked) return undefined;
        const found = await resolve(name, { ...rest, pluginData: asked });
        const file = path.relative(root, found.path);
        return core.has(file) ? { path: `${file}.cjs`, namespace: 'borrowed', pluginData: file } : found;
      });
      onLoad({ filter: /.*/, namespace: 'borrowed' }, ({ pluginData: file }) => ({
        contents: `module.exports = require("core:${file}");`,
      }));
    },
  };
}
