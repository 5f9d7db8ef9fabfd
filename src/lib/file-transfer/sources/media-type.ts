/** The media type of a file, from the ending of its name. */
import path from 'node:path';

/** @returns undefined where nothing is known */
export async function mediaTypeOf(name: string): Promise<string | undefined> {
  const ending = path.extname(name).slice(1);
  if (ending === '') return undefined;
  const { lookup } = await import('mrmime');
  return lookup(ending.toLowerCase());
}
