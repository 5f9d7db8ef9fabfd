/** Giving a complete file its name, without ever taking the place of another. */
import { constants } from 'node:fs';
import { link, lstat, open, rename, unlink, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { FileError } from '../../errors.js';
import { candidateNames } from './file-name.js';
import { codeOf, storageError } from './storage-error.js';

/** How far in the future a date may be before it is taken for nonsense. */
const MAX_AHEAD_MS = 86_400_000;
/** Of a file system that has no hard links (FAT, some network ones). */
export const noLinks: ReadonlySet<string | undefined> = new Set([
  'EPERM',
  'ENOTSUP',
  'EOPNOTSUPP',
  'ENOSYS',
  'EMLINK',
]);

/**
 * Moves `temporary` to the first of the name's candidates that is free. A link is made only where nothing is, a
 * symbolic link included, so no race can overwrite a file.
 * @returns the path. @throws FileError
 */
export async function placeFile(temporary: string, folder: string, name: string): Promise<string> {
  try {
    for (const candidate of candidateNames(name)) {
      const final = path.join(folder, candidate);
      if (await moveToFree(temporary, final)) return final;
    }
  } catch (error) {
    throw storageError(`store ${path.join(folder, name)}`, error);
  }
  throw new FileError(`cannot store ${path.join(folder, name)}: there are too many files of that name`);
}

/** @returns false when something is there already */
async function moveToFree(temporary: string, final: string): Promise<boolean> {
  try {
    await link(temporary, final);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'EEXIST') {
      // A run before this one was killed between the two steps.
      if (!(await isSameInode(temporary, final))) return false;
    } else if (noLinks.has(code)) {
      return reserveAndMove(temporary, final);
    } else {
      throw error;
    }
  }
  await unlink(temporary);
  return true;
}

/** Without links: the name is taken by an empty file first, which nobody else can have made. */
async function reserveAndMove(temporary: string, final: string): Promise<boolean> {
  let handle: FileHandle;
  try {
    const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;
    handle = await open(final, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW);
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
  await handle.close();
  await rename(temporary, final);
  return true;
}

export async function isSameInode(one: string, other: string): Promise<boolean> {
  const [first, second] = await Promise.all([one, other].map((file) => lstat(file).catch(() => undefined)));
  return first !== undefined && first.ino === second?.ino && first.dev === second.dev;
}

/** The file is as old as its sender says. That is no reason to fail: a date that cannot be is not set. */
export async function setDate(handle: FileHandle, date: Date | undefined): Promise<void> {
  const time = date?.getTime() ?? Number.NaN;
  if (!(time > 0 && time < Date.now() + MAX_AHEAD_MS)) return;
  await handle.utimes(new Date(), new Date(time)).catch(() => undefined);
}

/** After a crash of the whole machine too, the folder knows its new entry. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
