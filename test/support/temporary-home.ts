/** A home folder of its own for each test: configuration and state are in it. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { configPaths, type ConfigPaths } from '../../src/lib/config/paths.js';

export interface TemporaryHome {
  readonly dir: string;
  readonly paths: ConfigPaths;
  readonly env: Readonly<Record<string, string>>;
  /** Writes config.toml, mode 0600. */
  writeConfig(text: string): Promise<void>;
  /** Writes a file below the home folder and returns its path. */
  write(name: string, text: string, mode?: number): Promise<string>;
}

/** Made before each test of the file or block (or once for all of them), removed after it. */
export function useTemporaryHome(lifetime: 'each' | 'all' = 'each'): TemporaryHome {
  let dir = '';
  const before = lifetime === 'each' ? beforeEach : beforeAll;
  const after = lifetime === 'each' ? afterEach : afterAll;
  before(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'xmppctl-home-'));
  });
  after(() => rm(dir, { recursive: true, force: true }));
  const write = async (name: string, text: string, mode = 0o600): Promise<string> => {
    const file = path.join(dir, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, text, { mode });
    return file;
  };
  return {
    get dir() {
      return dir;
    },
    get paths() {
      return configPaths({ HOME: dir });
    },
    get env() {
      return { HOME: dir, PATH: process.env['PATH'] ?? '' };
    },
    write,
    writeConfig: async (text) => {
      await write('.config/xmppctl/config.toml', text);
    },
  };
}
