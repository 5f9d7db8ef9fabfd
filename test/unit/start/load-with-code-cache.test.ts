import {
  chmodSync,
  mkdtempSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadWithCodeCache, type CodeCacheOptions } from '../../../src/load-with-code-cache.js';

const require = createRequire(import.meta.url);

describe('the code cache', () => {
  let folder: string;
  let program: string;
  const cacheFolder = () => path.join(folder, 'cache/xmppctl/code');
  const caches = () => readdirSync(cacheFolder());

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'xmppctl-code-'));
    program = path.join(folder, 'program.js');
    writeFileSync(
      program,
      '(function (exports, require, module, __filename, __dirname) { const two = () => 2; globalThis.codeCacheTest = [two() + 1, __filename]; })',
    );
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  /** Runs the program and its end. @returns whether it was compiled anew */
  function run(options: Partial<CodeCacheOptions> = {}): boolean {
    let save: (() => void) | undefined;
    loadWithCodeCache(program, {
      require,
      env: { XDG_CACHE_HOME: path.join(folder, 'cache') },
      variant: 'send',
      identity: 'build v20 x64',
      uid: process.getuid?.(),
      atExit: (given) => (save = given),
      ...options,
    });
    expect((globalThis as Record<string, unknown>)['codeCacheTest']).toEqual([3, program]);
    delete (globalThis as Record<string, unknown>)['codeCacheTest'];
    save?.();
    return save !== undefined;
  }

  it('compiles once, for the eyes of the user only', () => {
    expect([run(), run()]).toEqual([true, false]);
    const [name = ''] = caches();
    expect(statSync(path.join(cacheFolder(), name)).mode & 0o777).toBe(0o600);
    expect(statSync(cacheFolder()).mode & 0o777).toBe(0o700);
  });

  it('keeps commands, builds, versions of Node and flags apart', () => {
    run();
    expect(run({ variant: 'listen' })).toBe(true);
    expect(run({ identity: 'build v22 x64' })).toBe(true);
    expect(run({ identity: 'other v20 x64' })).toBe(true);
    expect(run({ identity: 'build v20 x64 --no-opt' })).toBe(true);
    expect(run({ env: { XDG_CACHE_HOME: path.join(folder, 'cache'), NODE_OPTIONS: '--no-opt' } })).toBe(true);
    utimesSync(program, 1, 1);
    expect(run()).toBe(true);
    expect(caches()).toHaveLength(7);
    expect(run()).toBe(false);
  });

  it('returns what the file exports, and lends it our require', () => {
    writeFileSync(program, '(function (exports, require) { exports.answer = require("question"); })');
    const options = { env: {}, variant: 'send', identity: '', uid: undefined, atExit: () => undefined };
    expect(loadWithCodeCache(program, { ...options, require: (id) => `${id}?` })).toEqual({
      answer: 'question?',
    });
  });

  it('does not run what was damaged, and replaces it', () => {
    run();
    const [name = ''] = caches();
    const file = path.join(cacheFolder(), name);
    const content = readFileSync(file);
    content[content.length - 9] = (content[content.length - 9] ?? 0) ^ 1;
    writeFileSync(file, content);
    expect([run(), run()]).toEqual([true, false]);
    writeFileSync(file, '');
    expect([run(), run()]).toEqual([true, false]);
  });

  it('does not run what another user could have written', () => {
    run();
    const [name = ''] = caches();
    chmodSync(cacheFolder(), 0o777);
    expect(run()).toBe(true);
    chmodSync(cacheFolder(), 0o700);
    chmodSync(path.join(cacheFolder(), name), 0o666);
    expect(run()).toBe(true);
    chmodSync(path.join(cacheFolder(), name), 0o600);
    expect(run()).toBe(false);
    expect(run({ uid: 12_345 })).toBe(true);
  });

  it('follows no link', () => {
    run();
    const [name = ''] = caches();
    const elsewhere = path.join(folder, 'elsewhere');
    renameSync(path.join(cacheFolder(), name), elsewhere);
    symlinkSync(elsewhere, path.join(cacheFolder(), name));
    expect(run()).toBe(true);
    expect(run()).toBe(false);
    renameSync(cacheFolder(), `${elsewhere}.d`);
    symlinkSync(`${elsewhere}.d`, cacheFolder());
    expect([run(), run()]).toEqual([true, true]);
  });

  it('leaves nothing in a folder that is not ours', () => {
    mkdirSync(cacheFolder(), { recursive: true, mode: 0o700 });
    expect(run({ uid: 12_345 })).toBe(true);
    chmodSync(cacheFolder(), 0o770);
    expect(run()).toBe(true);
    expect(caches()).toEqual([]);
  });

  it('works without a place for it', () => {
    writeFileSync(path.join(folder, 'file'), '');
    expect(run({ env: { XDG_CACHE_HOME: path.join(folder, 'file') } })).toBe(true);
    expect(run({ env: {} })).toBe(false);
    expect(run({ env: { HOME: path.join(folder, 'not-there') } })).toBe(false);
    expect(run({ uid: undefined })).toBe(false);
    expect(run({ env: { HOME: folder, NODE_DISABLE_COMPILE_CACHE: '1' } })).toBe(false);
    expect(readdirSync(folder)).not.toContain('.cache');
  });

  it('follows HOME, and a relative XDG_CACHE_HOME counts as none', () => {
    run({ env: { HOME: folder, XDG_CACHE_HOME: 'cache' } });
    expect(readdirSync(path.join(folder, '.cache/xmppctl/code'))).toHaveLength(1);
  });

  it('removes what has not been written for a month', () => {
    mkdirSync(cacheFolder(), { recursive: true, mode: 0o700 });
    const old = path.join(cacheFolder(), 'old-send');
    writeFileSync(old, '');
    utimesSync(old, new Date(), new Date(Date.now() - 31 * 24 * 3600 * 1000));
    run();
    expect(caches()).toHaveLength(1);
    expect(caches()).not.toContain('old-send');
  });
});
