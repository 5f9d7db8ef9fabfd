/** What the operating system says about a file, as an error for people. */
import { FileError } from '../../errors.js';

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'it does not exist',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of its path is not a folder',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'it is larger than files may be here',
  EROFS: 'the file system is read-only',
  ELOOP: 'it is a symbolic link',
  ENAMETOOLONG: 'the name is too long',
  EPIPE: 'the reader has gone',
  EIO: 'the disk failed',
};

export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}

/** @param doing ends the sentence "cannot …": `write /tmp/a.txt` */
export function storageError(doing: string, error: unknown): FileError {
  if (error instanceof FileError) return error;
  const code = codeOf(error);
  const reason = reasons[code ?? ''] ?? (error instanceof Error ? error.message : String(error));
  return new FileError(`cannot ${doing}: ${reason}`, { cause: error, ...(code && { details: { code } }) });
}
