/** Programs of `test/support/programs`, as files that Node runs in a process of their own. */
import { build } from 'esbuild';
import { mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';

const root = path.join(import.meta.dirname, '../..');

export interface Program extends AsyncDisposable {
  readonly file: string;
}

export async function bundleProgram(name: string): Promise<Program> {
  // Beside node_modules, so that what is not bundled is found.
  const folder = await mkdtemp(path.join(root, 'node_modules/.xmppctl-test-'));
  const file = path.join(folder, `${name}.mjs`);
  await build({
    absWorkingDir: root,
    entryPoints: [`test/support/programs/${name}.ts`],
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    // Packages that are CommonJS require Node's modules.
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
    external: ['@napi-rs/keyring', 'bufferutil', 'utf-8-validate'],
    outfile: file,
    logLevel: 'error',
  });
  return { file, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
}
