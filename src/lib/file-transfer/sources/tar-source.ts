/**
 * A folder as a tar stream: what `tar c` makes of it, in an order that is the same every time.
 *
 * Links are kept as links. Not kept: owners (the receiver is another person), and pipes, devices and sockets.
 */
import { constants } from 'node:fs';
import { lstat, open, readlink } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Pack } from 'tar-stream';
import { FileError } from '../../errors.js';
import { factsOf, type ToldFacts } from './path-source.js';
import { storageError } from '../storing/storage-error.js';
import type { FileSource } from '../transfer.js';
import { walkFolder, type FolderEntry } from './walk-folder.js';

export interface TarSourceOptions extends ToldFacts {
  /** Told of what is left out. */
  warn: (message: string) => void;
}

export async function tarSource(folder: string, options: TarSourceOptions): Promise<FileSource> {
  // `.` and `..` have names, too.
  const name = path.basename(path.resolve(folder)) || 'root';
  const archiveName = options.name ?? `${name}.tar`;
  const told = { ...options, mediaType: options.mediaType ?? 'application/x-tar' };
  return {
    facts: await factsOf(archiveName, undefined, told, undefined),
    isSeekable: false,
    open: async () => {
      const { pack: newPack } = await import('tar-stream');
      const pack = newPack();
      const stream = Readable.from(pack as AsyncIterable<Buffer>, { objectMode: false });
      const failure = fill(pack, folder, name, options.warn);
      failure.catch((error: unknown) => stream.destroy(storageError(`read ${folder}`, error)));
      stream.once('close', () => pack.destroy());
      return stream;
    },
  };
}

async function fill(pack: Pack, folder: string, name: string, warn: TarSourceOptions['warn']): Promise<void> {
  await add(pack, { relative: '', path: folder, kind: 'folder' }, name, warn);
  for await (const entry of walkFolder(folder)) {
    if (pack.destroyed) return;
    await add(pack, entry, `${name}/${entry.relative}`, warn);
  }
  pack.finalize();
}

async function add(
  pack: Pack,
  entry: FolderEntry,
  name: string,
  warn: TarSourceOptions['warn'],
): Promise<void> {
  if (entry.kind === 'other') {
    warn(`${entry.path} is left out: it is neither a file nor a folder nor a link`);
    return;
  }
  if (entry.kind === 'file') return addFile(pack, entry.path, name);
  const { mode, mtime } = await lstat(entry.path);
  const common = { name, mode: mode & 0o7777, mtime };
  if (entry.kind === 'folder') await written(pack, { ...common, name: `${name}/`, type: 'directory' });
  else await written(pack, { ...common, type: 'symlink', linkname: await readlink(entry.path) });
}

function written(pack: Pack, header: Parameters<Pack['entry']>[0]): Promise<void> {
  return new Promise((resolve, reject) => {
    pack.entry(header, '', (error) => (error ? reject(error) : resolve()));
  });
}

async function addFile(pack: Pack, file: string, name: string): Promise<void> {
  // NOFOLLOW: what was a file when the folder was read may be a link out of it by now.
  const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const { mode, mtime, size } = await handle.stat();
    const header = { name, mode: mode & 0o7777, mtime, size, type: 'file' as const };
    if (size === 0) {
      await written(pack, header);
      return;
    }
    const entry = pack.entry(header);
    const content = handle.createReadStream({ end: size - 1, autoClose: false, highWaterMark: 256 * 1024 });
    let bytes = 0;
    content.on('data', (chunk) => (bytes += chunk.length));
    await pipeline(content, entry).catch((error: unknown) => {
      throw bytes < size ? shrank(file) : error;
    });
    if (bytes < size) throw shrank(file);
  } finally {
    await handle.close();
  }
}

function shrank(file: string): FileError {
  return new FileError(`${file} shrank while it was being sent`);
}
