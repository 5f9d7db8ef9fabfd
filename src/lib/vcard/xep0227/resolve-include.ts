/** XInclude 1.0, as far as exports use it: whole files below the folder of the first one, by a relative path. */
import { realpath } from 'node:fs/promises';
import path from 'node:path';
import { codeOf, reasonOf } from '../../config/private-file.js';
import { FileError } from '../../errors.js';
import { decodeHref } from './find-export.js';

const MAX_INCLUDES_DEEP = 20;

export interface IncludePlace {
  /** The folder that includes stay below; undefined where there is none. */
  root: string | undefined;
  /** Where the include stands. */
  file: string;
  /** The files on the way to it. */
  includedFrom: readonly string[];
}

/**
 * @returns the real path of the file
 * @throws FileError it is not one that is followed
 */
export async function resolveInclude(
  href: string,
  { root, file, includedFrom }: IncludePlace,
): Promise<string> {
  const chain = [...includedFrom, file];
  const refuse = (reason: string, hint?: string): FileError => includeRefusal(href, file, reason, hint);
  if (root === undefined)
    throw refuse('from a stream nothing is included', 'name the file, so that it is known where it is');
  if (/^[A-Za-z][A-Za-z0-9+.-]*:/.test(href) || href.startsWith('/') || /[?#]/.test(href))
    throw refuse('only files below the folder of the first file are included, by a relative path');
  if (chain.length > MAX_INCLUDES_DEEP) throw refuse(`includes are nested deeper than ${MAX_INCLUDES_DEEP}`);
  const target = path.resolve(path.dirname(file), decodeHref(href));
  let real: string;
  try {
    real = await realpath(target);
  } catch (error) {
    // Before anything is said of a file outside, it is refused as such.
    if (!isBelow(root, target) && !isBelow(path.resolve(path.dirname(file)), target))
      throw refuse('it is outside of the folder of the first file');
    throw refuse(codeOf(error) === 'ENOENT' ? 'there is no such file' : reasonOf(error));
  }
  if (!isBelow(root, real)) throw refuse('it is outside of the folder of the first file');
  const open = await Promise.all(chain.map((each) => realpath(each).catch(() => each)));
  if (open.includes(real)) throw refuse('it includes itself again, so there is no end');
  return real;
}

export function includeRefusal(href: string, file: string, reason: string, hint?: string): FileError {
  return new FileError(`${file} includes ${JSON.stringify(href)}: ${reason}`, { ...(hint && { hint }) });
}

function isBelow(folder: string, file: string): boolean {
  return file.startsWith(folder.endsWith(path.sep) ? folder : folder + path.sep);
}
