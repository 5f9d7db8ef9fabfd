/** From what was named to what is sent, one after the other: nothing is opened before its turn. */
import path from 'node:path';
import type { Readable } from 'node:stream';
import type { FileArgument } from './choose-files.js';
import { pathSource, pipeSource, type ToldFacts } from './path-source.js';
import { tarSource } from './tar-source.js';
import type { FileSource } from '../transfer.js';
import { walkFolder } from './walk-folder.js';

export interface GatherOptions {
  told: ToldFacts;
  stdin: Readable;
  /** Folders file by file, instead of each as one tar stream. */
  isRecursive: boolean;
  warn: (message: string) => void;
  /** A file among many that cannot be sent; the others go on. */
  fail: (error: Error, file: string) => Promise<void>;
}

export async function* gatherSources(
  files: readonly FileArgument[],
  options: GatherOptions,
): AsyncGenerator<FileSource> {
  const { told, stdin, isRecursive, warn, fail } = options;
  for (const file of files) {
    if (file.kind === 'stdin') {
      yield await pipeSource(stdin, told);
    } else if (file.kind === 'folder') {
      if (isRecursive) yield* filesIn(file.path, options);
      else yield await tarSource(file.path, { ...told, warn });
    } else {
      const source = await pathSource(file.path, told).catch(async (error: unknown) => {
        await fail(error instanceof Error ? error : new Error(String(error)), file.path);
        return undefined;
      });
      if (source) yield source;
    }
  }
}

async function* filesIn(root: string, { told, warn, fail }: GatherOptions): AsyncGenerator<FileSource> {
  const name = path.basename(path.resolve(root));
  for await (const { relative, path: file, kind } of walkFolder(root)) {
    if (kind === 'folder') continue;
    if (kind !== 'file') {
      warn(
        `${file} is left out: it is ${kind === 'link' ? 'a symbolic link' : 'neither a file nor a folder'}`,
      );
      continue;
    }
    const inside = path.posix.dirname(relative);
    const folder = [name, inside].filter((part) => part !== '.' && part !== '').join('/');
    try {
      yield await pathSource(file, { ...told, folder });
    } catch (error) {
      await fail(error instanceof Error ? error : new Error(String(error)), file);
    }
  }
}
