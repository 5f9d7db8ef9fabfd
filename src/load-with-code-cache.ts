/**
 * Runs the bundled program with what V8 compiled of it the last time, which spares a third of the time it takes to load.
 *
 * The cache is a convenience that must never get in the way: whatever is wrong with it, the program is compiled from its
 * source as if there were none. What it holds is run as code, so it is only taken from a folder that belongs to the user
 * and that nobody else can write to.
 */
import { createHash, randomBytes } from 'node:crypto';
import {
  constants,
  existsSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  closeSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { Script } from 'node:vm';

export interface CodeCacheOptions {
  /** What the file is given as `require`. */
  require: (id: string) => unknown;
  env: Readonly<Record<string, string | undefined>>;
  /** Which of several caches of the same file: one for each way through the program. */
  variant: string;
  /**
   * Everything that decides whether compiled code fits: the build of the program, the version of Node and the flags it
   * was started with. V8 looks at its own version and flags, but of the program only at the length.
   */
  identity: string;
  /** Who we are; undefined where the system has no such thing, and then nothing is cached. */
  uid: number | undefined;
  /** Calls `save` when the program ends well: by then everything it needs has been compiled. */
  atExit: (save: () => void) => void;
}

/**
 * Runs a file that holds one function, of the shape that CommonJS modules are wrapped in. It must be plain ASCII.
 *
 * @returns what the file exports
 */
export function loadWithCodeCache(file: string, options: CodeCacheOptions): unknown {
  const cache = locate(file, options);
  const cachedData = cache === undefined ? undefined : read(cache, options.uid);
  const script = new Script(readFileSync(file, 'latin1'), {
    filename: file,
    ...(cachedData && { cachedData }),
  });
  if (cache !== undefined && (cachedData === undefined || script.cachedDataRejected === true)) {
    options.atExit(() => write(cache, script.createCachedData(), options.uid));
  }
  const run = script.runInThisContext() as (...args: unknown[]) => void;
  const module = { exports: {} };
  run(module.exports, options.require, module, file, path.dirname(file));
  return module.exports;
}

/** `NODE_DISABLE_COMPILE_CACHE` is what Node itself looks at for its own cache of this kind. */
function locate(file: string, { env, variant, identity, uid }: CodeCacheOptions): string | undefined {
  const { HOME: home, XDG_CACHE_HOME: xdg, NODE_DISABLE_COMPILE_CACHE: disabled } = env;
  if (uid === undefined || (disabled !== undefined && disabled !== '')) return undefined;
  // A home that is not there (as of a service's user) is not to be made.
  const root = xdg && path.isAbsolute(xdg) ? xdg : home && existsSync(home) && path.join(home, '.cache');
  if (!root) return undefined;
  const { mtimeMs, size } = statSync(file);
  const build = createHash('sha256')
    .update(JSON.stringify([identity, env['NODE_OPTIONS'] ?? '', file, mtimeMs, size]))
    .digest('hex')
    .slice(0, 16);
  return path.join(root, 'xmppctl', 'code', `${build}-${variant}`);
}

const digestBytes = 32;
const maxAgeMs = 30 * 24 * 3600 * 1000;

/** The digest stands before the data: V8 itself trusts that what it is given is whole. */
function read(file: string, uid: number | undefined): Buffer | undefined {
  try {
    if (!isOwnFolder(path.dirname(file), uid)) return undefined;
    const handle = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const stats = fstatSync(handle);
      if (!stats.isFile() || !isOurs(stats, uid)) return undefined;
      const content = readFileSync(handle);
      const data = content.subarray(digestBytes);
      return digestOf(data).equals(content.subarray(0, digestBytes)) ? data : undefined;
    } finally {
      closeSync(handle);
    }
  } catch {
    return undefined;
  }
}

function write(file: string, data: Buffer, uid: number | undefined): void {
  try {
    const folder = path.dirname(file);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    // With sudo the home may be somebody else's: nothing of ours belongs there.
    if (!isOwnFolder(folder, uid)) return;
    const temporary = `${file}.${randomBytes(6).toString('hex')}`;
    writeFileSync(temporary, Buffer.concat([digestOf(data), data]), { mode: 0o600, flag: 'wx' });
    renameSync(temporary, file);
    removeOld(folder);
  } catch {
    // A read-only home, a full disk: the next run compiles again.
  }
}

/** Those of earlier builds are never used again. */
function removeOld(folder: string): void {
  const limit = Date.now() - maxAgeMs;
  for (const name of readdirSync(folder)) {
    const file = path.join(folder, name);
    if (statSync(file).mtimeMs < limit) rmSync(file, { force: true });
  }
}

/** A link to a folder is none. */
function isOwnFolder(folder: string, uid: number | undefined): boolean {
  const stats = lstatSync(folder);
  return stats.isDirectory() && isOurs(stats, uid);
}

/** It belongs to the user, and nobody else can write to it. */
function isOurs({ uid, mode }: { uid: number; mode: number }, self: number | undefined): boolean {
  return uid === self && (mode & 0o022) === 0;
}

function digestOf(data: Buffer): Buffer {
  return createHash('sha256').update(data).digest();
}
