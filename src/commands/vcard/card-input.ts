/** The text of a card, from a file or stdin. */
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import type { Context } from '../../lib/context.js';
import { reasonOf } from '../../lib/config/private-file.js';
import { FileError, UsageError, XmppctlError } from '../../lib/errors.js';
import { readText } from '../../lib/input/stdin.js';

/** A card with a picture in it; whoever has more has something else. */
const MAX_BYTES = 64 * 1024 * 1024;

/**
 * @param file `-` for stdin
 * @throws FileError it cannot be read @throws UsageError it is not UTF-8, or stdin is a terminal where nobody types XML
 */
export async function readCardText(file: string, context: Context): Promise<string> {
  const isStdin = file === '-';
  if (isStdin && context.stdin.isTTY === true)
    throw new UsageError('there is no card to read', { hint: 'name a file, or pipe a card in' });
  const source: Readable = isStdin ? context.stdin : createReadStream(file);
  try {
    return await readText(source, { signal: context.signal, limit: MAX_BYTES });
  } catch (error) {
    if (context.signal.aborted) throw context.signal.reason;
    if (error instanceof XmppctlError) throw error;
    throw new FileError(`cannot read ${isStdin ? 'stdin' : file}: ${reasonOf(error)}`, { cause: error });
  }
}
