/** Where a received file goes on this machine, whatever its sender calls it and the folder it belongs in. */
import path from 'node:path';
import { safeFileName } from './file-name.js';

/** Deeper than people's folders are, and far below what a system allows. */
const MAX_DEPTH = 32;

/** The folder below `root` for what belongs in `folder`: each name of it is made safe, so nothing leads out. */
export function folderFor(root: string, folder: string | undefined): string {
  const names = (folder ?? '').split(/[/\\]/).filter((name) => name !== '' && name !== '.');
  return path.join(root, ...names.slice(0, MAX_DEPTH).map(safeFileName));
}
