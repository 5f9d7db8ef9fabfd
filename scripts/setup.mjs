/**
 * Everything a fresh clone needs: npm packages, the build, and real servers. Plain Node, without dependencies.
 *
 *   node scripts/setup.mjs [--no-install] [--bench]
 */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureBuild } from './set-up/build-output.mjs';
import { ensureDependencies } from './set-up/dependencies.mjs';
import { SetUpError } from './set-up/set-up-error.mjs';
import { ensureSystemPackages } from './set-up/system-packages.mjs';

export const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');

/**
 * @param {object} options
 * @param {'none' | 'demo' | 'tests' | 'bench'} options.packages what is needed beside npm packages
 * @param {boolean} options.allowInstall false: say what is missing instead of installing it
 */
export async function setUp({ packages, allowInstall }) {
  const say = (line) => process.stderr.write(`set-up: ${line}\n`);
  try {
    const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
    if (major < 20 || (major === 20 && minor < 19)) {
      throw new SetUpError(`Node.js 20.19 or later is needed, this is ${process.versions.node}`);
    }
    ensureDependencies({ root, allowInstall, say });
    ensureBuild({ root, say });
    await ensureSystemPackages({ root, packages, allowInstall, say });
  } catch (error) {
    if (!(error instanceof SetUpError)) throw error;
    process.stderr.write(`set-up: ${error.message}\n`);
    process.exit(1);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await setUp({
    packages: process.argv.includes('--bench') ? 'bench' : 'tests',
    allowInstall: !process.argv.includes('--no-install'),
  });
}
