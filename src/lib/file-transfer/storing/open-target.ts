/** Where what is received goes: a folder, one file, or standard output. */
import { lstat } from 'node:fs/promises';
import path from 'node:path';
import { Writable } from 'node:stream';
import { FileError } from '../../errors.js';
import type { Output } from '../../output/output.js';
import type { FileOffer } from '../receiving/incoming-file.js';
import { openPartialFile } from './partial-file.js';
import { openPipeSink } from './pipe-sink.js';
import { folderFor } from './received-place.js';
import type { FileSink } from '../transfer.js';

export type Target = { kind: 'folder'; path: string } | { kind: 'file'; path: string } | { kind: 'stdout' };

/** Before anybody is told that files are taken. @throws FileError */
export async function checkTarget(target: Target): Promise<void> {
  if (target.kind === 'stdout') return;
  const found = await lstat(target.path).catch(() => undefined);
  if (target.kind === 'file' && found)
    throw new FileError(`${target.path} is there already`, { hint: 'remove it, or name another file' });
  if (target.kind === 'folder' && found?.isFile() === true)
    throw new FileError(`${target.path} is no folder`);
}

/** @throws FileError */
export async function openTarget(
  target: Target,
  { peer, file }: FileOffer,
  { isDurable, output }: { isDurable: boolean; output: Pick<Output, 'bytes'> },
): Promise<FileSink> {
  const common = { from: peer.bare.toString(), facts: file, isDurable };
  switch (target.kind) {
    case 'folder':
      return openPartialFile({ ...common, folder: folderFor(target.path, file.folder) });
    case 'file':
      return openPartialFile({
        ...common,
        folder: path.dirname(target.path),
        name: path.basename(target.path),
      });
    case 'stdout':
      return openPipeSink(standardOutput(output), file);
  }
}

const BUFFER_BYTES = 1 << 20;

function standardOutput(output: Pick<Output, 'bytes'>): Writable {
  return new Writable({
    highWaterMark: BUFFER_BYTES,
    write: (chunk: Buffer, _encoding, done) => void output.bytes(chunk).then(() => done(), done),
  });
}
