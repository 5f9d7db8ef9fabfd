/** npm packages: installed when they are not those of the lock file, and never twice. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

const scripts = path.join(path.dirname(fileURLToPath(import.meta.url)), '../../../scripts/set-up');
const { ensureDependencies } = (await import(pathToFileURL(path.join(scripts, 'dependencies.mjs')).href)) as {
  ensureDependencies: (options: { root: string; allowInstall: boolean; say: (line: string) => void }) => void;
};

const lock = (version: string): string =>
  JSON.stringify({
    packages: {
      '': { name: 'clone' },
      'node_modules/a': { version, integrity: `sha512-${version}` },
      'node_modules/mac-only': { version: '1.0.0', optional: true },
    },
  });

let root: string;
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'xmppctl-clone-'));
  await writeFile(path.join(root, 'package-lock.json'), lock('1.0.0'));
  // An npm that does what npm does last, and notes that it was called.
  const npm = `
    const fs = require('node:fs');
    fs.appendFileSync('calls', process.argv.slice(2).join(' ') + '\\n');
    fs.mkdirSync('node_modules', { recursive: true });
    const { packages } = JSON.parse(fs.readFileSync('package-lock.json', 'utf8'));
    delete packages['node_modules/mac-only'];
    fs.writeFileSync('node_modules/.package-lock.json', JSON.stringify({ packages }));
    process.exit(fs.existsSync('is-offline') ? 1 : 0);`;
  await writeFile(path.join(root, 'npm.cjs'), npm);
  vi.stubEnv('npm_execpath', path.join(root, 'npm.cjs'));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(root, { recursive: true });
});

function setUp(allowInstall = true): string[] {
  const said: string[] = [];
  ensureDependencies({ root, allowInstall, say: (line) => said.push(line) });
  return said;
}
const calls = async (): Promise<string[]> =>
  (await readFile(path.join(root, 'calls'), 'utf8').catch(() => '')).split('\n').slice(0, -1);

describe('npm packages', () => {
  it('are installed once: a second run does nothing', async () => {
    expect(setUp()).toEqual(['installing npm packages (npm ci)']);
    expect(setUp()).toEqual([]);
    expect(await calls()).toEqual([expect.stringMatching(/^ci /)]);
  });

  it('are installed again when the lock file has changed', async () => {
    setUp();
    await writeFile(path.join(root, 'package-lock.json'), lock('1.0.1'));
    expect(setUp()).toEqual(['installing npm packages (npm ci)']);
    expect(await calls()).toHaveLength(2);
  });

  it('are installed again after an installation that was cut off', async () => {
    await mkdir(path.join(root, 'node_modules/a'), { recursive: true });
    expect(setUp()).toHaveLength(1);
  });

  it('are only missed with --no-install', async () => {
    expect(() => setUp(false)).toThrow(
      /^npm packages are missing or not those of package-lock.json: run npm ci$/,
    );
    expect(await calls()).toEqual([]);
  });

  it('that cannot be fetched end the set-up with one line', async () => {
    await writeFile(path.join(root, 'is-offline'), '');
    expect(() => setUp()).toThrow(/^npm ci failed$/);
  });
});
