/**
 * Output that appears under its name when it is complete, and not before: until then it lies beside it, under a name
 * that tells which process makes it, so that what a killed one left behind is removed by the next.
 */
import { existsSync } from 'node:fs';
import { lstat, mkdir, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
// Signal 0 only asks whether a process is there.
import { kill, pid } from 'node:process';
import { FileError, UsageError } from '../../errors.js';
import { codeOf, reasonOf } from '../../config/private-file.js';

export interface Staging {
  /** Where to write meanwhile. */
  readonly path: string;
  commit(): Promise<void>;
  abort(): Promise<void>;
}

/**
 * @param options.isFolder the output is a folder, which is made
 * @param options.isReplacing what is there may be replaced
 * @throws UsageError something is there already
 */
export async function stage(
  target: string,
  { isFolder, isReplacing }: { isFolder: boolean; isReplacing: boolean },
): Promise<Staging> {
  const folder = path.dirname(path.resolve(target));
  const name = path.basename(path.resolve(target));
  try {
    const present = await lstat(target).catch(() => undefined);
    const isDevice =
      present !== undefined && !present.isFile() && !present.isDirectory() && !present.isSymbolicLink();
    if (isDevice && !isFolder) return { path: target, commit: done, abort: done };
    if (present && !isReplacing && !(isFolder && (await isEmptyFolder(target)))) {
      throw new UsageError(`${target} exists already`, {
        hint: 'remove it, choose another name, or let it be replaced by --force',
      });
    }
    await removeLeftOvers(folder, name);
    const staged = path.join(folder, `.${name}.${pid}.part`);
    if (isFolder) await mkdir(staged, { mode: 0o700 });
    return {
      path: staged,
      commit: () => commit(staged, target, isFolder),
      abort: () => rm(staged, { recursive: true, force: true }),
    };
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new FileError(`cannot write ${target}: ${reasonOf(error)}`, { cause: error });
  }
}

const done = (): Promise<void> => Promise.resolve();

async function isEmptyFolder(target: string): Promise<boolean> {
  return readdir(target).then(
    (names) => names.length === 0,
    () => false,
  );
}

async function commit(staged: string, target: string, isFolder: boolean): Promise<void> {
  const replaced = `${staged}.replaced`;
  try {
    // A folder with something in it cannot be renamed over.
    if (isFolder && existsSync(target)) await rename(target, replaced);
    await rename(staged, target);
    await rm(replaced, { recursive: true, force: true });
  } catch (error) {
    throw new FileError(`cannot write ${target}: ${reasonOf(error)}`, { cause: error });
  }
}

async function removeLeftOvers(folder: string, name: string): Promise<void> {
  for (const entry of await readdir(folder)) {
    if (!entry.startsWith(`.${name}.`)) continue;
    const owner = /^(\d+)\.part$/.exec(entry.slice(name.length + 2))?.[1];
    if (owner !== undefined && !isRunning(Number(owner)))
      await rm(path.join(folder, entry), { recursive: true, force: true });
  }
}

function isRunning(process: number): boolean {
  if (process === pid) return false;
  try {
    kill(process, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}
