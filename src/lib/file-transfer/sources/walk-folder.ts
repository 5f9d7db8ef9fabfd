/**
 * Everything in a folder, in an order that is the same every time, without ever leaving it: symbolic links are told of,
 * and not followed.
 */
import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { storageError } from '../storing/storage-error.js';

export interface FolderEntry {
  /** From the folder itself, with `/` between the names. */
  relative: string;
  /** Where it is on this machine. */
  path: string;
  kind: 'file' | 'folder' | 'link' | 'other';
}

/** A folder comes before what is in it. @throws FileError a folder cannot be read */
export async function* walkFolder(root: string, relative = ''): AsyncGenerator<FolderEntry> {
  const here = path.join(root, relative);
  let entries: Dirent[];
  try {
    entries = await readdir(here, { withFileTypes: true });
  } catch (error) {
    throw storageError(`read ${here}`, error);
  }
  entries.sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
  for (const entry of entries) {
    const inside = relative === '' ? entry.name : `${relative}/${entry.name}`;
    const found = { relative: inside, path: path.join(here, entry.name), kind: kindOf(entry) };
    yield found;
    if (found.kind === 'folder') yield* walkFolder(root, inside);
  }
}

function kindOf(entry: Dirent): FolderEntry['kind'] {
  if (entry.isFile()) return 'file';
  if (entry.isDirectory()) return 'folder';
  return entry.isSymbolicLink() ? 'link' : 'other';
}
