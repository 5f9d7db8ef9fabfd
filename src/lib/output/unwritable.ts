import { FileError } from '../errors.js';

/** The reader of our output has gone: its right, and no error. */
export function isClosedPipe(error: Error): boolean {
  return (error as NodeJS.ErrnoException).code === 'EPIPE';
}

/** Results that could not be written where stdout leads: a full disk, usually. */
export function unwritable(cause: unknown): FileError {
  const { code, message } = cause as NodeJS.ErrnoException;
  return new FileError(`cannot write the results: ${code === 'ENOSPC' ? 'the disk is full' : message}`, {
    cause,
  });
}
