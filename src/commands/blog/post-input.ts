/** The text of a post: from a file, standard input, the words themselves, or an editor. */
import path from 'node:path';
import { readTextFile } from '../../lib/config/private-file.js';
import type { Context } from '../../lib/context.js';
import { UsageError } from '../../lib/errors.js';
import { readText } from '../../lib/input/stdin.js';
import { editText } from '../../lib/programs/edit-text.js';
import { formatPost, parsePost, type WrittenPost } from '../../lib/social/markdown.js';

const maxPostBytes = 4 * 1024 * 1024;

/** What the flags say goes before what the text says of itself. */
export interface ToldPost {
  title: string | undefined;
  tags: readonly string[];
  language: string | undefined;
  isDraft: boolean;
  id: string | undefined;
}

export interface PostInput {
  /** `-` is stdin; an editor at a terminal, and stdin elsewhere, when undefined. */
  file: string | undefined;
  message: string | undefined;
}

/** @throws UsageError @throws FileError @throws NegativeError the editor failed */
export async function readWritten(
  input: PostInput,
  told: ToldPost,
  context: Context,
  initial?: WrittenPost,
): Promise<WrittenPost> {
  const written = await readInput(input, context, initial);
  return {
    ...written,
    ...(told.title !== undefined && { title: told.title }),
    ...(told.tags.length > 0 && { tags: [...told.tags] }),
    ...(told.language !== undefined && { language: told.language }),
    ...(told.isDraft && { isDraft: true }),
    ...(told.id !== undefined && { id: told.id }),
  };
}

async function readInput(
  { file, message }: PostInput,
  { stdin, signal, env, prompt }: Context,
  initial: WrittenPost | undefined,
): Promise<WrittenPost> {
  if (message !== undefined) return { body: message };
  if (file !== undefined && file !== '-')
    return parsePost(await readTextFile(file, 'the post'), path.basename(file));
  if (file === '-' || !prompt.isAvailable)
    return parsePost(await readText(stdin, { signal, limit: maxPostBytes }), 'standard input');
  const text = await editText(initial ? formatPost(initial) : '', { name: 'post.md', env });
  if (text.trim() === '') throw new UsageError('nothing was written');
  return parsePost(text, 'the text');
}
