import { defineCommand } from '../../lib/command/definition.js';
import type { Context } from '../../lib/context.js';
import type { PostAddress } from '../../lib/social/feed.js';
import { readPost } from '../../lib/social/read-posts.js';
import { deletePost } from '../../lib/social/write-post.js';
import { safeText } from '../../lib/output/safe-text.js';
import { confirmLoss } from '../pubsub/confirm-loss.js';
import { blogAtOption, blogNodeOption, draftsOption, feedCompletes, postOf } from './blog-flags.js';

export interface DeleteOptions {
  address: PostAddress;
  isSure: boolean;
  keepsComments: boolean;
}

export const command = defineCommand({
  path: 'blog delete',
  summary: 'delete a post',
  description:
    'Takes the post back, and its comments where they are our own. Asks at a terminal; elsewhere it wants --yes. Nothing is printed when all went well.',
  examples: [{ does: 'delete a post', line: 'xmppctl blog delete first --yes' }],
  exitCodes: { 1: 'there is no such post, or the answer was no', 5: 'it may not be deleted' },
  completes: { ...feedCompletes, post: 'none' },
  build: (command) =>
    command
      .argument('<post>', 'its id, or its URI')
      .addOption(blogAtOption)
      .addOption(blogNodeOption)
      .addOption(draftsOption)
      .option('--keep-comments', 'leave the comments where they are')
      .option('-y, --yes', 'do not ask'),
  parse: ([post], flags): DeleteOptions => ({
    address: postOf(post, flags),
    isSure: flags.yes === true,
    keepsComments: flags.keepComments === true,
  }),
  run: runDelete,
});

/** @throws NegativeError @throws StanzaError */
export async function runDelete(
  { address, isSure, keepsComments }: DeleteOptions,
  context: Context,
): Promise<void> {
  const { signal } = context;
  await using session = await context.connect();
  const stored = await readPost(session, address, { signal });
  const title = safeText(stored.post.title.text, { singleLine: true });
  if (!isSure) await confirmLoss(`Delete "${title}" and the comments on it?`, context);
  await deletePost(session, stored, { keepsComments, signal });
}
