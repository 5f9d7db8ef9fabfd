/** The headless Chromium of the tests, for benchmarks and pictures. */
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { build } from 'esbuild';
import { root } from './measure.mjs';

/** Opens a page of a file, hands it to `use`, and closes it. */
export async function withPage(file, use) {
  // Beside node_modules, so that what is not bundled is found.
  const folder = await mkdtemp(path.join(root, 'node_modules/.xmppctl-page-'));
  try {
    const outfile = path.join(folder, 'chromium.cjs');
    await build({
      absWorkingDir: root,
      entryPoints: ['test/support/chromium.ts'],
      ...{ bundle: true, platform: 'node', target: 'node20', format: 'cjs', outfile },
      ...{ external: ['playwright-core'], logLevel: 'error' },
    });
    const { openPage } = createRequire(import.meta.url)(outfile);
    const page = await openPage(file);
    try {
      return await use(page);
    } finally {
      await page.close();
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}
