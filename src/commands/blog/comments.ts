import { defineCommand } from '../../lib/command/definition.js';
import type { Context } from '../../lib/context.js';
import { commentsNode } from '../../lib/social/comments.js';
import type { PostAddress } from '../../lib/social/feed.js';
import { isNothingThere } from '../../lib/pubsub/requester.js';
import { readPost, readPosts } from '../../lib/social/read-posts.js';
import {
  blogAtOption,
  blogNodeOption,
  feedCompletes,
  postOf,
  printedPost,
  renderPost,
} from './blog-flags.js';

export interface CommentsOptions {
  address: PostAddress;
}

export const command = defineCommand({
  path: 'blog comments',
  summary: 'read the comments on a post',
  description:
    'Prints the comments, the oldest first. An author who is not the one who published the comment is marked: anybody can write any name.',
  examples: [
    { does: 'read them', line: 'xmppctl blog comments first --at romeo@example.org' },
    {
      does: 'who has commented',
      line: 'xmppctl blog comments first --json | jq -r .publisher',
    },
  ],
  sections: [{ title: 'JSON OUTPUT', text: 'One object a line, as of xmppctl blog list.' }],
  exitCodes: { 1: 'there is no such post, or it takes no comments', 5: 'they may not be read' },
  completes: { ...feedCompletes, post: 'none' },
  build: (command) =>
    command.argument('<post>', 'its id, or its URI').addOption(blogAtOption).addOption(blogNodeOption),
  parse: ([post], flags): CommentsOptions => ({ address: postOf(post, flags) }),
  run: runComments,
});

/** @throws NegativeError @throws StanzaError */
export async function runComments({ address }: CommentsOptions, context: Context): Promise<void> {
  const { output, signal } = context;
  await using session = await context.connect();
  const feed = commentsNode(await readPost(session, address, { signal }));
  const comments = await readPosts(session, feed, { signal }).catch((error: unknown) => {
    // A node is made with the first comment by some clients.
    if (isNothingThere(error)) return [];
    throw error;
  });
  for (const [index, stored] of comments.reverse().entries()) {
    await output.item(
      printedPost(stored),
      () => `${index === 0 ? '' : '\n'}${renderPost(stored, session.jid.bare, output)}`,
    );
  }
  await output.flush();
}
