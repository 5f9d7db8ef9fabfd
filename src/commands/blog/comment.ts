import { randomUUID } from 'node:crypto';
import { defineCommand } from '../../lib/command/definition.js';
import type { Context } from '../../lib/context.js';
import { UsageError } from '../../lib/errors.js';
import { safeText } from '../../lib/output/safe-text.js';
import { commentsNode, replyTo } from '../../lib/social/comments.js';
import { postUri, type PostAddress } from '../../lib/social/feed.js';
import { readPost } from '../../lib/social/read-posts.js';
import { composePost, publishPost } from '../../lib/social/write-post.js';
import { authorOf, blogAtOption, blogNodeOption, feedCompletes, postOf, refuseEmpty } from './blog-flags.js';
import { readWritten, type PostInput } from './post-input.js';

export interface CommentOptions {
  address: PostAddress;
  input: PostInput;
  authorName: string | undefined;
}

export const command = defineCommand({
  path: 'blog comment',
  summary: 'comment on a post',
  description: 'Publishes a comment where the post wants its comments, and prints its URI.',
  examples: [
    {
      does: 'comment',
      line: "xmppctl blog comment first --at romeo@example.org -m 'Cappuccino this late in the day?'",
    },
  ],
  sections: [{ title: 'JSON OUTPUT', text: 'One object: id, node, service, uri.' }],
  exitCodes: { 1: 'there is no such post, or it takes no comments', 5: 'the comment is refused' },
  completes: { ...feedCompletes, post: 'none', file: 'file', '--message': 'none', '--author': 'none' },
  build: (command) =>
    command
      .argument('<post>', 'its id, or its URI')
      .argument('[file]', 'the comment in Markdown; standard input for -')
      .addOption(blogAtOption)
      .addOption(blogNodeOption)
      .option('-m, --message <text>', 'the comment itself')
      .option('--author <name>', 'the name of the author; the nickname of the account when left out'),
  parse: ([post, file], flags): CommentOptions => {
    if (file !== undefined && flags.message !== undefined)
      throw new UsageError('a file and -m are two comments: give one of them');
    return {
      address: postOf(post, flags),
      input: { file, message: flags.message },
      authorName: flags.author,
    };
  },
  run: runComment,
});

/** @throws NegativeError @throws StanzaError */
export async function runComment(
  { address, input, authorName }: CommentOptions,
  context: Context,
): Promise<void> {
  const { output, signal, clock } = context;
  const told = { title: undefined, tags: [], language: undefined, isDraft: false, id: undefined };
  const written = await readWritten(input, told, context);
  refuseEmpty(written.body, written.title);
  await using session = await context.connect();
  const stored = await readPost(session, address, { signal });
  const feed = commentsNode(stored);
  const own = { feed, id: randomUUID() };
  const comment = composePost(session, written, {
    address: own,
    author: await authorOf(session, authorName, { signal }),
    now: new Date(clock.now()),
    inReplyTo: [replyTo(stored)],
  });
  const id = await publishPost(session, own, comment, { signal });
  await output.result(
    { id, node: feed.node, service: feed.service.toString(), uri: postUri(session, { feed, id }) },
    (shown) => safeText(shown.uri, { singleLine: true }),
  );
}
