/**
 * Where received files go: into `NAME.part` until they are complete and right, and then to their name.
 *
 * What is handed to the operating system survives the end of this process at any moment, so nothing has to be forced
 * to the disk for a killed transfer to go on where it was, and a thousand small files do not wait for the disk a
 * thousand times. Against a crash of the whole machine it is `isDurable` that helps: the file is on the disk before
 * it gets its name, and the name before the sender hears that it arrived.
 */
import { constants } from 'node:fs';
import { lstat, mkdir, open, rm, unlink, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { getuid } from 'node:process';
import { FileError } from '../../errors.js';
import { createHasher } from '../../hashes/hasher.js';
import { strongestOf, type HashAlgorithm } from '../../hashes/hashes.js';
import { candidateNames, safeFileName } from './file-name.js';
import { OpenPart } from './open-part.js';
import { lockPart } from './part-lock.js';
import { isSameFile, readPartState, writePartState } from './part-state.js';
import { isSameInode } from './place-file.js';
import { SMALL_BYTES, SmallFile } from './small-file.js';
import { codeOf, storageError } from './storage-error.js';
import type { FileFacts, FileSink } from '../transfer.js';

export interface PartialFileOptions {
  /** Made when it is not there. */
  folder: string;
  /** The sender's bare address: only a file of the same sender is gone on with. */
  from: string;
  facts: FileFacts;
  /** As the user of this machine wants it, to the letter, instead of what is made of the sender's name for it. */
  name?: string | undefined;
  isDurable?: boolean | undefined;
}

/**
 * Begins a file, or goes on with one that an earlier run began: `offset` says where.
 * @throws FileError nothing can be stored there
 */
export async function openPartialFile(options: PartialFileOptions): Promise<FileSink> {
  const { folder, facts } = options;
  const name = options.name === undefined ? safeFileName(facts.name) : path.basename(options.name);
  const algorithm = strongestOf([...facts.hashes.map((hash) => hash.algorithm), ...facts.promisedHashes]);
  const wanted: HashAlgorithm = algorithm ?? 'sha-256';
  try {
    await mkdir(folder, { recursive: true });
    const isSmall = facts.sizeBytes !== undefined && facts.sizeBytes <= SMALL_BYTES;
    if (isSmall) return new SmallFile({ ...options, name, hasher: await createHasher(wanted) });
    for (const candidate of candidateNames(name)) {
      const part = await tryCandidate(path.join(folder, candidate), options);
      if (!part) continue;
      return new OpenPart({
        ...part,
        folder,
        name,
        hasher: await createHasher(wanted),
        date: facts.date,
        isDurable: options.isDurable === true,
      });
    }
  } catch (error) {
    throw storageError(`store ${path.join(folder, name)}`, error);
  }
  throw new FileError(`cannot store ${path.join(folder, name)}: there are too many files of that name`);
}

interface Begun {
  handle: FileHandle;
  offset: number;
  /** `NAME.part`, and what is beside it. */
  paths: PartPaths;
  lock: AsyncDisposable;
}

export interface PartPaths {
  part: string;
  state: string;
}

/** @returns undefined when the name is taken: by a file, by another sender's part, or by another process */
async function tryCandidate(final: string, options: PartialFileOptions): Promise<Begun | undefined> {
  const paths: PartPaths = { part: `${final}.part`, state: `${final}.part.json` };
  // A run that was killed between its last two steps left both names of one file.
  if ((await isThere(final)) && !(await isSameInode(paths.part, final))) return undefined;
  const lock = await lockPart(`${final}.part.lock`);
  if (!lock) return undefined;
  let begun: Begun | undefined;
  try {
    const part = (await goOn(paths, final, options)) ?? (await begin(paths, options));
    if (part) begun = { ...part, paths, lock };
    return begun;
  } finally {
    if (!begun) await lock[Symbol.asyncDispose]();
  }
}

/** @returns undefined when there is no part, or not one of this file */
async function goOn(
  { part, state }: PartPaths,
  final: string,
  { from, facts }: PartialFileOptions,
): Promise<{ handle: FileHandle; offset: number } | undefined> {
  const earlier = await readPartState(state);
  if (!earlier || !isSameFile(earlier, from, facts)) return undefined;
  let handle: FileHandle;
  try {
    handle = await open(part, constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
  const found = await handle.stat();
  const { size, nlink, uid } = found;
  // Somebody else's file, or another name of a file that is in use, would be written through.
  const isOurs =
    uid === (getuid?.() ?? uid) && (nlink === 1 || (nlink === 2 && (await isSameInode(part, final))));
  if (found.isFile() && isOurs && size <= (facts.sizeBytes ?? 0)) return { handle, offset: size };
  await handle.close();
  return undefined;
}

/** @returns undefined when a part is there that is not this sender's earlier attempt at a file of this name */
async function begin(
  { part, state }: PartPaths,
  { from, facts }: PartialFileOptions,
): Promise<{ handle: FileHandle; offset: number } | undefined> {
  if (await isThere(part)) {
    const earlier = await readPartState(state);
    if (earlier?.from !== from || earlier.facts.name !== facts.name) return undefined;
    await unlink(part);
  }
  await writePartState(state, { from, facts });
  const { O_CREAT, O_EXCL, O_NOFOLLOW, O_RDWR } = constants;
  try {
    // The mode of the file it becomes: 0666, less what the umask takes.
    return { handle: await open(part, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW), offset: 0 };
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
    await rm(state, { force: true });
    return undefined;
  }
}

async function isThere(file: string): Promise<boolean> {
  try {
    await lstat(file);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}
