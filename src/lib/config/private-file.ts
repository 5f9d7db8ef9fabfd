/** Files that nobody else may read: checked before they are read, written whole or not at all. */
import { randomBytes } from 'node:crypto';
import { promises as fs, readFileSync, statSync } from 'node:fs';
import { platform } from 'node:os';
import path from 'node:path';
import { FileError } from '../errors.js';

/** The code of a system error (`ENOENT`). */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}

/** A system error in plain words. */
export function reasonOf(error: unknown): string {
  switch (codeOf(error)) {
    case 'ENOENT':
      return 'it does not exist';
    case 'EACCES':
    case 'EPERM':
      return 'permission denied';
    case 'EBADF':
      return 'it is not open';
    case 'EISDIR':
      return 'it is a folder';
    case 'ENOTDIR':
      return 'a part of its path is not a folder';
    case 'ENOSPC':
      return 'the disk is full';
    case 'EROFS':
      return 'the file system is read-only';
    default:
      return error instanceof Error ? error.message : String(error);
  }
}

/**
 * Reads a text file.
 * @param what names it in errors: `the CA file`
 * @throws FileError it cannot be read
 */
export async function readTextFile(file: string, what: string): Promise<string> {
  try {
    // A small file is there at once; only a pipe has to be waited for, and Ctrl-C must be heard meanwhile.
    return statSync(file).isFile() ? readFileSync(file, 'utf8') : await fs.readFile(file, 'utf8');
  } catch (error) {
    throw new FileError(`cannot read ${what} ${file}: ${reasonOf(error)}`, { cause: error });
  }
}

/**
 * Reads a file that holds a secret.
 * @param what names it in errors: `the password file`
 * @param options.othersMask permission bits that nobody but the owner may have; 0o077 unless given
 * @throws FileError it cannot be read, or others can read it
 */
export async function readPrivateFile(
  file: string,
  what: string,
  options: { othersMask?: number } = {},
): Promise<string> {
  checkPrivate(file, what, options.othersMask);
  return readTextFile(file, what);
}

function checkPrivate(file: string, what: string, othersMask = 0o077): void {
  // Windows has no such bits: Node makes them up there.
  if (platform() === 'win32') return;
  let found;
  try {
    found = statSync(file);
  } catch (error) {
    throw new FileError(`cannot read ${what} ${file}: ${reasonOf(error)}`, { cause: error });
  }
  // A pipe, as in --password-file <(pass show xmpp), belongs to the two ends that hold it.
  if (!found.isFile() || (found.mode & othersMask) === 0) return;
  const mode = (found.mode & 0o777).toString(8).padStart(4, '0');
  throw new FileError(`${what} ${file} can be read by others: its mode is ${mode}, it must be 0600`, {
    hint: `chmod 600 ${file}`,
    details: { file, mode, wanted: '0600' },
  });
}

/**
 * Replaces a file in one step, so that a reader sees the old content or the new one, and a crash leaves the old one. A
 * symbolic link stays one: its target is replaced. What is no plain file (`/dev/stdout`, a named pipe) is written into:
 * replaced, it would be gone for everybody.
 * @param write given where to write, and whether that is a file to be made
 */
export async function replaceFile(
  file: string,
  write: (path: string, isNew: boolean) => Promise<void>,
): Promise<void> {
  const found = await fs.stat(file).catch(() => undefined);
  if (found && !found.isFile() && !found.isDirectory()) {
    await write(file, false);
    return;
  }
  const target = await fs.realpath(file).catch(() => file);
  const temporary = `${target}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    await write(temporary, true);
    await fs.rename(temporary, target);
  } catch (error) {
    await fs.rm(temporary, { force: true });
    throw error;
  }
}

/**
 * Writes a file as `replaceFile` does: mode 0600, in a folder that is made with 0700.
 * @throws FileError it cannot be written
 */
export async function writePrivateFile(file: string, text: string, what: string): Promise<void> {
  try {
    await fs.mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
    await replaceFile(file, async (place, isNew) => {
      const handle = await fs.open(place, isNew ? 'wx' : 'w', 0o600);
      try {
        await handle.writeFile(text);
        if (isNew) await handle.sync();
      } finally {
        await handle.close();
      }
    });
  } catch (error) {
    throw new FileError(`cannot write ${what} ${file}: ${reasonOf(error)}`, { cause: error });
  }
}
